"""A logistic model as a nomogram: points for each input, their sum, and the probability that belongs to it.

Made as R's ``rms::nomogram`` does (Harrell FE, Regression Modeling Strategies): axes end at round values about the
training range, every input has 0 points at its end of lower risk, and the input with the widest effect has 0-100.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from .card import Calibration, Input, ModelCard

MOST_POINTS = 100.0
_PROBABILITIES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_INTERVALS = 10  # about as many on each axis
_OTHER = "Look at the single contributions instead."


@dataclass(frozen=True)
class Axis:
    """One input's scale.

    Parameters
    ----------
    name, title, unit : str
        Of the input.
    minimum, maximum : float
        The range that the model states, in the input's unit; the ticks may lie somewhat beyond it.
    ticks : tuple of float
        Values, ascending.
    per_unit : float
        Points per unit of the input; below 0 where a higher value means less risk.
    """

    name: str
    title: str
    unit: str
    minimum: float
    maximum: float
    ticks: tuple[float, ...]
    per_unit: float

    @property
    def binary(self) -> bool:
        return self.ticks == (0.0, 1.0)

    @property
    def zero(self) -> float:
        """The value that has no points: the end of lower risk."""
        return self.ticks[0] if self.per_unit >= 0 else self.ticks[-1]

    @property
    def points(self) -> tuple[float, ...]:
        """The points of the ticks."""
        return tuple(self.points_at(tick) for tick in self.ticks)

    def points_at(self, value: float) -> float:
        """Return the points of a value; beyond the axis they are below 0 or above its highest."""
        return self.per_unit * (value - self.zero) + 0.0  # no -0


@dataclass(frozen=True)
class Nomogram:
    """All scales of a model.

    Parameters
    ----------
    card : ModelCard
    axes : tuple of Axis
        One an input, in the card's order.
    total_ticks : tuple of float
        Of the total points, from 0.
    intercept : float
        The log-odds at 0 points, calibrated as the card says.
    per_point : float
        Log-odds per point, above 0.
    probability_ticks : tuple of (float, float)
        Probability and its total points, ascending, as far as the axes reach.
    """

    card: ModelCard
    axes: tuple[Axis, ...]
    total_ticks: tuple[float, ...]
    intercept: float
    per_point: float
    probability_ticks: tuple[tuple[float, float], ...]

    @property
    def highest(self) -> float:
        """The total points where every input is at its end of higher risk."""
        return sum(max(axis.points) for axis in self.axes)

    def log_odds(self, total: float) -> float:
        """Return the calibrated log-odds of total points."""
        return self.intercept + self.per_point * total

    def probability(self, total: float) -> float:
        """Return the model's probability (0-1) of total points."""
        odds = math.exp(-abs(self.log_odds(total)))
        return (1.0 if self.log_odds(total) >= 0 else odds) / (1.0 + odds)


@dataclass(frozen=True)
class Reading:
    """What a patient's values give.

    Parameters
    ----------
    points : mapping of str to float
        By the inputs' titles.
    total : float
    probability : float
        0-1.
    outside : tuple of str
        What is to be said of each value outside the range that the model states.
    """

    points: Mapping[str, float]
    total: float
    probability: float
    outside: tuple[str, ...]


