"""Whether levels carry the right names: their order and spacing, the sacrum below, the ribs, transitional anatomy."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np

from ..anatomy import VertebralLevel
from .image_levels import ImageLevels
from .level_evidence import LevelEvidence, SpineEvidence
from .level_quality import Fault, Finding

L5, L6, T12, T13 = VertebralLevel.L5, VertebralLevel.L6, VertebralLevel.T12, VertebralLevel.T13
TRANSITIONAL = (T13, L6)
_UNEVEN = 1.5  # of the typical distance from one body to the next; 0.8 to 1.2 on the maps looked at
_SLIM = 0.5  # half-width of the column below a body in which the sacrum is looked for, of the body's own
_NEAR = 0.75  # of a step, from the lowest body to the sacrum: no vertebra fits between

Named = Iterator[tuple[VertebralLevel, Finding]]


def numbering(spine: SpineEvidence, false: Collection[VertebralLevel]) -> Named:
    """Judge the levels' names by where they lie; the places of the levels in `false` tell nothing."""
    heights = {level: float(e.centre[2]) for level, e in spine.levels.items() if level not in false}
    disordered = out_of_order(heights)
    for level in disordered:
        yield level, Finding(Fault.ORDER, _place(level, spine, disordered), 0.0)
    silent = {*false, *disordered}
    for above, below in pairwise(spine.chain):
        if above.is_whole and below.is_whole and not {above.level, below.level} & silent:
            yield from _spacing(above, below, spine, silent)
    shift = _rib_shift(spine, silent)
    yield from _from_ribs(shift, spine)
    yield from _transitional(spine, silent)
    lowest = spine.chain[-1]
    if spine.sacrum.size and lowest.level not in silent and not isinstance(lowest.shape, str):
        yield from _sacral(lowest, spine, shift)


def steps_between(upper: VertebralLevel, lower: VertebralLevel, present: Sequence[VertebralLevel]) -> int:
    """Return how many levels `lower` lies below `upper`; T13 and L6 count only where they are `present`."""
    low, high = sorted((upper.rank, lower.rank))
    skipped = sum(low < level.rank < high and level not in present for level in TRANSITIONAL)
    return int(np.sign(lower.rank - upper.rank)) * (high - low - skipped)


def out_of_order(heights: Mapping[VertebralLevel, float]) -> tuple[VertebralLevel, ...]:
    """Return the fewest levels whose removal leaves the rest in order, from head to foot; all of a tie.

    Parameters
    ----------
    heights : mapping
        Cranio-caudal position of each level, mm.
    """
    ordered = sorted(heights, key=lambda level: level.rank)
    wrong: list[VertebralLevel] = []
    while True:
        left = [level for level in ordered if level not in wrong]
        pairs = [pair for pair in combinations(left, 2) if heights[pair[0]] <= heights[pair[1]]]
        if not pairs:
            return tuple(level for level in ordered if level in wrong)
        count = Counter(level for pair in pairs for level in pair)
        wrong += [level for level in left if count[level] == max(count.values())]


def _place(level: VertebralLevel, spine: SpineEvidence, disordered: Sequence[VertebralLevel]) -> str:
    chain = [e.level for e in spine.chain]
    place = chain.index(level)
    above = [v for v in chain[:place] if v not in disordered]
    below = [v for v in chain[place + 1 :] if v not in disordered]
    where = " and ".join([f"below {v}" for v in above[-1:]] + [f"above {v}" for v in below[:1]])
    return f"does not lie in its place along the spine{': it lies ' + where if where else ''}; levels may be swapped"


def _spacing(
    above: LevelEvidence, below: LevelEvidence, spine: SpineEvidence, silent: Collection[VertebralLevel]
) -> Named:
    """Compare the distance of neighbours with the number of levels between their names."""
    step = spine.step(above.level)
    named = steps_between(above.level, below.level, [level for level in spine.levels if level not in silent])
    ratio = float(np.linalg.norm(above.centre - below.centre)) / step
    if named == 1 and ratio > _UNEVEN:
        text = f"{ratio:.1f} times the usual distance between {above.level} and {below.level}: is a vertebra missing?"
        finding = Finding(Fault.GAP, text, 0.5)
    elif named > 1 and ratio < _UNEVEN:
        text = f"{above.level} and {below.level} lie next to each other, but their names do not: a level was skipped"
        finding = Finding(Fault.SHIFTED, text, 0.5)
    elif named > 1 and (missing := _missing(above.level, below.level, spine)):
        text = f"{missing} between {above.level} and {below.level} is not labelled"
        finding = Finding(Fault.GAP, text, 0.9)
    else:
        return
    yield above.level, finding
    yield below.level, finding


