"""What a run of a study leaves, before it is judged: who took part, the models, and what they predicted of whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ..cohort import Balance, Cohort, Matching, MissingReport, Split, TableOne
from ..design.design import Design, Way


@dataclass(frozen=True, eq=False)
class StepRecord:
    """What one fitted step decided.

    Parameters
    ----------
    group : str
        Empty for a sampler, which has all columns.
    step : str
        Its name in `study.steps.STEPS`; ``impute`` for the median.
    columns_in, columns_out : int
    table : DataFrame
        Its `table_` (index: feature), or empty.
    facts : mapping of str to JSON values
        Of the lasso: ``lambda_min``, ``lambda_1se``, ``lambda``; of a sampler: ``before``, ``after`` (rows by outcome,
        keys ``"0"``, ``"1"``); ``note`` of any.
    curves : mapping of str to list
        Of the lasso (also as radscore): ``penalties`` (steps,), ``coefficients`` (steps, features kept somewhere),
        ``names`` (features), ``mean``, ``se`` (of the cross-validated ``measure``), ``nonzero``. Else empty.
    """

    group: str
    step: str
    columns_in: int
    columns_out: int
    table: pd.DataFrame
    facts: Mapping[str, object] = field(default_factory=dict)
    curves: Mapping[str, list] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ModelResult:
    """One trained model: a variant's inputs, one learner, one way.

    Parameters
    ----------
    way : Way
    variant, learner : str
        Names.
    learner_title : str
    parameters : mapping of str to value
    search_score : float or None
        Best candidate's mean AUROC over the folds: the best of many, no estimate of anything.
    candidates : DataFrame
        Of the search; see `learners.Searched`. Empty where nothing was searched.
    steps : tuple of StepRecord
    inputs : tuple of str
        Titles of the columns the model takes after selection; a radscore is one.
    importance : DataFrame
        Index: input; ``importance`` (mean loss of AUROC when the column is shuffled; training patients in folds that
        did not train), ``sd``. Descending.
    odds : DataFrame or None
        Of unpenalised regression: ``coefficient``, ``se``, ``odds_ratio``, ``low``, ``high``, ``p``; index: input.
    predictions : mapping of str to Series
        Probability by patient, under ``training`` (who trained it: apparent), ``cross-validation`` (training patients,
        predicted by folds with the chosen parameters), ``test``, ``external``; what there is not is not there.
    bundle : str
        File name below ``models``, or empty.
    note : str
        Why there is no bundle, what the libraries warned of.
    failed : str
        Why there is no model at all; then everything else is empty.
    """

    way: Way
    variant: str
    learner: str
    learner_title: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    search_score: float | None = None
    candidates: pd.DataFrame = field(default_factory=pd.DataFrame)
    steps: tuple[StepRecord, ...] = ()
    inputs: tuple[str, ...] = ()
    importance: pd.DataFrame = field(default_factory=pd.DataFrame)
    odds: pd.DataFrame | None = None
    predictions: Mapping[str, pd.Series] = field(default_factory=dict)
    bundle: str = ""
    note: str = ""
    failed: str = ""


@dataclass(frozen=True, eq=False)
class Resampled:
    """What the whole procedure gives when it is repeated on other patients.

    Parameters
    ----------
    way : Way
    variant, learner : str
    kind : str
        ``nested cross-validation``: `rows` has repeat, fold, subject, probability.
        ``repeated hold-out``: `rows` has repeat, subject, probability (test patients).
        ``bootstrap``: `rows` has repeat, subject, probability, drawn (how often the patient was drawn; 0: was not).
        ``learning curve``: `rows` has share, patients, events, repeat, subject, probability (of held-out patients),
        inputs (how many the model took).
        ``ablation``: `rows` has left_out (text: what; empty: nothing), number (how many inputs), subject, probability
        (test patients, or in cross-validation where there is no test set).
    rows : DataFrame
    note : str
        What to know: parameters that were not searched again, repeats that failed and why.
    """

    way: Way
    variant: str
    learner: str
    kind: str
    rows: pd.DataFrame
    note: str = ""


@dataclass(frozen=True, eq=False)
class StudyRun:
    """A finished study.

    Parameters
    ----------
    design : Design
    cohort : Cohort
        Who takes part (after joining, leaving out, matching), not the external set.
    outcome : Series of int
        1 or 0 by patient, internal and external.
    split : Split or None
        None: all train.
    external : Cohort or None
    table_one : TableOne
        By outcome.
    table_split : TableOne or None
        By training and test.
    missing : MissingReport
    matching : Matching or None
    balance : Balance or None
    models : tuple of ModelResult
        In the order of ways, variants and learners of the design.
    resampled : tuple of Resampled
    facts : mapping of str to JSON values
        ``software`` (package to version), ``started``, ``finished`` (ISO), ``seconds`` (by task), ``files`` (table to
        SHA-256), ``cores``, ``memory_mb`` (peak of one process), ``external_uses`` (list).
    folder : Path
        Of the result.
    synthetic : bool
    """

    design: Design
    cohort: Cohort
    outcome: pd.Series
    split: Split | None
    external: Cohort | None
    table_one: TableOne
    table_split: TableOne | None
    missing: MissingReport
    matching: Matching | None
    balance: Balance | None
    models: tuple[ModelResult, ...]
    resampled: tuple[Resampled, ...]
    facts: Mapping[str, object]
    folder: Path
    synthetic: bool

    def of(self, way: Way) -> tuple[ModelResult, ...]:
        """Return the models of one way that there are."""
        return tuple(model for model in self.models if model.way is way and not model.failed)
