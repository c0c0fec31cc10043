"""Finding a calibration phantom's rods in a CT: straight discs in slice after slice, outside the patient."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..image import Volume
from .discs import Disc, faint_discs, find_discs, grid_step, seen_again

_CHECKS = 24  # heights at which a rod is compared with itself
_FEWEST = 2  # rods of a phantom: one is no calibration
_MOST_RODS = 12
_MOST_DISCS = 30  # in one slab
_SLABS = 9  # heights at which discs are looked for
_SLAB_MM = 5.0  # averaged: less noise, and rods that stand 30 degrees off still look round
_UNEVEN_SHARE, _UNEVEN_HU = 0.15, 12.0  # in the core of the mean of all slices: share of the contrast, or HU
_GAP = 1.15  # between the centres of two rods, in sums of their radii
_MOST_RADII = 1.5  # between the rods of a phantom, largest over smallest
_STEEPEST = 0.7  # mm sideways per mm along the slices' axis: 35 degrees
_LEAST_SHARE = 0.4  # of the slabs: a phantom may be shorter than the scan
_OBLIQUE_MM = 80.0  # in fewer slices, chance lines up discs in any direction
_LEAST_MM = 20.0  # shorter than that, a disc is no rod
_FAINT_OFF_MM = 3.0  # off the straight row, of a rod that only its neighbours tell of
_ROW_MM = 12.0  # off the row: rods may lie on a shallow arc
_SAME_RADIUS = 0.25  # share by which the radius may vary between slabs
_SAME_HU = 10.0  # and the attenuation, besides noise


@dataclass(frozen=True)
class RodLine:
    """A straight rod through the slices.

    Parameters
    ----------
    start, slope : ndarray, shape (2,)
        Centre at slice 0 and its change a slice, mm along i and j of the CT.
    radius : float
        In the slice, mm.
    first, last : int
        Slices where it is seen.
    """

    start: np.ndarray
    slope: np.ndarray
    radius: float
    first: int
    last: int

    @property
    def middle(self) -> np.ndarray:
        """The centre halfway along, mm along i and j."""
        return self.start + self.slope * (self.first + self.last) / 2

    def centres(self, slices: np.ndarray) -> np.ndarray:
        """Return the centre in each slice, mm along i and j, shape (n, 2)."""
        return self.start + np.asarray(slices, dtype=float)[:, None] * self.slope


def find_rods(ct: Volume) -> tuple[RodLine, ...]:
    """Return the rods of a calibration phantom in a CT, in no order; none where there is no phantom.

    A rod is a disc of 5 to 20 mm, even inside and clearly off an even surrounding, that goes straight through most
    of the slices with one attenuation and lies within 25 mm of the air. It may stand up to 35 degrees off the slices'
    axis.

    Parameters
    ----------
    ct : Volume
        Its slices (k) across the table.
    """
    upright = _alike(_steady(ct, np.zeros(2)))
    if len(upright) >= _FEWEST:  # rods lie on the table, and the slices mostly stand across it
        return tuple(upright)
    if len(ct.array) * ct.spacing[2] < _OBLIQUE_MM:
        return ()
    slabs = [(middle, find_discs(image, ct.spacing[:2])[:_MOST_DISCS]) for middle, image in _slabs(ct, _SLABS)]
    oblique = _joined(slabs, ct)
    if not _FEWEST <= len(oblique) <= _MOST_RODS:
        return ()
    slope = np.mean([rod.slope for rod in oblique], axis=0)
    rods = _alike([found for rod in oblique if (found := _confirmed(ct, rod, slope))])
    return tuple(rods) if len(rods) >= _FEWEST else ()


def _confirmed(ct: Volume, rod: RodLine, slope: np.ndarray) -> RodLine | None:
    """Return the rod as seen in the mean along it, in its own slices; None if it is none there."""
    near = [
        found
        for found in _steady(ct, slope, rod.first, rod.last, rod.middle[None])
        if np.hypot(*(found.middle - rod.middle)) <= rod.radius
    ]
    return near[0] if near else None


def _steady(
    ct: Volume, slope: np.ndarray, start: int = 0, end: int | None = None, near: np.ndarray | None = None
) -> list[RodLine]:
    """Return the rods along one direction (mm a slice): discs of the mean along it that most slices share."""
    end = len(ct.array) - 1 if end is None else end
    home = (start + end) / 2  # slice where the discs' places hold
    slabs = [slab for slab in _slabs(ct, _CHECKS) if start <= slab[0] <= end]
    slabs = [(middle, _moved(image, -slope * (middle - home), ct)) for middle, image in slabs]
    if not slabs:
        return []
    usual = np.mean([image for _, image in slabs], axis=0)

    def seen(discs: list[Disc]) -> list[RodLine]:
        rods = [_through(disc, slabs, ct, slope, (start, end)) for disc in discs]
        return [rod for rod in rods if rod]

    found = seen(find_discs(usual, ct.spacing[:2], near))
    row = _alike(found) if near is None else []
    if len(row) < _FEWEST:
        return found
    places, radius = np.array([rod.middle for rod in row]), float(np.median([rod.radius for rod in row]))
    for faint in seen(faint_discs(usual, ct.spacing[:2], places[[0, -1]], radius, _FAINT_OFF_MM)):
        if _all_apart([*row, faint], list(range(len(row) + 1))):
            row.append(faint)
    return row


def _through(
    disc: Disc, slabs: list[tuple[float, np.ndarray]], ct: Volume, slope: np.ndarray, ends: tuple[int, int]
) -> RodLine | None:
    """Return the rod that shows a disc of the mean in most slabs; None if there is none."""
    if disc.noise > max(_UNEVEN_SHARE * abs(disc.contrast), _UNEVEN_HU):
        return None
    run = _run([seen_again(image, ct.spacing[:2], disc) for _, image in slabs], disc, ct)
    if run is None:
        return None
    first = ends[0] if run[0] == 0 else int(slabs[run[0]][0])
    last = ends[1] if run[1] == len(slabs) - 1 else int(slabs[run[1]][0])
    return RodLine(disc.centre - slope * (ends[0] + ends[1]) / 2, slope, disc.radius, first, last)


def _alike(rods: list[RodLine]) -> list[RodLine]:
    """Return the rods that lie on one line or shallow arc across the table, if there are several of them."""
    if len(rods) < 3:
        return rods
    centres = np.array([rod.middle for rod in rods])
    best: list[int] = []
    for a in range(len(rods)):
        for b in range(a):
            along = (centres[a] - centres[b]) / np.hypot(*(centres[a] - centres[b]))
            off = np.abs((centres - centres[a]) @ np.array([-along[1], along[0]]))
            row = [n for n in np.flatnonzero(off <= _ROW_MM) if _sizes_agree(rods[n], rods[a])]
            best = max(best, row, key=len)
    return [rods[n] for n in best] if _all_apart(rods, best) else []


def _sizes_agree(rod: RodLine, other: RodLine) -> bool:
    return max(rod.radius, other.radius) <= _MOST_RADII * min(rod.radius, other.radius)


def _all_apart(rods: list[RodLine], row: list[int]) -> bool:
    """Whether no two overlap: pieces of one edge or sheet do."""
    return all(
        np.hypot(*(rods[a].middle - rods[b].middle)) >= _GAP * (rods[a].radius + rods[b].radius)
        for a in row
        for b in row
        if a < b
    )


def _moved(image: np.ndarray, shift: np.ndarray, ct: Volume) -> np.ndarray:
    """Shift an image by mm along i and j; what comes from outside is air."""
    if not shift.any():
        return image
    return ndimage.shift(image, (shift / ct.spacing[:2])[::-1], order=1, mode="constant", cval=-1000.0)


def _run(seen: list[Disc | None], disc: Disc, ct: Volume) -> tuple[int, int] | None:
    """Return the first and last slab of the longest run that shows the disc; None if it is short."""
    same = np.array([d is not None and abs(d.hu - disc.hu) <= _SAME_HU + 0.2 * d.noise for d in seen])
    same = ndimage.binary_closing(np.pad(same, 2, mode="edge"))[2:-2] if same.size > 2 else same
    labels, count = ndimage.label(same)
    runs = [np.flatnonzero(labels == n + 1) for n in range(count)]
    longest = max(runs, key=len, default=np.zeros(0, dtype=int))
    length = longest.size / len(seen) * len(ct.array) * ct.spacing[2]
    if longest.size < _LEAST_SHARE * len(seen) or length < min(_LEAST_MM, 0.5 * len(ct.array) * ct.spacing[2]):
        return None
    return int(longest[0]), int(longest[-1])


def _slabs(ct: Volume, most: int) -> list[tuple[float, np.ndarray]]:
    """Return the middle slice and the mean image of thin slabs spread over the CT."""
    count, thick = len(ct.array), max(round(_SLAB_MM / ct.spacing[2]), 1)
    starts = np.unique(np.linspace(0, max(count - thick, 0), most).round().astype(int))
    return [(s + (thick - 1) / 2, ct.array[s : s + thick].mean(axis=0, dtype=np.float32)) for s in starts]


def _joined(slabs: list[tuple[float, list[Disc]]], ct: Volume) -> list[RodLine]:
    """Join the discs of the slabs to straight lines; each disc belongs to one line at most, the longest."""
    discs = [(n, disc) for n, (_, found) in enumerate(slabs) for disc in found]
    if not discs:
        return []
    lines = sorted(_hypotheses(slabs, discs, ct), key=lambda found: (-len(found[0]), found[1], found[0]))
    rods, used = [], set()
    for members, _ in lines:
        if used.isdisjoint(members):
            used |= set(members)
            rods.append(_line([(slabs[discs[m][0]][0], discs[m][1]) for m in members], slabs, ct))
    return _apart(rods, ct)


def _hypotheses(slabs: list, discs: list[tuple[int, Disc]], ct: Volume) -> list[tuple[tuple[int, ...], float]]:
    """Return the like discs on the straight line through every two that are far apart, with their scatter (mm)."""
    reach = max(1.5, 0.75 * grid_step(ct.spacing[:2]))  # mm: how well a disc's centre is known
    slab = np.array([n for n, _ in discs])
    height = np.array([slabs[n][0] for n in slab]) * ct.spacing[2]
    centre = np.array([disc.centre for _, disc in discs])
    least = max(min(2, len(slabs)), int(np.ceil(_LEAST_SHARE * len(slabs))))
    if len(slabs) == 1:
        return [((m,), 0.0) for m in range(len(discs))]
    found = {}
    for a, b in zip(*np.nonzero(slab[None, :] - slab[:, None] >= max(1, (least - 1) // 2)), strict=True):
        slope = (centre[b] - centre[a]) / (height[b] - height[a])
        if np.hypot(*slope) > _STEEPEST or not discs[a][1].like(discs[b][1], _SAME_RADIUS, _SAME_HU):
            continue
        off = np.hypot(*(centre - centre[a] - slope * (height - height[a])[:, None]).T)
        near = [m for m in np.argsort(off) if off[m] <= reach and discs[a][1].like(discs[m][1], _SAME_RADIUS, _SAME_HU)]
        members = tuple(sorted(dict(zip(slab[near][::-1], near[::-1], strict=True)).values()))
        long_enough = np.ptp(height[list(members)]) >= min(_LEAST_MM, 0.5 * len(ct.array) * ct.spacing[2])
        if len(members) >= least and long_enough:
            found[members] = float(off[list(members)].mean())
    return list(found.items())


def _line(seen: list[tuple[float, Disc]], slabs: list, ct: Volume) -> RodLine:
    heights = np.array([middle for middle, _ in seen])
    centres = np.array([disc.centre for _, disc in seen])
    fit = np.polyfit(heights, centres, 1) if len(seen) > 1 else np.array([[0.0, 0.0], centres[0]])
    middles = [middle for middle, _ in slabs]
    half = (middles[1] - middles[0]) / 2 if len(middles) > 1 else 0.0
    last = len(ct.array) - 1
    first = 0 if heights[0] == middles[0] else int(np.ceil(heights[0] - half / 2))
    end = last if heights[-1] == middles[-1] else int(heights[-1] + half / 2)
    radius = float(np.median([disc.radius for _, disc in seen]))
    return RodLine(fit[1], fit[0], radius, first, end)


def _apart(rods: list[RodLine], ct: Volume) -> list[RodLine]:
    """Drop a line that lies within another, and lines that are not parallel to most (they all lie in one pad)."""
    if not rods:
        return []
    slopes = np.array([rod.slope for rod in rods]) / ct.spacing[2]
    common = np.array([np.sum(np.hypot(*(slopes - s).T) < 0.06) for s in slopes])
    kept: list[RodLine] = []
    for n in np.argsort(-common, kind="stable"):
        rod, middle = rods[n], np.array([len(ct.array) / 2])
        parallel = np.hypot(*(slopes[n] - slopes[np.argmax(common)])) < 0.06
        gaps = [np.hypot(*(rod.centres(middle) - other.centres(middle))[0]) - other.radius for other in kept]
        if parallel and all(gap > 0 for gap in gaps):
            kept.append(rod)
    return kept
