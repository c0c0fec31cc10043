"""What the parts of a model card must be to each other; the first that does not fit is told."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ..errors import UserError
from ..radiomics import Protocol
from ..radiomics.classes import FEATURES
from .card import Calibration, Combination, Input, ModelCard, Output, Population, Summary, Threshold
from .card_reading import Misfit, short
from .card_schema import MOST_INPUTS

_DEEPEST = 2
_ROUNDING = 1e-6
"""By which a mean of equal numbers may lie beyond them, relative to their size."""


def check_card(card: ModelCard) -> None:
    """Make sure that the parts of a card agree.

    Raises
    ------
    Misfit
    """
    for place, what in _faults(card):
        raise Misfit(place, what)


Faults = Iterator[tuple[str, str]]


def _faults(card: ModelCard) -> Faults:
    yield from _inputs(card)
    yield from _levels(card)
    yield from _output(card)
    yield from _protocols(card)
    yield from _population(card.population)
    yield from _thresholds(card.thresholds)
    for n, figure in enumerate(card.performance):
        yield from _interval(figure.value, figure.interval, f"performance[{n}]")
    if card.calibration is not None:
        yield from _calibration(card.calibration)


def _inputs(card: ModelCard) -> Faults:
    placed = list(_all_inputs(card.inputs, "inputs"))
    if len(placed) > MOST_INPUTS:
        yield "inputs", f"are {len(placed):,} with those of radscores; at most {MOST_INPUTS:,} are possible"
    yield from _titles(card.inputs, "inputs")
    for place, one, depth in placed:
        yield from _radscore(place, one, depth) if one.terms else _measured(place, one)
        if one.training is not None:
            yield from _summary(one.training, f"{place}.training")
        if one.protocol_id not in ("", *card.protocols) and _is_feature(one.name):
            yield f"{place}.protocol_id", f"is '{short(one.protocol_id)}', which is not among the card's protocols"


def _all_inputs(inputs: Sequence[Input], place: str, depth: int = 0) -> Iterator[tuple[str, Input, int]]:
    """Yield the inputs and their terms, each with its place and how many radscores it lies in."""
    for n, one in enumerate(inputs):
        yield f"{place}[{n}]", one, depth
        yield from _all_inputs(one.terms, f"{place}[{n}].terms", depth + 1)


def _titles(inputs: Sequence[Input], place: str) -> Faults:
    seen: set[str] = set()
    for n, one in enumerate(inputs):
        if one.title in seen:
            yield f"{place}[{n}].title", f"'{short(one.title)}' is another input's already"
        seen.add(one.title)


def _radscore(place: str, one: Input, depth: int) -> Faults:
    if depth >= _DEEPEST:
        yield f"{place}.terms", f"are a radscore within {_DEEPEST} others; at most {_DEEPEST} lie within each other"
    if len(one.coefficients) != len(one.terms):
        yield f"{place}.coefficients", f"are {len(one.coefficients)} for {len(one.terms)} terms; each needs one"
    if one.levels or one.statistic or one.least != 1 or one.protocol_id:
        yield place, "has terms: levels, statistic, least and protocol_id belong to them, not to the radscore"
    yield from _titles(one.terms, f"{place}.terms")


def _measured(place: str, one: Input) -> Faults:
    if one.coefficients or one.intercept:
        yield place, "has coefficients or an intercept but no terms"
    if len(one.levels) > 1 and one.statistic is None:
        yield f"{place}.statistic", f"is missing: {len(one.levels)} levels have to become one number"
    if len(one.levels) < 2 and one.statistic is not None:
        yield f"{place}.statistic", "is of several levels; name at least 2, or remove it"
    if one.least > max(1, len(one.levels)):
        yield f"{place}.least", f"is {one.least}, more than there are levels"


def _is_feature(name: str) -> bool:
    """Return whether a name is a radiomics feature's, e.g. ``original_glcm_Idmn``."""
    parts = name.rsplit("_", 2)
    return len(parts) == 3 and parts[2] in FEATURES.get(parts[1], ())


