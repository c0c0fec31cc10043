"""How much each input moved a model's output, and what each term of a radscore gave to that."""

from collections.abc import Sequence

import numpy as np

from .card import Input
from .inputs import Picked
from .prediction import Contribution
from .predictors.base import Predictor

_LINEAR = "linear"
_NO_SCALE = "value"  # the output is the input itself: nothing moved it


def explained(predictor: Predictor, picks: Sequence[Picked]) -> tuple[tuple[Contribution, ...], str, str]:
    """Return the contributions, largest first, their scale and how they were found.

    The typical patient has the training mean of every input; of one without a training summary, its center. The terms
    of a radscore are told apart where the predictor is linear: then each term moves the output by its own slope.

    Parameters
    ----------
    predictor : Predictor
    picks : sequence of Picked
        One an input, each with a value.
    """
    x, typical = np.array([one.scaled for one in picks]), np.array([_scaled(one.input) for one in picks])
    found = predictor.contributions(x, typical)
    if found.scale == _NO_SCALE:
        return (), "", ""
    linear = _LINEAR in found.method
    slopes = [_slope(float(a), one) if linear else None for a, one in zip(found.amounts, picks)]
    made = [_contribution(one, float(a), slope) for one, a, slope in zip(picks, found.amounts, slopes)]
    return _largest_first(made), found.scale, found.method


def typical(one: Input) -> float:
    """Return the typical patient's value of an input, in its unit."""
    return one.training.mean if one.training else one.center


def _scaled(one: Input) -> float:
    return (typical(one) - one.center) / one.scale


def _slope(amount: float, one: Picked) -> float | None:
    """Return the change of the output for one unit of the input; None where the input moved nothing."""
    moved = one.value - typical(one.input)
    return amount / moved if moved else None


def _contribution(one: Picked, amount: float, slope: float | None) -> Contribution:
    parts = () if slope is None else tuple(_part(one.input, n, term, slope) for n, term in enumerate(one.terms))
    return Contribution(one.input.title, one.value, one.input.unit, amount, one.imputed, _largest_first(parts))


def _part(radscore: Input, n: int, term: Picked, slope: float) -> Contribution:
    """Return what the n-th term gave, where the output changes by `slope` for one unit of the radscore."""
    own = slope * radscore.coefficients[n] / term.input.scale
    return _contribution(term, own * (term.value - typical(term.input)), own)


def _largest_first(made: Sequence[Contribution]) -> tuple[Contribution, ...]:
    return tuple(sorted(made, key=lambda one: -abs(one.amount)))
