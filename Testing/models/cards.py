"""A complete, valid model card for tests; every number in it is invented."""

from dataclasses import replace
from functools import cache

from OVFRiskLib.anatomy import Compartment, VertebralLevel
from OVFRiskLib.image import Modality
from OVFRiskLib.models.card import (
    Calibration,
    Combination,
    Input,
    ModelCard,
    Origin,
    Output,
    Performance,
    Population,
    Rate,
    Statistic,
    Summary,
    Threshold,
)
from OVFRiskLib.radiomics import Protocol

PROTOCOL = Protocol.load("fracture-risk")
JUNCTION = VertebralLevel.span("T11-L2")


def example_card(**changes: object) -> ModelCard:
    """A logistic model of a radscore, vBMD, age and sex, for one result a patient; `changes` replaces fields of it."""
    return replace(_card(), **changes)


def example_input(**changes: object) -> Input:
    """vBMD of the patient, as a mean over L1-L5; `changes` replaces fields of it."""
    return replace(_vbmd(), **changes)


def changed_at(values: dict | list, place: tuple, value: object) -> dict | list:
    """JSON values with another one at a place; what is not on the way there is shared."""
    key, *rest = place
    inner = changed_at(values[key], tuple(rest), value) if rest else value
    if isinstance(values, dict):
        return {**values, key: inner}
    return [inner if n == key else one for n, one in enumerate(values)]


@cache
def _card() -> ModelCard:
    return ModelCard(
        name="example",
        version="1.0",
        title="Example of a fracture risk",
        intended_use="Tests of OVFRisk.",
        not_for="Patients.",
        outcome="osteoporotic vertebral fracture",
        origin=Origin.TRAINED,
        population=_population(),
        modality=Modality.CT,
        inputs=(_radscore(), _vbmd(), _age(), _sex()),
        combination=Combination.PATIENT,
        output=Output.PROBABILITY,
        licence="Apache-2.0",
        citation="None: invented.",
        protocols={PROTOCOL.id: PROTOCOL.to_dict()},
        settings={"contrast": "none"},
        calibration=Calibration("logistic", intercept=-0.1, slope=0.9),
        thresholds=_thresholds(),
        performance=(
            Performance("internal", "AUC", 0.84, (0.78, 0.9), 240, "10-fold cross-validation, optimism-corrected"),
            Performance("external", "Brier score", 0.17),
        ),
        validation="10-fold cross-validation",
        training={"date": "2026-11-21", "seed": 7, "steps": ["mRMR", "LASSO"], "software": {"scikit-learn": "1.9.0"}},
        synthetic=True,
    )


def _population() -> Population:
    return Population(
        text="240 invented patients",
        n=240,
        events=80,
        sex=("F", "M"),
        age=(50.0, None),
        acquisitions=({"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "Revolution"},),
        phases=("none",),
        groups={"fracture": (70.0, 20.0), "no fracture": (110.0, 25.0)},
    )


def _thresholds() -> tuple[Threshold, ...]:
    rates = Rate(0.8, (0.7, 0.88)), Rate(0.75)
    return (
        Threshold("Youden", 0.3, "low", "intermediate", sensitivity=rates[0], specificity=rates[1]),
        Threshold("90 % specificity", 0.6, "intermediate", "high", at_value="below"),
    )


def _radscore() -> Input:
    terms = (
        _feature("original_glcm_Idmn", center=0.95, scale=0.02),
        _feature("wavelet-LLH_firstorder_Mean", center=-1.5, scale=3.0, impute=-1.5),
    )
    return Input(
        name="cortical_radscore",
        title="Cortical radscore",
        unit="1",
        training=Summary(-4.0, 5.0, -0.5, 1.25, {0.05: -2.5, 0.5: -0.4, 0.95: 1.6}),
        terms=terms,
        coefficients=(0.75, -1.25),
        intercept=-0.5,
    )


def _feature(name: str, **changes: object) -> Input:
    plain = Input(
        name=name,
        title=f"Cortical {name}",
        unit="1",
        compartment=Compartment.CORTICAL,
        levels=JUNCTION,
        statistic=Statistic.MEAN,
        least=3,
        protocol_id=PROTOCOL.id,
    )
    return replace(plain, **changes)


@cache
def _vbmd() -> Input:
    return Input(
        name="vbmd",
        title="vBMD",
        unit="mg/cm3",
        compartment=Compartment.CANCELLOUS,
        levels=VertebralLevel.span("L1-L5"),
        statistic=Statistic.MEAN,
        least=2,
        center=100.0,
        scale=30.0,
        training=Summary(20.0, 220.0, 100.0, 30.0, {0.0: 20.0, 0.5: 98.0, 1.0: 220.0}),
    )


def _age() -> Input:
    return Input("age", "Age", "a", center=70.0, scale=10.0, training=Summary(50.0, 92.0, 70.0, 10.0))


def _sex() -> Input:
    return Input("sex_male", "Sex (male)", "1", impute=0.25, training=Summary(0.0, 1.0, 0.25, 0.43))
