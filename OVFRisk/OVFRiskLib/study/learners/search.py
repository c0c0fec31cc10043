"""Randomized search over given folds: one seed gives one table of candidates, on one core or two."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer
from sklearn.model_selection import ParameterSampler
from sklearn.utils.parallel import Parallel, delayed

from ...errors import UserError
from .data import Data, Fold, checked, folds_of

Parameters = Mapping[str, object]
Build = Callable[[Parameters, int], BaseEstimator]
Prepare = Callable[[Data, np.ndarray, Data], tuple[Data, np.ndarray, Data]]


@dataclass(frozen=True)
class Phase:
    """A part of a search, about some of the settings.

    Parameters
    ----------
    title : str
    space : mapping, or list of mappings
        Lists and distributions by parameter, as scikit-learn's ParameterSampler takes them. Empty: nothing to search.
    share : float
        Of all candidates, 0-1; the last phase takes what is left.
    """

    title: str
    space: Mapping[str, object] | Sequence[Mapping[str, object]]
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search found.

    Parameters
    ----------
    learner : str
    estimator : BaseEstimator
        Trained on all rows with the best parameters; `clone` gives an untrained one. See `exportable`.
    parameters : mapping of str to value
    score : float
        The best candidate's mean AUROC over the folds. It is the best of many: not an estimate of the model's AUROC.
    candidates : DataFrame
        A row a candidate, in the order tried: ``phase``, its parameters (empty where the candidate has none of the
        name), ``fold_1`` …, ``mean``, ``sd`` (over the folds, n - 1), ``rank`` (1 is best; ties go to the earlier) and
        ``note`` (what the libraries warned of).
    """

    learner: str
    estimator: BaseEstimator
    parameters: Parameters
    score: float
    candidates: pd.DataFrame


@dataclass(frozen=True)
class Learner:
    """A model and what is searched.

    Parameters
    ----------
    name, title : str
    source : str
        What the publication says of the search, and what is chosen here.
    build : callable
        Parameters and seed to an untrained estimator.
    phases : tuple of Phase
        One after the other: each starts from the best parameters so far.
    start : mapping
        Parameters that a phase has not searched yet.
    finish : callable or None
        As `build`, for the model that is kept; None: `build`.
    """

    name: str
    title: str
    source: str
    build: Build
    phases: tuple[Phase, ...]
    start: Parameters = field(default_factory=dict)
    finish: Build | None = None

    @property
    def is_searched(self) -> bool:
        """Return whether there are settings to search."""
        return any(phase.space for phase in self.phases)

    def search(
        self,
        x: Data,
        y: np.ndarray,
        folds: Sequence[tuple[np.ndarray, np.ndarray]],
        candidates: int,
        seed: int,
        jobs: int = 1,
        prepare: Prepare | None = None,
    ) -> Searched:
        """Try `candidates` settings on `folds`, by AUROC, and train the best on all rows.

        Parameters
        ----------
        x : DataFrame or ndarray, shape (patients, inputs)
            Finite numbers.
        y : ndarray, shape (patients,)
            0 and 1.
        folds : sequence of (training rows, test rows)
            By position; all learners of a comparison get the same.
        candidates : int
            In all phases together; 100 in Ge et al. 2025.
        seed : int
            Of the candidates and of every training.
        jobs : int
            Processes; the result does not depend on it.
        prepare : callable or None
            (training x, training y, other x) to the same three: what has to be fitted on the training part only
            (selection, resampling). It is called once a fold and once for the final training on all rows, so the final
            estimator takes the columns that ``prepare(x, y, x)`` gives.

        Raises
        ------
        UserError
            Where `x` has gaps, `y` other values, a fold only one outcome, or a package is missing.
        """
        x, y = checked(x, y)
        if candidates < 1 or jobs < 1:
            raise UserError("A search needs at least one candidate and one process.", "Correct the study's design.")
        ready = folds_of(x, y, folds, prepare)
        table = self._table(ready, candidates, seed, jobs)
        best = table[_best(table)]
        estimator = (self.finish or self.build)(best["parameters"], seed)
        all_x, all_y = (x, y) if prepare is None else prepare(x, y, x)[:2]
        with one_thread():
            estimator.fit(all_x, all_y)
        return Searched(self.name, estimator, best["parameters"], best["mean"], _frame(table))

    def _table(self, folds: Sequence[Fold], candidates: int, seed: int, jobs: int) -> list[dict]:
        random = np.random.RandomState(seed)
        rows: list[dict] = []
        best = dict(self.start)
        for phase, count in self._counts(candidates):
            tried = [{**best, **drawn} for drawn in _drawn(phase, count, random)]
            scores = _scores(self.build, tried, folds, seed, jobs)
            rows += [_row(phase, parameters, found) for parameters, found in zip(tried, scores)]
            best = rows[_best(rows)]["parameters"]
        return rows

    def _counts(self, candidates: int) -> Iterator[tuple[Phase, int]]:
        """Yield each phase with its number of candidates; phases without any are left out."""
        left = candidates
        for phase in self.phases:
            count = left if phase is self.phases[-1] else min(left, math.ceil(candidates * phase.share))
            if count:
                yield phase, count
            left -= count


