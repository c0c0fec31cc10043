"""How much each input of a trained model matters, and what is left without some of them."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.metrics import roc_auc_score

from ..learners.search import Parameters
from ..seeds import seed_of
from .procedure import Folds, Procedure

_SHUFFLES = 3  # of each input in each fold


def importance(
    procedure: Procedure, x: pd.DataFrame, y: np.ndarray, parameters: Parameters, folds: Folds
) -> pd.DataFrame:
    """Return the mean loss of AUROC when an input is shuffled among patients who did not train.

    The inputs are those of the final model; only the learner is trained again in each fold.

    Parameters
    ----------
    x : DataFrame, shape (patients, inputs)
        Prepared training patients.
    y : ndarray
    parameters : mapping
    folds : list of (training rows, held-out rows)

    Returns
    -------
    DataFrame
        ``importance`` and ``sd`` (over folds and shuffles) by input, descending; ties by name.
    """
    generator = np.random.default_rng(seed_of(procedure.seed, "importance"))
    losses = np.concatenate(
        [
            _losses(model, x.iloc[held], y[held], generator)
            for model, held in _models(procedure, x, y, parameters, folds)
        ]
    )
    table = pd.DataFrame(
        {"importance": losses.mean(axis=0), "sd": losses.std(axis=0, ddof=1)}, pd.Index(x.columns, name="input")
    )
    order = sorted(table.index, key=lambda title: (-round(table.at[title, "importance"], 12), title))
    return table.loc[order]


def _models(
    procedure: Procedure, x: pd.DataFrame, y: np.ndarray, parameters: Parameters, folds: Folds
) -> Iterator[tuple[BaseEstimator, np.ndarray]]:
    """Yield the learner trained on each fold, and who was held out."""
    for train, held in folds:
        sampled, outcome, _ = procedure.sampled(x.iloc[train], y[train])
        yield procedure.fitted(sampled, outcome, parameters), held


def _losses(model: BaseEstimator, x: pd.DataFrame, y: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the losses, shape (shuffles, inputs)."""
    whole = roc_auc_score(y, model.predict_proba(x)[:, 1])
    found = np.zeros((_SHUFFLES, x.shape[1]))
    for n in range(_SHUFFLES):
        order = generator.permutation(len(x))
        for column, title in enumerate(x):
            shuffled = x.assign(**{title: x[title].to_numpy()[order]})
            found[n, column] = whole - roc_auc_score(y, model.predict_proba(shuffled)[:, 1])
    return found


def without(procedure: Procedure, parameters: Parameters, order: Sequence[str], most: int) -> pd.DataFrame:
    """Return the predictions of models that do without the most important inputs, or without a group.

    Judged on the test patients, or in cross-validation of the training patients where nobody tests; the inputs and the
    settings are the final model's.

    Parameters
    ----------
    order : sequence of str
        Inputs, the most important first.
    most : int
        How many are left out at most.

    Returns
    -------
    DataFrame
        See `Resampled`.
    """
    train, test = procedure.patients.train, procedure.patients.test
    preparation = procedure.preparation(train)
    x, y = preparation.transform(procedure.table(train)), procedure.outcome(train)
    other = preparation.transform(procedure.table(test)) if len(test) else None
    frames = []
    for left_out, gone in _left_out(procedure, list(x), order, most):
        kept = [title for title in x if title not in gone]
        found = _predicted(procedure, x[kept], y, None if other is None else other[kept], parameters)
        frames.append(
            pd.DataFrame(
                {"left_out": left_out, "number": len(gone), "subject": found.index, "probability": found.to_numpy()}
            )
        )
    return pd.concat(frames, ignore_index=True)


def _left_out(
    procedure: Procedure, inputs: list[str], order: Sequence[str], most: int
) -> Iterator[tuple[str, set[str]]]:
    yield "", set()
    for number in range(1, min(most, len(inputs) - 1) + 1):
        yield f"top {number}", set(order[:number])
    preparation = procedure.preparation(procedure.patients.train)
    if len(procedure.variant.groups) < 2:
        return
    for group, _ in preparation.fitted_:
        mine = {*group.columns, f"{group.name}_radscore"} & set(inputs)
        if mine and mine != set(inputs):
            yield f"all of {procedure.design.group(group.name).title}", mine


def _predicted(
    procedure: Procedure, x: pd.DataFrame, y: np.ndarray, other: pd.DataFrame | None, parameters: Parameters
) -> pd.Series:
    if other is not None:
        sampled, outcome, _ = procedure.sampled(x, y)
        return pd.Series(procedure.fitted(sampled, outcome, parameters).predict_proba(other)[:, 1], other.index)
    folds = procedure.folds(x.index, procedure.design.folds, "search")
    found = pd.Series(np.nan, x.index)
    for model, held in _models(procedure, x, y, parameters, folds):
        found.iloc[held] = model.predict_proba(x.iloc[held])[:, 1]
    return found
