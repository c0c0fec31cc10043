"""What is said of a patient who is unlike those of the training."""

import pytest
from OVFRiskLib.attenuation import Phase
from OVFRiskLib.image import Modality
from OVFRiskLib.models.card import Input, Population
from OVFRiskLib.models.facts import Facts
from OVFRiskLib.models.population import population_refusal, population_warnings

from .cards import example_card

GE = {"MagneticFieldStrength": "1.5", "Manufacturer": "GE", "ManufacturerModelName": "Signa HDX"}
SIEMENS = {"MagneticFieldStrength": "3", "Manufacturer": "SIEMENS", "ManufacturerModelName": "Skyra"}


def said(facts=None, settings=None, synthetic=False, modality=Modality.CT, inputs=None, **population):
    changes = {"settings": settings or {}, "synthetic": synthetic, "modality": modality}
    changes |= {"inputs": inputs} if inputs else {}
    return population_warnings(example_card(population=Population("x", **population), **changes), facts or Facts())


def test_what_the_card_does_not_state_is_no_warning():
    assert said() == ()


@pytest.mark.parametrize(
    ("facts", "stated", "text"),
    [
        (Facts(sex="M"), ("F",), "sex M: the model was made on women only"),
        (Facts(), ("F",), "sex not given: the model was made on women only"),
        (Facts(sex="F"), ("F",), None),
        (Facts(), ("F", "M"), None),
    ],
)
def test_sex(facts, stated, text):
    assert said(facts, sex=stated) == ((text,) if text else ())


@pytest.mark.parametrize(
    ("age", "stated", "text"),
    [
        (49.0, (50.0, None), "age 49: the model was made on patients aged 50 or more"),
        (91.0, (50.0, 90.0), "age 91: the model was made on patients aged 50 to 90"),
        (50.0, (50.0, 90.0), None),
        (90.0, (None, 90.0), None),
        (None, (None, 90.0), "age not given: the model was made on patients aged 90 or less"),
        (None, (None, None), None),
    ],
)
def test_age(age, stated, text):
    assert said(Facts(age=age), age=stated) == ((text,) if text else ())


def test_a_strict_model_refuses_who_is_known_to_be_unlike():
    def refusal(facts, strict=True):
        population = Population("x", sex=("F",), age=(50.0, None), strict=strict)
        return population_refusal(example_card(population=population), facts)

    assert "women only" in refusal(Facts(sex="M"))
    assert "50 or more" in refusal(Facts(sex="F", age=30.0))
    assert refusal(Facts(sex="F", age=60.0)) == refusal(Facts()) == refusal(Facts(sex="M"), strict=False) == ""


@pytest.mark.parametrize(
    ("phase", "stated", "words"),
    [
        (None, ("none",), "contrast phase not given: the model was made on CTs of the contrast phase none"),
        (Phase.PORTAL_VENOUS, ("none",), "contrast phase portal venous: the model"),
        (Phase.PORTAL_VENOUS, ("none", "portal venous"), ""),
        (Phase.ARTERIAL, (), "contrast phase arterial: that of the model's CTs is not known"),
        (Phase.NONE, (), ""),
    ],
)
def test_phase(phase, stated, words):
    warnings = said(Facts(phase=phase), phases=stated)
    assert len(warnings) == bool(words)
    assert "".join(warnings).startswith(words)
    assert said(Facts(phase=phase), phases=stated, modality=Modality.T1) == ()


def test_acquisition_one_of_the_published_is_enough():
    def warnings(found, **more):
        facts = Facts(acquisitions={Modality.T1: found, Modality.T2: GE})
        return said(facts, modality=Modality.T1, acquisitions=(GE, SIEMENS), **more)

    assert warnings(SIEMENS) == warnings(GE) == ()
    (text,) = warnings({**SIEMENS, "MagneticFieldStrength": "0.55"})
    assert text == "the patient's scanner and the model's: field strength 0.55 T and 3 T"
    (text,) = warnings({})
    assert "unknown: the model was made on a GE Signa HDX at 1.5 T" in text
    (text,) = warnings({**SIEMENS, "MagneticFieldStrength": "0.55"}, inputs=(Input("vbq_t1", "VBQ-T1", "1"),))
    assert "2.77 at 1.5 T" in text


def test_only_what_the_publication_states_is_asked_for():
    scanner = {"Manufacturer": "GE"}
    facts = Facts(acquisitions={Modality.CT: {"Manufacturer": "GE MEDICAL SYSTEMS"}})
    assert said(facts, acquisitions=(scanner,)) == ()
    assert said(acquisitions=(scanner,)) == (
        "the patient's scanner and the model's: manufacturer unknown: the model was made on a GE",
    )


def test_settings():
    wanted = {"vbq_statistic": "mean", "kernel": "soft"}
    assert said(Facts(settings=wanted), settings=wanted) == ()
    assert said(Facts(settings={"vbq_statistic": "median"}), settings=wanted) == (
        "the model was made with the mean of the levels, not their median",
        "kernel not known: the model was made with soft",
    )
    assert said(Facts(settings={**wanted, "kernel": "bone"}), settings=wanted) == (
        "kernel bone: the model was made with soft",
    )


def test_simulated_patients():
    assert said(synthetic=True) == ("trained on SYNTHETIC patients: never for a real one",)
    assert "SYNTHETIC images" in said(Facts(synthetic=True))[0]
