"""Shapley values of any function against one reference row.

The value of a set of inputs is the output with these inputs as the patient's and all others as the typical patient's
(baseline Shapley values: Sundararajan & Najmi, ICML 2020). Up to ten inputs that differ are enumerated; with more,
random orders are walked through, each forwards and backwards. Either way the amounts sum up to the difference exactly.
"""

from collections.abc import Callable
from math import factorial

import numpy as np

from .base import Contributions

METHOD = "Shapley values against the typical patient"
_ENUMERATED = 10
_PAIRS = 256
_FEWEST_PAIRS = 8
_NUMBERS_AT_ONCE = 2**23
_SEED = 20240613


def shapley(
    function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, typical: np.ndarray, scale: str = "probability"
) -> Contributions:
    """Return how each input moves `function` from its value at `typical` to that at `x`.

    Parameters
    ----------
    function : callable
        Takes rows of shape (rows, inputs), gives shape (rows,); called once.
    x, typical : ndarray, shape (inputs,)
    scale : str
        What `function` gives.
    """
    differing = np.flatnonzero(x != typical)
    amounts = np.zeros(x.size)
    if differing.size == 0:
        base = float(function(typical[np.newaxis])[0])
        return Contributions(amounts, base, scale, METHOD)
    if differing.size <= _ENUMERATED:
        amounts[differing], base = _enumerated(function, x, typical, differing)
        return Contributions(amounts, base, scale, METHOD)
    amounts[differing], base, orders, error = _sampled(function, x, typical, differing)
    return Contributions(amounts, base, scale, f"{METHOD} ({orders} orders, standard error up to {error:.1g})")


def _enumerated(function, x, typical, differing) -> tuple[np.ndarray, float]:
    n = differing.size
    sets = np.arange(2**n)
    member = (sets[:, np.newaxis] >> np.arange(n)) & 1 == 1
    values = function(_mixed(x, typical, differing, member))
    share = np.array([factorial(k) * factorial(n - k - 1) / factorial(n) for k in range(n)])
    amounts = np.empty(n)
    for i in range(n):
        without = sets[~member[:, i]]
        amounts[i] = share[member[without].sum(axis=1)] @ (values[without | 1 << i] - values[without])
    return _closed(amounts, values[-1] - values[0]), float(values[0])


def _sampled(function, x, typical, differing) -> tuple[np.ndarray, float, int, float]:
    n = differing.size
    pairs = int(np.clip(_NUMBERS_AT_ONCE // (2 * (n + 1) * x.size), _FEWEST_PAIRS, _PAIRS))
    random = np.random.default_rng(_SEED)
    forwards = np.array([random.permutation(n) for _ in range(pairs)])
    orders = np.concatenate([forwards, forwards[:, ::-1]])
    position = np.argsort(orders, axis=1)
    member = position[:, np.newaxis, :] < np.arange(n + 1)[:, np.newaxis]
    values = function(_mixed(x, typical, differing, member.reshape(-1, n))).reshape(2 * pairs, n + 1)
    steps = np.take_along_axis(np.diff(values, axis=1), position, axis=1)
    of_pairs = (steps[:pairs] + steps[pairs:]) / 2
    error = float((of_pairs.std(axis=0, ddof=1) / np.sqrt(pairs)).max())
    base = float(values[0, 0])
    return _closed(of_pairs.mean(axis=0), values[0, -1] - base), base, 2 * pairs, error


def _mixed(x, typical, differing, member) -> np.ndarray:
    rows = np.repeat(typical[np.newaxis], len(member), axis=0)
    rows[:, differing] = np.where(member, x[differing], typical[differing])
    return rows


def _closed(amounts: np.ndarray, total: float) -> np.ndarray:
    """Take the rounding (and a network's, whose last digits depend on the batch) out of the sum."""
    return amounts + (total - amounts.sum()) / amounts.size
