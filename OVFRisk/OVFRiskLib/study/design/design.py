"""What a study is: its tables, patients, steps, models and how they are judged; the content of a design file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ...anatomy import VertebralLevel
from ...models.card import Statistic
from ..cohort import Lacking
from .plans import CardFacts, How, JudgingPlan, MatchingPlan, SplitPlan, Validation

__all__ = [
    "SCHEMA",
    "CardFacts",
    "Design",
    "Group",
    "How",
    "JudgingPlan",
    "MatchingPlan",
    "SplitPlan",
    "StepDesign",
    "Table",
    "TableKind",
    "Validation",
    "Variant",
    "Way",
]

SCHEMA = 1
"""Version of the layout of design files; a newer one is refused."""


class TableKind(StrEnum):
    """What a table holds."""

    CLINICAL = "clinical"  # a row a patient: outcome, age, laboratory values, centres
    WIDE = "wide"  # a row a patient, a column a feature, called as `cohort.wide` calls them
    PATIENTS = "patients"  # what `ovfrisk analyze` writes: result folders, measurements.csv, features.csv
    MULTIPARAMETRIC = "multiparametric"  # multiparametric.csv


class Way(StrEnum):
    """Which comes first: learning from the patients, or splitting them."""

    LEAK_FREE = "leak-free"  # every data-driven step sees the training patients only
    AS_PUBLISHED = "as published"  # steps see all patients, resampling comes before the folds, as in the papers


@dataclass(frozen=True)
class Table:
    """A table to read.

    Parameters
    ----------
    name : str
        What messages call it.
    paths : tuple of str
        Relative to the design file; ``results/*`` stands for several.
    kind : TableKind
    key : str
        Column of the patients' keys.
    units : mapping of str to str
        UCUM, by column of a clinical table.
    text : tuple of str
        Clinical columns that are text though they look like numbers.
    levels : tuple of VertebralLevel
        Whose rows to take, or over which the columns of a wide table are joined.
    statistic : Statistic or None
        How levels become one number.
    least : int
        How many of the levels must have a value.
    level_column : str
        Clinical column that names the one level that counts of each patient.
    protocol : str
        Name or id of the radiomics protocol of a wide table; of tables of patients the one to take.
    """

    name: str
    paths: tuple[str, ...]
    kind: TableKind
    key: str = "subject"
    units: Mapping[str, str] = field(default_factory=dict)
    text: tuple[str, ...] = ()
    levels: tuple[VertebralLevel, ...] = ()
    statistic: Statistic | None = None
    least: int = 1
    level_column: str = ""
    protocol: str = ""


@dataclass(frozen=True)
class StepDesign:
    """A step of a group, or a sampler: its name in `study.steps.STEPS`, and what is set of it."""

    name: str
    set: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Columns that take the same way into the models.

    Parameters
    ----------
    name, title : str
    columns : tuple of str
        Titles; ``*`` stands for anything.
    steps : tuple of StepDesign
        One after the other, each fitted on what trains.
    impute : bool
        Whether the training patients' median stands for a missing value; else patients without one are left out.
    repeats : tuple of str
        Two or more wide tables of patients who were segmented again, for the step ``reproducibility``.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    steps: tuple[StepDesign, ...] = ()
    impute: bool = False
    repeats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant:
    """Which groups a model gets: clinical, radiomics, combined …

    Parameters
    ----------
    name, title : str
    groups : tuple of str
    parameters_of : str
        Another variant whose best parameters to take instead of searching again.
    learners : tuple of str
        Empty: all of the design.
    """

    name: str
    title: str
    groups: tuple[str, ...]
    parameters_of: str = ""
    learners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Design:
    """A study.

    Parameters
    ----------
    schema : int
    name : str
        Lower-case letters, digits and hyphens.
    title : str
    question : str
        What is predicted, in a sentence.
    source : str
        Publication whose design this is, and where it departs from it.
    outcome : str
        Column of 1 (event) and 0.
    event, no_event : str
        In words.
    seed : int
    tables : tuple of Table
    groups : tuple of Group
    variants : tuple of Variant
    learners : tuple of str
        Names in `study.learners.LEARNERS`.
    card : CardFacts
    candidates, folds : int
        Of each learner's randomized search.
    lacking : Lacking
        What to do with patients whom a table lacks.
    describe : tuple of str
        Columns of Table 1, ``*`` stands for anything; empty: all clinical ones.
    matching : MatchingPlan or None
    split : SplitPlan
    external : tuple of Table
        As `tables`, of other patients.
    sampling : tuple of StepDesign
        What changes the training rows: ADASYN, SMOTE, Tomek links.
    recalibrate : bool
        Whether leak-free probabilities are put right by a logistic regression of the outcome on their logit, fitted on
        cross-validated predictions of the training patients: resampling shifts the share of events.
    ways : tuple of Way
    validation : Validation
    judging : JudgingPlan
    synthetic : bool
        Whether the patients are simulated; tables that say so themselves need no word here.
    """

    schema: int
    name: str
    title: str
    question: str
    outcome: str
    event: str
    no_event: str
    seed: int
    tables: tuple[Table, ...]
    groups: tuple[Group, ...]
    variants: tuple[Variant, ...]
    learners: tuple[str, ...]
    card: CardFacts
    source: str = ""
    candidates: int = 100
    folds: int = 5
    lacking: Lacking = Lacking.ERROR
    describe: tuple[str, ...] = ()
    matching: MatchingPlan | None = None
    split: SplitPlan = field(default_factory=SplitPlan)
    external: tuple[Table, ...] = ()
    sampling: tuple[StepDesign, ...] = ()
    recalibrate: bool = False
    ways: tuple[Way, ...] = (Way.LEAK_FREE, Way.AS_PUBLISHED)
    validation: Validation = field(default_factory=Validation)
    judging: JudgingPlan = field(default_factory=JudgingPlan)
    synthetic: bool = False

    def group(self, name: str) -> Group:
        """Return the group called `name`."""
        return next(group for group in self.groups if group.name == name)

    def variant(self, name: str) -> Variant:
        """Return the variant called `name`."""
        return next(variant for variant in self.variants if variant.name == name)
