"""What an unusual part of a body's region is likely to be, from its place and its signal on the sequences there are."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from ..image import Modality
from .exclusions_signal import Chart, Contrast, means

T1, T2, STIR = Modality.T1, Modality.T2, Modality.STIR
_ALIKE = 0.4  # of what it takes to be noticed: on the other sequences the same direction is enough
_ZONE_HEIGHT = 0.3  # of the region's height, to both sides of its middle: where the basivertebral veins run
_ZONE_DEPTH = 0.6  # of its depth, from the back
_IN_ZONE = 0.6  # of a part
_AT_BACK_MM = 4.0
_AT_PLATE_MM = 1.5
_PLATE_WIDTH_MM = 3.0  # a part shares this much of its edge with the region's upper or lower one
_DISC_MM = (8.0, 11.0)  # beyond the region's edge: 4 mm of bone, the plate, then disc
_NECK_MM = (1.0, 4.0)  # beyond the region's edge: marrow, as the region keeps 4 mm from the body's
_DISC_CONTRAST = 0.1  # of the marrow's signal: a disc that is less different tells nothing
_WIDEST_NODE = 0.75  # of the region's depth: wider changes are of the end plate
_PLATE = 0.8  # of marrow, disc and neck, whichever is darkest: on T2 and STIR an intact end plate is darker still


class ExclusionKind(StrEnum):
    """What a part of a body's region is that is left out."""

    PLEXUS = "basivertebral plexus"
    HAEMANGIOMA = "haemangioma"
    SCLEROSIS = "sclerosis"
    SCHMORL = "Schmorl's node"
    OTHER = "other"  # drawn by a reader


def kind_of(chart: Chart, contrasts: Mapping[Modality, Contrast], part: np.ndarray) -> tuple[ExclusionKind | None, str]:
    """Return the kind of a part, and a note; no kind where it is to be looked at, but not left out."""
    mean = means(contrasts, part)
    seen = _seen(mean)
    if _in_vein_zone(chart, part):
        return ExclusionKind.PLEXUS, seen
    if _is_node(chart, contrasts, part):
        return ExclusionKind.SCHMORL, f"open to the disc; {seen}"
    if _is_fat(mean):
        at_plate = ", at the end plate: Modic 2?" if _at_plate(chart, part) else ""
        return ExclusionKind.HAEMANGIOMA, f"or focal fat{at_plate}; {seen}"
    if _is_sclerosis(mean):
        return ExclusionKind.SCLEROSIS, f"{seen}{', at the end plate: Modic 3?' if _at_plate(chart, part) else ''}"
    if mean.get(STIR, 0.0) >= 1 or (mean.get(T2, 0.0) >= 1 and mean.get(T1, 0.0) <= -_ALIKE):
        where = "at the end plate: Modic 1, or an acute fracture?" if _at_plate(chart, part) else "an acute fracture?"
        return None, f"oedema ({seen}), not left out; {where}"
    return None, f"a part is {seen}: not known what it is, not left out"


def _seen(mean: Mapping[Modality, float]) -> str:
    """Say what a reader sees, e.g. ``bright on T1 and T2``."""
    bright = [str(sequence) for sequence, value in mean.items() if value >= _ALIKE]
    dark = [str(sequence) for sequence, value in mean.items() if value <= -_ALIKE]
    said = (f"{word} on {' and '.join(found)}" for word, found in (("bright", bright), ("dark", dark)) if found)
    return ", ".join(said) or "hardly different"


def _is_fat(mean: Mapping[Modality, float]) -> bool:
    """Haemangiomas and focal fat are bright on T1 and T2; without T1, bright on T2 but not on STIR."""
    if T1 in mean:
        return mean[T1] >= _ALIKE and mean.get(T2, 1.0) >= _ALIKE
    return T2 in mean and STIR in mean and mean[T2] >= _ALIKE and mean[STIR] < _ALIKE


def _is_sclerosis(mean: Mapping[Modality, float]) -> bool:
    """Dark on T1 and T2 and not bright on STIR; dark on T1 alone might be oedema or tumour, on STIR alone fat."""
    told = T2 in mean or (T1 in mean and STIR in mean)
    return told and all(mean[s] <= -_ALIKE for s in (T1, T2) if s in mean) and mean.get(STIR, 0.0) < _ALIKE


