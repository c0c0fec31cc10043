"""How the patients of a study are chosen and split, and how its models are judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ...image import Modality
from ..cohort import Scale
from ..cohort.matching import Order


class How(StrEnum):
    """How patients are split."""

    NONE = "none"  # all train; judged by resampling
    CHANCE = "chance"
    DATE = "date"
    CENTRE = "centre"


@dataclass(frozen=True)
class MatchingPlan:
    """How controls are chosen; see `cohort.MatchingDesign`."""

    covariates: tuple[str, ...]
    ratio: int = 1
    caliper: float | None = None
    scale: Scale = Scale.LOGIT
    replace: bool = False
    order: Order = Order.LARGEST
    exact: tuple[str, ...] = ()


@dataclass(frozen=True)
class SplitPlan:
    """How patients are split in training and test.

    Parameters
    ----------
    how : How
    test : float
        By chance: a share below 1, or a number of patients.
    column : str
        Of dates or centres; by chance of owners, where a patient has several rows.
    first_test_day : str
    centres : tuple of str
        That test.
    """

    how: How = How.CHANCE
    test: float = 0.3
    column: str = ""
    first_test_day: str = ""
    centres: tuple[str, ...] = ()


@dataclass(frozen=True)
class Validation:
    """What is done besides the one test set; 0 leaves a way out.

    Parameters
    ----------
    folds, repeats : int
        Nested cross-validation of all patients who are not external.
    candidates : int
        Of the search within each outer fold; 0 takes the parameters of the final model, and says so.
    hold_outs : int
        Repeated random splits, of the test set's size.
    bootstraps : int
        For optimism correction and .632+, with the parameters of the final model.
    learners : tuple of str
        Who is validated; empty: all of the design.
    learning_curve : tuple of float
        Shares of the training patients, 0-1.
    learning_repeats : int
    ablation : int
        Up to how many of the most important inputs are left out, one after the other.
    """

    folds: int = 5
    repeats: int = 1
    candidates: int = 0
    hold_outs: int = 0
    bootstraps: int = 0
    learners: tuple[str, ...] = ()
    learning_curve: tuple[float, ...] = ()
    learning_repeats: int = 5
    ablation: int = 0


@dataclass(frozen=True)
class JudgingPlan:
    """How predictions are judged.

    Parameters
    ----------
    sensitivity : float
        Of the second cut-off; the first is Youden's. Both are chosen in cross-validation of the training patients.
    prevalence : float or None
        Share of events where the model is to be used; needed for decision curves of matched patients.
    highest_threshold : float
        Of the decision curves, 0-1.
    subgroups : tuple of str
        Columns; numbers with more than two values are cut at the median.
    replicates : int
        Of every bootstrap interval.
    reference : str
        Variant that the others are compared with (NRI, IDI); empty: the first.
    """

    sensitivity: float = 0.9
    prevalence: float | None = None
    highest_threshold: float = 0.8
    subgroups: tuple[str, ...] = ()
    replicates: int = 1000
    reference: str = ""


@dataclass(frozen=True)
class CardFacts:
    """What the bundles say of themselves besides what the run knows."""

    intended_use: str
    not_for: str
    population: str
    modality: Modality
    licence: str
    citation: str
    below: str = "low risk"
    above: str = "high risk"
    phases: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
