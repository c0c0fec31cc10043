"""How a model comes about: preparation, sampling, learner; leak-free, or in the order of the publications."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier

from ..cohort import folds
from ..design.design import Design, Variant, Way
from ..learners import LEARNERS, Searched
from ..learners.search import Learner, Parameters
from ..seeds import seed_of
from ..steps.base import varies
from .data import Patients
from .preparation import Preparation, preparation_of, step_of

Rows = pd.Index
Folds = list[tuple[np.ndarray, np.ndarray]]


@dataclass(eq=False)
class Procedure:
    """One variant, learner and way of a study: everything that is done between a table and probabilities.

    Parameters
    ----------
    design : Design
    patients : Patients
    way : Way
    variant : Variant
    learner : Learner
    memory : dict
        Of fitted preparations; procedures of one design and its patients may share one.
    """

    design: Design
    patients: Patients
    way: Way
    variant: Variant
    learner: Learner
    memory: dict[tuple, object] = field(default_factory=dict, repr=False)

    @property
    def seed(self) -> int:
        """Of candidates and trainings: the same for both ways."""
        return seed_of(self.design.seed, "learner", self.variant.name, self.learner.name)

    def outcome(self, who: Rows) -> np.ndarray:
        """Return 0 and 1 of patients."""
        return self.patients.outcome[who].to_numpy()

    def table(self, who: Rows) -> pd.DataFrame:
        """Return the variant's columns of patients."""
        groups = self.variant.groups
        columns = list(dict.fromkeys(title for name in groups for title in self.patients.columns[name]))
        return self.patients.cohort.table.loc[who, columns].astype(float)

    def preparation(self, train: Rows) -> Preparation:
        """Return the fitted steps: by `train`; as published by all patients, whoever trains."""
        who = self.patients.cohort.table.index if self.way is Way.AS_PUBLISHED else train
        made = preparation_of(self.design, self.variant, self.patients, self.memory)
        return made.fit(self.table(who), self.outcome(who))

    def sampled(self, x: pd.DataFrame, y: np.ndarray) -> tuple[pd.DataFrame, np.ndarray, list[BaseEstimator]]:
        """Return other training rows by the design's samplers, and these."""
        samplers = [step_of(self.design, step, "sampling", self.patients) for step in self.design.sampling]
        for sampler in samplers:
            x, y = sampler.fit_resample(x, y)
        return x, np.asarray(y), samplers

    def folds(self, who: Rows, count: int, name: str) -> Folds:
        """Return folds of patients by position, the same for every model."""
        frame = pd.DataFrame({self.design.outcome: self.patients.outcome[who]}, index=who)
        seed = seed_of(self.design.seed, "folds", name)
        return [one.positions(frame.index) for one in folds(frame, self.design.outcome, count, seed)]

    def search(self, train: Rows, candidates: int, jobs: int = 1) -> Searched:
        """Search the learner's settings on training patients, in `jobs` processes."""
        y = self.outcome(train)
        if self.way is Way.LEAK_FREE:
            split = self.folds(train, self.design.folds, "search")
            return self.learner.search(self.table(train), y, split, candidates, self.seed, jobs, self._prepare)
        x, y, _ = self.sampled(self.preparation(train).transform(self.table(train)), y)
        frame = pd.DataFrame({self.design.outcome: y}, index=[f"{n:06d}" for n in range(len(y))])
        seed = seed_of(self.design.seed, "folds", "search")
        split = [one.positions(frame.index) for one in folds(frame, self.design.outcome, self.design.folds, seed)]
        return self.learner.search(x.reset_index(drop=True), y, split, candidates, self.seed, jobs)

    def _prepare(self, x: pd.DataFrame, y: np.ndarray, other: pd.DataFrame) -> tuple:
        preparation = self.preparation(x.index)
        sampled, outcome, _ = self.sampled(preparation.transform(x), y)
        return sampled, outcome, preparation.transform(other)

    def trained(self, train: Rows, parameters: Parameters) -> "Trained":
        """Return the whole procedure trained on patients, with given settings."""
        preparation = self.preparation(train)
        x, y, _ = self.sampled(preparation.transform(self.table(train)), self.outcome(train))
        return Trained(self, preparation, self.fitted(x, y, parameters))

    def fitted(self, x: pd.DataFrame, y: np.ndarray, parameters: Parameters) -> BaseEstimator:
        """Return the learner trained on inputs; where none of them varies, everybody gets the share of events."""
        if not varies(x.to_numpy()).any():
            return DummyClassifier(strategy="prior").fit(x, y)
        return (self.learner.finish or self.learner.build)(parameters, self.seed).fit(x, y)


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained procedure."""

    procedure: Procedure
    preparation: Preparation
    estimator: BaseEstimator

    def predict(self, who: Rows) -> pd.Series:
        """Return the probabilities of patients."""
        x = self.preparation.transform(self.procedure.table(who))
        return pd.Series(self.estimator.predict_proba(x)[:, 1], who, name="probability")


def procedure_of(
    design: Design, patients: Patients, way: str, variant: str, learner: str, memory: dict[tuple, object] | None = None
) -> Procedure:
    """Return the procedure of names."""
    shared = {} if memory is None else memory
    return Procedure(design, patients, Way(way), design.variant(variant), LEARNERS[learner], shared)
