"""Optimism by bootstrap models: Harrell's correction, and Efron and Tibshirani's .632+ estimate of the AUC.

Both as the R package predboot (``pred.ML``) of Noma et al. (arXiv:2005.01457) computes them, where a model without
information has an AUC of 0.5; so is the location-shifted interval: the percentiles of the bootstrap models' AUC on
their own samples, moved by the estimated optimism.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..judging.estimate import Estimate, absent
from ..judging.resampling import percentiles
from .repeats import area_of, counts

NO_INFORMATION = 0.5
FEWEST = 20
"""Resamples under which percentiles of them are no interval."""
_PERFECT = 0.999
_SHIFTED = "95 % CI: percentiles of the bootstrap models' apparent AUC, moved by the optimism (location-shifted)"
_METHODS = {
    "bootstrap, optimism-corrected": "apparent AUC less the mean of (bootstrap model on its sample - on all patients)",
    "bootstrap .632+": "apparent AUC and mean AUC of the patients not drawn, weighed by the relative overfitting",
}
_NO_APPARENT = "there are no predictions of these patients by a model that they all trained"


@dataclass(frozen=True, eq=False)
class Bootstrapped:
    """AUC of bootstrap models.

    Parameters
    ----------
    apparent : float
        Of the model that all patients trained, on these.
    own, everybody, others : ndarray, shape (resamples,)
        Of each bootstrap model on its sample, on all patients, on those not drawn.
    """

    apparent: float
    own: np.ndarray
    everybody: np.ndarray
    others: np.ndarray

    @property
    def corrected(self) -> float:
        """Harrell's optimism-corrected AUC."""
        return float(self.apparent - np.mean(self.own - self.everybody))

    @property
    def plus(self) -> float:
        """The .632+ estimate."""
        out = float(self.others.mean())
        if out <= NO_INFORMATION:
            overfitting = 1.0
        elif self.apparent > out:
            overfitting = (self.apparent - out) / (self.apparent - NO_INFORMATION)
        else:
            overfitting = 0.0
        weight = 0.632 / (1 - 0.368 * overfitting)
        return (1 - weight) * self.apparent + weight * max(out, NO_INFORMATION)


def bootstrapped(rows: pd.DataFrame, outcome: pd.Series, training: pd.Series | None) -> Bootstrapped | str:
    """Return the AUC of the bootstrap models, or the reason why there is none.

    Parameters
    ----------
    rows : DataFrame
        repeat, subject, probability, drawn. A repeat in which everybody was drawn once is the model of all patients.
    outcome : Series of int
        By patient.
    training : Series or None
        The final model's predictions of its training patients: apparent, where these are the patients of the rows.
    """
    apparent, found = _apparent(rows, outcome, training), []
    if apparent is None:
        return _NO_APPARENT
    for _, part in rows.groupby("repeat", sort=True):
        y, p, drawn = (outcome.loc[part["subject"]].to_numpy(), *part[["probability", "drawn"]].to_numpy().T)
        drawn = drawn.astype(int)
        areas = area_of(y, p, drawn), area_of(y, p), area_of(y[drawn == 0], p[drawn == 0])
        if None not in areas:  # the model of everybody has nobody who was not drawn
            found.append(areas)
    return Bootstrapped(apparent, *np.array(found).T) if found else "no resample leaves out patients of both outcomes"


def _apparent(rows: pd.DataFrame, outcome: pd.Series, training: pd.Series | None) -> float | None:
    once = rows.groupby("repeat")["drawn"].transform(lambda drawn: bool((drawn == 1).all())).astype(bool)
    whole = rows[once].drop_duplicates("subject")
    if len(whole):
        return area_of(outcome.loc[whole["subject"]].to_numpy(), whole["probability"].to_numpy())
    if training is None or set(training.index) != set(rows["subject"]):
        return None
    return area_of(outcome.loc[training.index].to_numpy(), training.to_numpy())


def bootstrap_estimates(found: Bootstrapped | str, rows: pd.DataFrame, outcome: pd.Series) -> dict[str, Estimate]:
    """Return both corrected AUC, by the name of the method."""
    n, events = counts(rows, outcome)
    if isinstance(found, str):
        return {name: absent(n, events, method, found) for name, method in _METHODS.items()}
    values = found.corrected, found.plus
    return {name: _shifted(found, value, n, events, _METHODS[name]) for name, value in zip(_METHODS, values)}


def _shifted(found: Bootstrapped, value: float, n: int, events: int, method: str) -> Estimate:
    method = f"{method}; {len(found.own)} resamples; {_SHIFTED}"
    if len(found.own) < FEWEST:
        reason = f"{len(found.own)} resamples are too few for percentiles, it takes {FEWEST}"
        return Estimate(value, None, None, n, events, method, reason)
    if found.own.min() > _PERFECT:
        reason = "the models order their own patients perfectly, so that the spread of these areas says nothing"
        return Estimate(value, None, None, n, events, method, reason)
    low, high = (float(end) + value - found.apparent for end in percentiles(found.own))
    if not low <= value <= high:
        reason = "the bootstrap models fit their own patients so much better that the shifted interval misses the value"
        return Estimate(value, None, None, n, events, method, reason)
    return Estimate(value, max(low, 0.0), min(high, 1.0), n, events, method)