def nomogram_of(
    card: ModelCard,
    intercept: float,
    coefficients: Sequence[float],
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> Nomogram:
    """Lay out the nomogram of a logistic model.

    Parameters
    ----------
    card : ModelCard
    intercept : float
        Log-odds where all scaled inputs are 0, before calibration.
    coefficients : sequence of float
        Log-odds per unit of each scaled input, (value - center) / scale, in the card's order, before calibration.
    bounds : mapping of str to (float, float), optional
        Range of an input by its title, in its unit, instead of the range in training.

    Raises
    ------
    UserError
        When the range of an input is not stated or a single value, nothing has an effect, or the calibration is not
        logistic.
    """
    offset, slope = _calibration(card)
    ranges = [_range(given, bounds or {}) for given in card.inputs]
    effects = [slope * c / given.scale for given, c in zip(card.inputs, coefficients, strict=True)]
    ticks = [(0.0, 1.0) if _is_binary(given, ends) else pretty(*ends) for given, ends in zip(card.inputs, ranges)]
    widest = max((abs(effect) * (at[-1] - at[0]) for effect, at in zip(effects, ticks)), default=0.0)
    if not 0 < widest < math.inf:
        raise UserError(f"{_without(card)}: no input changes its result.", _OTHER)
    per_point = widest / MOST_POINTS
    axes = [
        Axis(given.name, given.title, given.unit, *ends, at, effect / per_point)
        for given, ends, at, effect in zip(card.inputs, ranges, ticks, effects)
    ]
    shifts = (effect * (axis.zero - given.center) for effect, axis, given in zip(effects, axes, card.inputs))
    start = offset + slope * intercept + sum(shifts)
    highest = sum(max(axis.points) for axis in axes)
    marks = ((p, (math.log(p / (1 - p)) - start) / per_point) for p in _PROBABILITIES)
    reached = tuple((p, total) for p, total in marks if 0 <= total <= highest)
    return Nomogram(card, tuple(axes), pretty(0.0, highest), start, per_point, reached)


def points_of(nomogram: Nomogram, values: Mapping[str, float]) -> Reading:
    """Read a patient off the nomogram.

    Parameters
    ----------
    nomogram : Nomogram
    values : mapping of str to float
        In the inputs' units, by title; what stands for a missing value must be among them. A value outside the axis
        counts as the model counts it: its points are below 0 or above the axis' highest.

    Raises
    ------
    ValueError
        When an input has no finite value.
    """
    known = {title for title, value in values.items() if value is not None and math.isfinite(value)}
    if absent := [axis.title for axis in nomogram.axes if axis.title not in known]:
        raise ValueError(f"no value of {', '.join(absent)}")
    points = {axis.title: axis.points_at(values[axis.title]) for axis in nomogram.axes}
    total = sum(points.values())
    outside = (_outside(axis, values[axis.title]) for axis in nomogram.axes)
    return Reading(points, total, nomogram.probability(total), tuple(filter(None, outside)))


def pretty(low: float, high: float, intervals: int = _INTERVALS) -> tuple[float, ...]:
    """Return round values that cover `low` to `high` (`low` < `high`) in about as many intervals, as R's ``pretty``.

    The step is 1, 2, 5 or 10 times a power of ten: R's documentation of ``pretty``, with its defaults (a bias of 1.5
    to larger steps, 2.75 for 5; at least a third of the intervals asked for).
    """
    cell, bias, bias_of_5, slack, least = (high - low) / intervals, 1.5, 2.75, 1e-10, intervals // 3
    step = base = 10.0 ** math.floor(math.log10(cell))
    for factor, factor_bias in ((2, bias), (5, bias_of_5), (10, bias)):
        if factor * base - cell >= factor_bias * (cell - step):
            break
        step = factor * base
    first, last = math.floor(low / step + slack), math.ceil(high / step - slack)
    short = max(0, least - (last - first))
    before = short // 2 + (short % 2 if first >= 0 else 0)
    if low == 0:
        before = 0
    ticks = np.linspace((first - before) * step, (last + short - before) * step, last - first + short + 1)
    return tuple(0.0 if abs(tick) < 1e-14 * step else float(tick) for tick in ticks)


def _without(card: ModelCard) -> str:
    return f"There is no nomogram of {card.name} {card.version}"


def _calibration(card: ModelCard) -> tuple[float, float]:
    """Return intercept and slope of the log-odds' calibration."""
    given = card.calibration or Calibration("logistic")
    if given.kind != "logistic":
        raise UserError(f"{_without(card)}: its calibration is {given.kind}, not logistic.", _OTHER)
    return given.intercept, given.slope


def _range(given: Input, bounds: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    what = f"There is no nomogram: the model does not state the range of {given.title}"
    if given.title in bounds:
        low, high = bounds[given.title]
    elif given.training is None:
        raise UserError(f"{what}.", "Give the lowest and highest value, or use a bundle that holds them.")
    else:
        low, high = given.training.minimum, given.training.maximum
    if not (math.isfinite(low) and math.isfinite(high) and high - low > 1e-9 * max(abs(low), abs(high))):
        raise UserError(f"{what}: {low:g} to {high:g} is none.", "Give a lowest and a higher highest value.")
    return float(low), float(high)


def _is_binary(given: Input, ends: tuple[float, float]) -> bool:
    """Return whether only 0 and 1 occur: between 0 and 1 no other variable's variance reaches mean × (1 - mean)."""
    if ends != (0.0, 1.0) or given.training is None:
        return ends == (0.0, 1.0)
    mean, rounding = given.training.mean, 0.9
    return given.training.sd**2 >= rounding * mean * (1 - mean)


def _outside(axis: Axis, value: float) -> str:
    if axis.binary and value not in axis.ticks:
        return f"{axis.title} {value:.4g} is neither 0 nor 1"
    if axis.minimum <= value <= axis.maximum:
        return ""
    return f"{axis.title} {value:.4g} lies outside the model's range {axis.minimum:.4g} to {axis.maximum:.4g}"
