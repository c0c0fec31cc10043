"""What a model says of itself: what it is for, what it needs, how well it did; the content of ``model.json``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..anatomy import Compartment, Structure, VertebralLevel
from ..image import Modality

SCHEMA = 1
"""Version of the layout of bundles; a newer one is refused, an older one stays readable."""


class Origin(StrEnum):
    """Where a model's numbers come from."""

    PUBLISHED = "published"  # transcribed from a publication
    TRAINED = "trained"  # by `ovfrisk study` or a user
    NOT_PUBLISHED = "not published"  # features and protocol are known, the numbers are not: train your own


class Combination(StrEnum):
    """What becomes of several levels."""

    PATIENT = "patient"  # the inputs are of the whole patient: one result
    LEVEL = "level"  # one result a level
    MAXIMUM = "maximum"  # the levels' highest output
    MEAN = "mean"  # the levels' mean output


class Output(StrEnum):
    """What the predictor gives."""

    PROBABILITY = "probability"
    VALUE = "value"  # the input itself, in its unit, compared with cut-offs


class Statistic(StrEnum):
    """How the levels of one input become one number."""

    MEAN = "mean"
    MEDIAN = "median"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"


@dataclass(frozen=True)
class Summary:
    """What is kept of an input's training values: no patient's.

    Parameters
    ----------
    minimum, maximum, mean, sd : float
    quantiles : mapping of float to float
        Probability (0-1) to value, ascending.
    """

    minimum: float
    maximum: float
    mean: float
    sd: float
    quantiles: Mapping[float, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Input:
    """One predictor, and which measurement it is.

    Parameters
    ----------
    name : str
        Of the measurement or feature: ``vbmd``, ``original_glcm_Idmn``, ``age``, ``sex_male``; of a radscore its own.
    title : str
        What a reader calls it; unique among the inputs.
    unit : str
        UCUM; a row in another unit is refused.
    compartment : Compartment, Structure or None
    levels : tuple of VertebralLevel
        Whose rows to take. Empty: the level that is being scored (of what is no part of a vertebra and has no row
        there, e.g. a blood value, the patient's own), or the patient's own row where the model is one of the patient.
        One: that level. Several need a `statistic`.
    statistic : Statistic or None
    least : int
        How many of the `levels` must have a value.
    protocol_id : str
        Empty where any will do.
    impute : float or None
        What stands for a missing value, in the input's unit; None: without it there is no result.
    center, scale : float
        The predictor sees (value - center) / scale; `scale` is above 0.
    training : Summary or None
    terms : tuple of Input
        Of a radscore: its own inputs; else empty.
    coefficients : tuple of float
        Of a radscore: one a term, for the scaled term.
    intercept : float
        Of a radscore.
    """

    name: str
    title: str
    unit: str
    compartment: Compartment | Structure | None = None
    levels: tuple[VertebralLevel, ...] = ()
    statistic: Statistic | None = None
    least: int = 1
    protocol_id: str = ""
    impute: float | None = None
    center: float = 0.0
    scale: float = 1.0
    training: Summary | None = None
    terms: tuple["Input", ...] = ()
    coefficients: tuple[float, ...] = ()
    intercept: float = 0.0


@dataclass(frozen=True)
class Rate:
    """A published or estimated share with its confidence interval, 0-1."""

    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Threshold:
    """Where the output is cut in two classes.

    Parameters
    ----------
    name : str
        E.g. ``Youden``, ``cut-off``.
    value : float
        On the output's scale.
    below, above : str
        What the classes are called.
    at_value : str
        The class of an output that equals `value`: ``below`` or ``above``.
    sensitivity, specificity : Rate or None
        For the outcome.
    """

    name: str
    value: float
    below: str
    above: str
    at_value: str = "above"
    sensitivity: Rate | None = None
    specificity: Rate | None = None

    def is_above(self, value: float) -> bool:
        """Return whether an output belongs to the class above."""
        return value > self.value or (value == self.value and self.at_value == "above")


@dataclass(frozen=True)
class Performance:
    """One figure of how well the model did.

    Parameters
    ----------
    data : str
        ``apparent``, ``internal`` or ``external``.
    metric : str
        E.g. ``AUC``, ``Brier score``, ``calibration slope``.
    value : float
    interval : tuple of float or None
        95 % confidence interval.
    n : int or None
    note : str
    """

    data: str
    metric: str
    value: float
    interval: tuple[float, float] | None = None
    n: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Population:
    """Whom the model was made on.

    Parameters
    ----------
    text : str
    n, events : int or None
    sex : tuple of str
        ``F``, ``M``; empty where it is not known.
    age : tuple of (float or None)
        Youngest and oldest, years; None where there is no bound or it is not known.
    acquisitions : tuple of mapping of str to str
        The scanners, each by DICOM keyword: ``MagneticFieldStrength``, ``Manufacturer``, ``ManufacturerModelName``.
    phases : tuple of str
        Contrast phases of CT models (``none``, ``arterial``, ``portal-venous``); empty where it is not known.
    groups : mapping of str to (float, float)
        Mean and SD of the single input in the published groups, where there are any.
    strict : bool
        Whether there is no result for a patient who is known to be of another sex or age; else a warning.
    """

    text: str
    n: int | None = None
    events: int | None = None
    sex: tuple[str, ...] = ()
    age: tuple[float | None, float | None] = (None, None)
    acquisitions: tuple[Mapping[str, str], ...] = ()
    phases: tuple[str, ...] = ()
    groups: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    strict: bool = False


@dataclass(frozen=True)
class Calibration:
    """How a predictor's probability p becomes the model's.

    Parameters
    ----------
    kind : str
        ``logistic``: expit(`intercept` + `slope` × logit(p)); ``isotonic``: linear between the points (`x`, `y`), both
        ascending, constant beyond them.
    """

    kind: str
    intercept: float = 0.0
    slope: float = 1.0
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()


@dataclass(frozen=True)
class ModelCard:
    """Everything a model says of itself besides its weights.

    Parameters
    ----------
    name : str
        Lower-case letters, digits, hyphens.
    version : str
    title, intended_use, not_for, outcome : str
    origin : Origin
    population : Population
    modality : Modality
        Whose acquisition counts.
    inputs : tuple of Input
        In the order the predictor takes them.
    combination : Combination
    output : Output
    licence, citation : str
    levels : tuple of VertebralLevel
        Which levels are scored, where the combination is not `PATIENT`.
    protocols : mapping of str to mapping
        The full radiomics protocols, by id.
    settings : mapping of str to str
        What else must be as at training, e.g. ``{"vbq_statistic": "mean"}``.
    calibration : Calibration or None
    thresholds : tuple of Threshold
        Ascending.
    performance : tuple of Performance
    validation : str
        How it was validated.
    training : mapping of str to JSON values
        What is known of the training: dates, software, seed, steps; no patient data.
    synthetic : bool
        Whether it was trained on simulated patients.
    """

    name: str
    version: str
    title: str
    intended_use: str
    not_for: str
    outcome: str
    origin: Origin
    population: Population
    modality: Modality
    inputs: tuple[Input, ...]
    combination: Combination
    output: Output
    licence: str
    citation: str
    levels: tuple[VertebralLevel, ...] = ()
    protocols: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    calibration: Calibration | None = None
    thresholds: tuple[Threshold, ...] = ()
    performance: tuple[Performance, ...] = ()
    validation: str = ""
    training: Mapping[str, object] = field(default_factory=dict)
    synthetic: bool = False