def _summary(one: Summary, place: str) -> Faults:
    if one.minimum > one.maximum:
        yield place, "has a minimum above its maximum"
    room = _ROUNDING * max(abs(one.minimum), abs(one.maximum))
    for name, value in (("mean", one.mean), *((f"quantiles.{p}", value) for p, value in one.quantiles.items())):
        if not one.minimum - room <= value <= one.maximum + room:
            yield f"{place}.{name}", "lies outside minimum and maximum"
    if _falls(list(one.quantiles.values())):
        yield f"{place}.quantiles", "must not fall where their probabilities rise"


def _falls(values: Sequence[float]) -> bool:
    return any(after < before for before, after in pairwise(values))


def _rises(values: Sequence[float]) -> bool:
    return all(after > before for before, after in pairwise(values))


def _levels(card: ModelCard) -> Faults:
    if card.combination is Combination.PATIENT and card.levels:
        yield "levels", f"are scored one by one, but combination is '{card.combination}': leave them out, or change it"
    if card.combination is not Combination.PATIENT and not card.levels:
        yield "levels", f"are missing: combination '{card.combination}' needs to know which levels are scored"


def _output(card: ModelCard) -> Faults:
    if card.output is Output.PROBABILITY:
        for n, one in enumerate(card.thresholds):
            if not 0 <= one.value <= 1:
                yield f"thresholds[{n}].value", "must be from 0 to 1: the output is a probability"
        return
    if len(card.inputs) != 1 or (card.inputs[0].center, card.inputs[0].scale) != (0, 1):
        yield "inputs", "must be one, with center 0 and scale 1: the output is the input's own value"
    if card.calibration is not None:
        yield "calibration", "is for probabilities: the output is a value"


def _protocols(card: ModelCard) -> Faults:
    for name, values in card.protocols.items():
        place = f"protocols.{short(name)}"
        try:
            found = Protocol.from_dict(values, where="the protocol").id
        except UserError as error:
            raise Misfit(place, f"is not valid ({short(error.what, 200)})") from error
        if found != name:
            yield place, f"has settings that give the id '{short(found)}'"


def _population(one: Population) -> Faults:
    if one.n is not None and one.events is not None and one.events > one.n:
        yield "population.events", f"are {one.events} of {one.n} patients"
    youngest, oldest = one.age
    if youngest is not None and oldest is not None and youngest > oldest:
        yield "population.age", "must be the youngest, then the oldest"
    for name, (_, sd) in one.groups.items():
        if sd < 0:
            yield f"population.groups.{short(name)}", "must be mean and SD; an SD is not below 0"


def _thresholds(thresholds: Sequence[Threshold]) -> Faults:
    if not _rises([one.value for one in thresholds]):
        yield "thresholds", "must be in ascending order of their values, each value once"
    for n, one in enumerate(thresholds):
        for name in ("sensitivity", "specificity"):
            rate = getattr(one, name)
            if rate is not None:
                yield from _interval(rate.value, rate.interval, f"thresholds[{n}].{name}")


def _interval(value: float, interval: tuple[float, float] | None, place: str) -> Faults:
    if interval is not None and not interval[0] <= value <= interval[1]:
        yield f"{place}.interval", "must be the lower and the upper limit, with the value between them"


def _calibration(one: Calibration) -> Faults:
    if one.kind == "logistic":
        if one.x or one.y:
            yield "calibration", "is logistic: x and y belong to isotonic ones"
        return
    if (one.intercept, one.slope) != (0, 1):
        yield "calibration", "is isotonic: intercept and slope belong to logistic ones"
    if len(one.x) != len(one.y) or len(one.x) < 2:
        yield "calibration", f"has {len(one.x)} x and {len(one.y)} y; it needs as many of both, at least 2"
    if not _rises(one.x):
        yield "calibration.x", "must be in ascending order, each once"
    if _falls(one.y):
        yield "calibration.y", "must not fall"
