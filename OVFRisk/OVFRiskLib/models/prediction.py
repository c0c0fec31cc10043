"""What a model says of one patient or level: an output with its reasons, or the reason why there is none."""

from dataclasses import dataclass

from ..anatomy import VertebralLevel
from ..measurement import unit_text
from .card import Output, Threshold


@dataclass(frozen=True)
class Contribution:
    """How much one input moved the output away from the typical patient's.

    Parameters
    ----------
    title : str
        Of the input.
    value : float or None
        In the input's unit; None where it is the sum of a radscore that has none.
    unit : str
    amount : float
        On the scale that `Prediction.contribution_scale` names.
    imputed : bool
    parts : tuple of Contribution
        Of a radscore: what its terms gave; they sum up to `amount` (with a remainder of the reference).
    """

    title: str
    value: float | None
    unit: str
    amount: float
    imputed: bool = False
    parts: tuple["Contribution", ...] = ()


@dataclass(frozen=True)
class OutOfRange:
    """An input outside what the model was trained on."""

    title: str
    value: float
    minimum: float
    maximum: float
    unit: str

    def __str__(self) -> str:
        bounds = f"{self.minimum:.4g} to {self.maximum:.4g}"
        value = f"{self.value:.4g} {unit_text(self.unit)}".strip()
        return f"{self.title} {value} lies outside the training range {bounds}"


@dataclass(frozen=True)
class ClassAt:
    """The class at one threshold."""

    threshold: Threshold
    above: bool

    @property
    def name(self) -> str:
        return self.threshold.above if self.above else self.threshold.below


@dataclass(frozen=True)
class Prediction:
    """The result of one model for one patient or level; never a diagnosis.

    Parameters
    ----------
    subject : str
    model : str
        ``name version``.
    level : VertebralLevel or None
        None for the patient.
    output : Output
    value : float or None
        The probability (0-1) or the value; None where `reason` says why there is none.
    interval : tuple of float or None
        Of a probability the 95 % interval, where the model has one; of a value plus and minus the uncertainty that was
        measured with it (VBQ: regions 2 mm beside; vBMD: one standard deviation of the calibration).
    classes : tuple of ClassAt
        At each threshold, ascending.
    contributions : tuple of Contribution
        Largest amount first.
    contribution_scale : str
        ``log-odds`` or ``probability``; empty where there is none.
    contribution_method : str
        How they were found, e.g. ``exact (linear)``, ``TreeSHAP``.
    missing : tuple of str
        Titles of the inputs without a value, each with its reason: ``title: why``.
    out_of_range : tuple of OutOfRange
    warnings : tuple of str
    reason : str
        Why there is no value.
    """

    subject: str
    model: str
    level: VertebralLevel | None
    output: Output
    value: float | None
    interval: tuple[float, float] | None = None
    classes: tuple[ClassAt, ...] = ()
    contributions: tuple[Contribution, ...] = ()
    contribution_scale: str = ""
    contribution_method: str = ""
    missing: tuple[str, ...] = ()
    out_of_range: tuple[OutOfRange, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str = ""

    @property
    def class_name(self) -> str:
        """The class among all: of the highest threshold that is reached, or below the lowest."""
        if not self.classes:
            return ""
        reached = [found for found in self.classes if found.above]
        return (reached[-1] if reached else self.classes[0]).name