def _missing(upper: VertebralLevel, lower: VertebralLevel, spine: SpineEvidence) -> str:
    between = [v for v in VertebralLevel if upper.rank < v.rank < lower.rank and v not in TRANSITIONAL]
    return ", ".join(v for v in between if v not in spine.levels)


def _rib_shift(spine: SpineEvidence, silent: Collection[VertebralLevel]) -> int | None:
    """Return how many levels too low the vertebrae are named by the lowest ribs; None where no rib is labelled."""
    shifts = [
        steps_between(rib, level, list(spine.levels))
        for rib, level in spine.rib_levels.items()
        if rib.rank >= VertebralLevel.T10.rank and level not in silent  # heads of higher ribs lie between two vertebrae
    ]
    return Counter(shifts).most_common(1)[0][0] if shifts else None


def _from_ribs(shift: int | None, spine: SpineEvidence) -> Named:
    if not shift:
        return
    ribs = ", ".join(f"rib {rib[1:]} at {level}" for rib, level in spine.rib_levels.items())
    way = "too low" if shift > 0 else "too high"
    for level in spine.levels:
        yield level, Finding(Fault.SHIFTED, f"named {_times(abs(shift))} {way} by the ribs ({ribs})", 0.3)


def from_image(spine: SpineEvidence, image: ImageLevels, false: Collection[VertebralLevel]) -> Named:
    """Compare the levels' names with those that the CT gives to the bodies at the same places.

    A map that names T13 or L6 counts otherwise than the image can, and is left alone.
    """
    if any(level in spine.levels for level in TRANSITIONAL):
        return
    shown = {level: image.at(e.centre) for level, e in spine.levels.items() if level not in false}
    shifts = [steps_between(there, level, ()) for level, there in shown.items() if there]
    shift, count = Counter(shifts).most_common(1)[0] if shifts else (0, 0)
    if not shift or 2 * count <= len(shifts):
        return
    example = next(v for v, there in shown.items() if there and steps_between(there, v, ()) == shift)
    text = (
        f"all levels are named {_times(abs(shift))} too {'low' if shift > 0 else 'high'}: the image shows "
        f"{shown[example]} at {example} ({image.source}); or a transitional vertebra: count from the head"
    )
    for level in spine.levels:
        yield level, Finding(Fault.SHIFTED, text, 0.4)


def _transitional(spine: SpineEvidence, silent: Collection[VertebralLevel]) -> Named:
    for level, text in (
        (T13, "a thirteenth thoracic vertebra (T13): transitional anatomy"),
        (L6, "a sixth lumbar vertebra (L6): transitional anatomy"),
    ):
        if level in spine.levels and level not in silent:
            yield level, Finding(Fault.TRANSITIONAL, text, 1.0)


def _sacral(lowest: LevelEvidence, spine: SpineEvidence, shift: int | None) -> Named:
    """Count from the sacrum: the lowest free vertebra is L5, unless L6 is free or L5 part of the sacrum."""
    gap, step = _gap_to_sacrum(lowest, spine), spine.step(lowest.level)
    if gap is None or step is None or lowest.level is L6:
        return
    between = 0 if gap < _NEAR * step else round(gap / step)
    missing = steps_between(lowest.level, L5, ()) - between
    if missing == 1 and shift == 0:
        text = "the ribs number it, and it stands on the sacrum: L5 is sacralised (transitional anatomy)"
        yield lowest.level, Finding(Fault.TRANSITIONAL, text, 1.0)
    elif missing:
        text = f"by the sacrum, {lowest.level} is named {_times(abs(missing))} too {'high' if missing > 0 else 'low'}"
        if missing == 1:
            text += ", or L5 is sacralised: count from the head or the ribs"
        for level in spine.levels:
            yield level, Finding(Fault.SHIFTED, text, 0.4)


def _gap_to_sacrum(lowest: LevelEvidence, spine: SpineEvidence) -> float | None:
    """Return the distance from the lower end plate to the sacrum straight below, mm; None where that is not seen."""
    shape = lowest.shape
    points = shape.frame.from_ras(spine.sacrum)
    half = _SLIM * float(np.ptp(shape.x[np.isfinite(shape.top).any(axis=1)])) / 2
    under = (np.abs(points[:, 0]) <= half) & (points[:, 1] >= shape.posterior) & (points[:, 1] <= shape.anterior)
    under &= points[:, 2] < 0
    return float(-lowest.height / 2 - points[under, 2].max()) if under.any() else None


def _times(count: int) -> str:
    return "one level" if count == 1 else f"{count} levels"