def _in_vein_zone(chart: Chart, part: np.ndarray) -> bool:
    """Whether a part lies at mid-height and reaches the back, where the basivertebral veins leave the body."""
    inside = chart.inside
    height, depth = np.ptp(chart.height[inside]), chart.ahead[inside].max()
    zone = (np.abs(chart.height) <= _ZONE_HEIGHT * height) & (chart.ahead <= _ZONE_DEPTH * depth)
    return bool(np.mean(zone[part]) > _IN_ZONE and chart.ahead[part].min() <= _AT_BACK_MM)


def _edge(chart: Chart, part: np.ndarray, side: int) -> np.ndarray:
    """Return the part's places that lie at the region's upper (1) or lower (-1) edge, shape (n, 2), mm."""
    places = chart.points[part]
    beyond = places + side * _AT_PLATE_MM * chart.up
    u, v = (np.rint((beyond[:, n] - chart.axes[n][0]) / (chart.axes[n][1] - chart.axes[n][0])) for n in range(2))
    return places[~chart.inside[u.astype(int), v.astype(int)]]


def _width(chart: Chart, places: np.ndarray) -> float:
    forward = places @ np.array([chart.up[1], -chart.up[0]])
    return float(np.ptp(forward)) if forward.size else 0.0


def _at_plate(chart: Chart, part: np.ndarray) -> int:
    """Return 1 at the upper, -1 at the lower end plate, 0 elsewhere."""
    widths = {side: _width(chart, _edge(chart, part, side)) for side in (1, -1)}
    side = max(widths, key=widths.get)
    return side if widths[side] >= _PLATE_WIDTH_MM and _upright(chart, part, side) else 0


def _upright(chart: Chart, part: np.ndarray, side: int) -> bool:
    """Whether the edge is that of an end plate: the front and back edges lie at mid-height, too."""
    heights = side * (_edge(chart, part, side) @ chart.up - (chart.points[chart.inside] @ chart.up).mean())
    return bool(np.median(heights) > 0.25 * np.ptp(chart.height[chart.inside]))


def _is_node(chart: Chart, contrasts: Mapping[Modality, Contrast], part: np.ndarray) -> bool:
    """Whether a part opens into the disc: what lies between it and the disc is disc, not marrow and an end plate.

    The part itself tells less, because a node may have a rim of dense bone; but on T1 it is dark. T1 alone does not
    tell a node from oedema.
    """
    if means(contrasts, part).get(T1, -1.0) > -_ALIKE or set(contrasts) == {T1}:
        return False
    side = _at_plate(chart, part)
    if not side or _width(chart, chart.points[part]) > _WIDEST_NODE * chart.ahead[chart.inside].max():
        return False
    start = _edge(chart, part, side).mean(axis=0)
    alike, closed = [], False
    for contrast in contrasts.values():
        disc = _along(chart, contrast, start, side, _DISC_MM).mean()
        neck = _along(chart, contrast, start, side, _NECK_MM).mean()
        way = _along(chart, contrast, start, side, (_NECK_MM[0], _DISC_MM[0]))
        alike.append(abs(neck - disc) < abs(neck - 1) and abs(disc - 1) > _DISC_CONTRAST)
        closed |= contrast.sequence is not T1 and bool(np.any(way < _PLATE * min(neck, 1.0, disc)))
    return sum(alike) > len(alike) / 2 and not closed


def _along(chart: Chart, contrast: Contrast, start: np.ndarray, side: int, between: tuple[float, float]) -> np.ndarray:
    """Return the sequence's values at distances between two, mm, on the way from `start` over the end plate."""
    distances = np.arange(*between, 0.5)
    places = start + side * distances[:, None] * chart.up
    index = [np.rint((places[:, n] - chart.axes[n][0]) / (chart.axes[n][1] - chart.axes[n][0])) for n in range(2)]
    u, v = (np.clip(i, 0, size - 1).astype(int) for i, size in zip(index, contrast.values.shape))
    return contrast.values[u, v]
