"""A study judged: every figure with its interval, from the predictions of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from ..design.design import Way
from ..judging.calibration import Calibration
from ..judging.calibration_curve import RiskGroup
from ..judging.confusion import Confusion
from ..judging.decisions import ClinicalImpact, DecisionCurve
from ..judging.estimate import Estimate, SignificanceTest
from ..judging.reclassification import Reclassification
from ..judging.roc import AucComparison
from ..judging.roc_curve import RocCurve

Key = tuple[Way, str, str]
"""Way, variant and learner of a model."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One model judged on one set of patients.

    Parameters
    ----------
    way : Way
    variant, learner : str
        Names.
    title : str
        As figures and tables call it: variant's title and learner's.
    on : str
        ``training``, ``cross-validation``, ``test``, ``external`` (see `ModelResult.predictions`).
    n, events : int
    auc : Estimate
    roc : RocCurve
    calibration : Calibration
    risk_groups : tuple of RiskGroup
        Tenths of the predictions (fewer where there are few patients), for the calibration figure.
    hosmer_lemeshow : SignificanceTest
    confusion : mapping of str to Confusion
        By the rule of the cut-off: ``Youden``, ``sensitivity 0.9``; both chosen in cross-validation of the training.
    decision : DecisionCurve
    impact : ClinicalImpact
    """

    way: Way
    variant: str
    learner: str
    title: str
    on: str
    n: int
    events: int
    auc: Estimate
    roc: RocCurve
    calibration: Calibration
    risk_groups: tuple[RiskGroup, ...]
    hosmer_lemeshow: SignificanceTest
    confusion: Mapping[str, Confusion]
    decision: DecisionCurve
    impact: ClinicalImpact

    @property
    def key(self) -> Key:
        """Return which model it is."""
        return self.way, self.variant, self.learner


@dataclass(frozen=True, eq=False)
class Optimism:
    """One model as published and leak-free, on one set or by one way of resampling.

    Parameters
    ----------
    variant, learner, title : str
    on : str
        ``test``, ``cross-validation``, ``nested cross-validation``, ``repeated hold-out``, ``external``.
    as_published, leak_free : Estimate
        AUC.
    optimism : Estimate
        as published - leak-free, paired by DeLong where the patients are the same.
    """

    variant: str
    learner: str
    title: str
    on: str
    as_published: Estimate
    leak_free: Estimate
    optimism: Estimate


@dataclass(frozen=True, eq=False)
class Validated:
    """A model's AUC by one way of resampling.

    Parameters
    ----------
    way : Way
    variant, learner, title : str
    kind : str
        ``nested cross-validation``, ``repeated hold-out``, ``bootstrap, optimism-corrected``, ``bootstrap .632+``.
    auc : Estimate
    spread : float or None
        SD over repeats or folds.
    repeats : int
    note : str
    """

    way: Way
    variant: str
    learner: str
    title: str
    kind: str
    auc: Estimate
    spread: float | None
    repeats: int
    note: str = ""


@dataclass(frozen=True, eq=False)
class Judgement:
    """Everything that is judged of a study.

    Parameters
    ----------
    judged : tuple of Judged
    primary : str
        Which set counts: ``test`` where there is one, else ``cross-validation``.
    best : Key or None
        The leak-free model of the highest AUC in cross-validation of the training patients (never chosen on the test).
    comparisons : mapping of (Way, on, title, title) to AucComparison
        DeLong's paired test between the models of one way on one set.
    reclassification : mapping of (variant, learner, on) to mapping of str to Reclassification
        ``NRI`` and ``IDI`` of a leak-free variant against the reference variant of the same learner.
    optimism : tuple of Optimism
    validated : tuple of Validated
    ablation : DataFrame
        variant, learner, title, left_out, number, auc, low, high, difference, p (DeLong, against nothing left out), f1.
    learning_curve : DataFrame
        variant, learner, title, share, patients, events, inputs, events_per_variable, auc, low, high, repeats.
    subgroups : DataFrame
        variant, learner, title, on, subgroup, n, events, auc, low, high, reason, p (interaction: unpaired DeLong
        between the groups of a column of two).
    warnings : tuple of str
        Plain sentences: few events a variable, a matched design, subgroups too small, models that failed.
    """

    judged: tuple[Judged, ...]
    primary: str
    best: Key | None
    comparisons: Mapping[tuple[Way, str, str, str], AucComparison] = field(default_factory=dict)
    reclassification: Mapping[tuple[str, str, str], Mapping[str, Reclassification]] = field(default_factory=dict)
    optimism: tuple[Optimism, ...] = ()
    validated: tuple[Validated, ...] = ()
    ablation: pd.DataFrame = field(default_factory=pd.DataFrame)
    learning_curve: pd.DataFrame = field(default_factory=pd.DataFrame)
    subgroups: pd.DataFrame = field(default_factory=pd.DataFrame)
    warnings: tuple[str, ...] = ()

    def on(self, where: str, way: Way = Way.LEAK_FREE) -> tuple[Judged, ...]:
        """Return the models of one way on one set."""
        return tuple(one for one in self.judged if one.on == where and one.way is way)
