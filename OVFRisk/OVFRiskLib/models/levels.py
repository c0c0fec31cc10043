"""The results of several levels as one of the patient: their highest, or their mean."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import fmean

from ..anatomy import VertebralLevel
from .card import Combination, ModelCard
from .prediction import Contribution, Prediction
from .remarks import by_reason


def combined(card: ModelCard, each: Mapping[VertebralLevel, Prediction], nothing: Prediction) -> Prediction:
    """Return the patient's result, with a warning which levels took part and which could not.

    Its interval joins the levels' bounds as it joins their values: the widest there is when the levels err together.

    Parameters
    ----------
    card : ModelCard
        Its combination is `MAXIMUM` or `MEAN`.
    each : mapping of VertebralLevel to Prediction
    nothing : Prediction
        The patient's, without a value.
    """
    known = {level: found for level, found in each.items() if found.value is not None}
    lacking = {level: found.reason for level, found in each.items() if level not in known}
    if not known:
        return replace(nothing, missing=_missing(each), reason=by_reason(lacking))
    join = max if card.combination is Combination.MAXIMUM else fmean
    intervals = [found.interval for found in known.values()]
    result = replace(
        nothing,
        value=join([found.value for found in known.values()]),
        interval=None if None in intervals else tuple(join(ends) for ends in zip(*intervals)),
        missing=_missing(each),
    )
    explained = _of_the_highest if card.combination is Combination.MAXIMUM else _of_the_mean
    return explained(result, known, tuple(f"{level} took no part: {why}" for level, why in lacking.items()))


def _missing(each: Mapping[VertebralLevel, Prediction]) -> tuple[str, ...]:
    """Return each text once, behind its levels where it is not of all."""
    levels: dict[str, list[str]] = {}
    for level, found in each.items():
        for text in found.missing:
            levels.setdefault(text, []).append(level)
    return tuple(text if len(at) == len(each) else f"{', '.join(at)} {text}" for text, at in levels.items())


def _of_the_highest(result: Prediction, known: Mapping[VertebralLevel, Prediction], lacking: tuple) -> Prediction:
    level, found = max(known.items(), key=lambda one: one[1].value)
    how = f"the highest of {', '.join(known)}: that of {level}"
    return replace(
        result,
        contributions=found.contributions,
        contribution_scale=found.contribution_scale,
        contribution_method=found.contribution_method and f"{level}, {found.contribution_method}",
        out_of_range=found.out_of_range,
        warnings=(how, *lacking, *found.warnings),
    )


def _of_the_mean(result: Prediction, known: Mapping[VertebralLevel, Prediction], lacking: tuple) -> Prediction:
    first = next(iter(known.values()))
    outside = ((level, one) for level, found in known.items() for one in found.out_of_range)
    own = [text for found in known.values() for text in found.warnings]
    return replace(
        result,
        contributions=_mean([found.contributions for found in known.values()]),
        contribution_scale=first.contribution_scale,
        contribution_method=first.contribution_method and f"mean of the levels, {first.contribution_method}",
        out_of_range=tuple(replace(one, title=f"{level} {one.title}") for level, one in outside),
        warnings=tuple(dict.fromkeys((f"the mean of {', '.join(known)}", *lacking, *own))),
    )


def _mean(each: list[tuple[Contribution, ...]]) -> tuple[Contribution, ...]:
    """Return the mean contributions of one model's inputs, or of one radscore's terms, largest first."""
    found: dict[str, list[Contribution]] = {}
    for one in (one for level in each for one in level):
        found.setdefault(one.title, []).append(one)
    made = [_mean_of_one(of, len(each)) for of in found.values()]
    return tuple(sorted(made, key=lambda one: -abs(one.amount)))


def _mean_of_one(of: list[Contribution], levels: int) -> Contribution:
    return replace(
        of[0],
        value=fmean(one.value for one in of),
        amount=sum(one.amount for one in of) / levels,
        imputed=any(one.imputed for one in of),
        parts=_mean([one.parts for one in of]),
    )
