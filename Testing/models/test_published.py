"""The models that come with OVFRisk: as published, and applied with what is needed to read them."""

import pytest
from OVFRiskLib.anatomy import Compartment
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality
from OVFRiskLib.models.card import Origin
from OVFRiskLib.models.catalogue import catalogued, model_names, model_of, published_models
from OVFRiskLib.models.facts import Facts
from OVFRiskLib.models.scoring import brief, score

SCANNER = {"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "Signa HDx"}
UNPUBLISHED = ("fracture-risk-che", "malignant-fracture-liu", "multiparametric-seng", "residual-back-pain-ge")


def vbq(name, value, **more):
    return Measurement("p", None, None, name, value, "1", "vbq-1", **more)


def density(value, error=None):
    rows = [("vbmd_non_fractured", value), *([("vbmd_non_fractured_error", error)] if error else [])]
    return [Measurement("p", None, Compartment.CANCELLOUS, name, number, "mg/cm3", "d-1") for name, number in rows]


def scored(model, *rows, tesla="1.5", statistic="mean", age=70.0):
    scanner = SCANNER | ({"MagneticFieldStrength": tesla} if tesla else {})
    acquisitions = dict.fromkeys((Modality.T1, Modality.T2), scanner)
    facts = Facts(sex="F", age=age, acquisitions=acquisitions, settings={"vbq_statistic": statistic})
    (found,) = score([catalogued(model)], MeasurementTable(rows), facts)
    return found


def test_cutoffs_are_the_papers():
    """Huang et al., Table 3."""
    cards = [model.card for model in published_models() if "huang" in model.card.name]
    cuts = {card.inputs[0].name: card.thresholds[0] for card in cards}
    assert {name: (cut.value, cut.sensitivity.value, cut.specificity.value) for name, cut in cuts.items()} == {
        "vbq_t1": (4.285, 0.619, 0.619),
        "vbq_t2": (0.555, 0.762, 0.593),
        "vbq_t2_stir": (0.805, 0.738, 0.536),
    }
    assert all("10.1177/21925682251339995" in card.citation for card in cards)


@pytest.mark.parametrize(("value", "above"), [(0.556, True), (0.555, False), (0.4, False)])
def test_higher_is_worse(value, above):
    found = scored("vbq-t2-huang-2025", vbq("vbq_t2", value))
    assert found.class_text == ("above the published cut-off" if above else "not above the published cut-off")
    assert found.prediction.warnings == ()


def test_the_scores_own_uncertainty_may_leave_both_classes():
    found = scored("vbq-t2-huang-2025", vbq("vbq_t2", 0.56), vbq("vbq_t2_uncertainty", 0.01))
    assert found.written == "0.560 ± 0.010"
    both = "not above the published cut-off or above the published cut-off"
    assert found.class_text == f"{both}: a bound lies within the error"


def test_what_is_missing_is_not_judged():
    absent = vbq("vbq_t1", None, quality=Quality.ABSENT, note="more than two fractured levels")
    found = scored("vbq-t1-huang-2025", absent)
    assert (found.written, found.class_text) == ("—", "")
    assert "more than two fractured levels" in " ".join(found.remarks)
    assert "VBQ-T2" in " ".join(scored("vbq-t2-huang-2025", absent).remarks)


@pytest.mark.parametrize(("tesla", "word"), [(None, "field strength unknown"), ("3", "3 T and 1.5 T")])
def test_another_field_strength_is_said(tesla, word):
    assert word in " ".join(scored("vbq-t2-huang-2025", vbq("vbq_t2", 0.6), tesla=tesla).remarks)


def test_another_statistic_is_said():
    found = scored("vbq-t2-huang-2025", vbq("vbq_t2", 0.6), statistic="median")
    assert "mean of the levels, not their median" in " ".join(found.remarks)


@pytest.mark.parametrize(
    ("vbmd", "name"), [(79.9, "osteoporosis"), (80, "osteopenia"), (120, "osteopenia"), (120.1, "normal")]
)
def test_density_classes_are_the_acrs(vbmd, name):
    assert scored("vbmd-acr-2018", *density(vbmd)).class_text == name


def test_there_is_no_density_class_under_fifty_years():
    found = scored("vbmd-acr-2018", *density(95.0), age=41.0)
    assert found.prediction.value is None
    assert "50 or more" in found.prediction.reason


@pytest.mark.parametrize("name", UNPUBLISHED)
def test_a_model_without_published_numbers_gives_none(name):
    assert catalogued(name).card.origin is Origin.NOT_PUBLISHED
    found = scored(name, vbq("vbq_t2", 0.6))
    assert found.prediction.value is None
    assert "train your own" in " ".join(found.remarks)


def test_every_model_is_one_or_the_other_and_has_its_source():
    assert {model.card.name for model in published_models()} | set(UNPUBLISHED) == set(model_names())
    for card in (catalogued(name).card for name in model_names()):
        assert card.citation
        assert card.not_for.startswith("Not for a diagnosis")
        assert card.name in model_names()


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UserError, match="vbq-t2-huang-2025"):
        model_of("nothing")


def test_remarks_on_single_regions_are_counted_not_repeated():
    notes = ["L1 body: oedema; L2 body: oedema", "field strength unknown", "L3 csf: small"]
    counted = "3 remarks on single regions stand beside the signals"
    assert brief(notes) == ("field strength unknown", counted)
    assert brief(["field strength unknown"]) == ("field strength unknown",)
    assert brief(["L1 body: oedema"]) == ("1 remark on a single region stands beside the signals",)
    assert brief([]) == ()