def one_thread() -> object:
    """Return a context in which linear algebra has one thread: sums in one order, whatever the number of cores."""
    from threadpoolctl import threadpool_limits  # scikit-learn's own requirement

    return threadpool_limits(limits=1)


def _drawn(phase: Phase, count: int, random: np.random.RandomState) -> list[dict]:
    """Return `count` candidates; six digits are written and read again without a change."""
    if not phase.space:
        return [{}]
    return [
        {name: _plain(value) for name, value in found.items()}
        for found in ParameterSampler(phase.space, count, random_state=random)
    ]


def _plain(value: object) -> object:
    value = value.item() if isinstance(value, np.generic) else value
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _scores(
    build: Build, tried: Sequence[Parameters], folds: Sequence[Fold], seed: int, jobs: int
) -> list[list[tuple[float, tuple[str, ...]]]]:
    tasks = (delayed(_score)(build, parameters, fold, seed) for parameters in tried for fold in folds)
    found = Parallel(n_jobs=jobs)(tasks)
    return [found[n * len(folds) : (n + 1) * len(folds)] for n in range(len(tried))]


def _score(build: Build, parameters: Parameters, fold: Fold, seed: int) -> tuple[float, tuple[str, ...]]:
    """Return the AUROC on the fold's test part, and what the libraries warned of."""
    with one_thread(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", DeprecationWarning)
        estimator = build(parameters, seed).fit(fold.x, fold.y)
        auroc = float(get_scorer("roc_auc")(estimator, fold.test_x, fold.test_y))
    return auroc, tuple(dict.fromkeys(str(warning.message).strip().splitlines()[0] for warning in caught))


def _row(phase: Phase, parameters: Parameters, found: Sequence[tuple[float, tuple[str, ...]]]) -> dict:
    scores = np.array([score for score, _ in found])
    notes = dict.fromkeys(note for _, texts in found for note in texts)
    spread = float(scores.std(ddof=1)) if scores.size > 1 else None
    each = {f"fold_{n}": float(score) for n, score in enumerate(scores, start=1)}
    return {
        "phase": phase.title,
        "parameters": parameters,
        "folds": each,
        "mean": float(scores.mean()),
        "sd": spread,
        "note": "; ".join(notes),
    }


def _best(rows: Sequence[Mapping]) -> int:
    """Return the first of the best; sums of other order differ in the last bits only."""
    return int(np.argmax([round(row["mean"], 12) for row in rows]))


def _frame(rows: Sequence[Mapping]) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"phase": row["phase"], **row["parameters"], **row["folds"], "mean": row["mean"], "sd": row["sd"]}
        for row in rows
    )
    frame["rank"] = (-frame["mean"].round(12)).rank(method="first").astype(int)
    frame["note"] = [row["note"] for row in rows]
    return frame
