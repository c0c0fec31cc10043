"""What a label map tells of each vertebra, measured once: place, sizes, pieces, contacts, symmetry, attenuation."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy import ndimage

from ..anatomy import RIBS, Compartment, Region, Structure, VertebralLevel
from ..body_shape import BodyShape
from ..image import LabelMap, Mask, Volume
from ..level_frame import thickest_point
from .rib_levels import rib_levels

GROWTH = 1.02  # of every length from one level to the next below: 1.035 at T4 to T12, 1.015 at L1 to L5 (Panjabi 1992)
_NEIGHBOURS = 4  # that let expect a size
_ODD = 0.4  # from the median of all: a fragment or a merged label lets expect nothing
STEP_OF_HEIGHT = 1.4  # body and disc against the body alone; 1.2 to 1.7 on real masks, which leave out end plates
CORE_SHARE = 0.6  # of the typical greatest depth: bodies are that thick, arches and processes are not
_PIECE_SHARE = 0.05  # a second piece larger than this share of the vertebra is worth a word
_INSIDE_MM = 1.5  # so far below a body's end plates nothing else may lie
_INTERIOR_MM = 4.0  # where trabecular attenuation is read


@dataclass(frozen=True)
class LevelEvidence:
    """What is measured of one label.

    Parameters
    ----------
    level : VertebralLevel
    mask : Mask
        Cropped to the label.
    shape : BodyShape or str
        Its body, or why there is none.
    centre : ndarray, shape (3,)
        Of the body, RAS mm.
    volume : float
        mm³.
    edge : ndarray of bool, shape (k, j, i)
        Where the label lies in the image's outermost voxels.
    """

    level: VertebralLevel
    mask: Mask
    shape: BodyShape | str
    centre: np.ndarray
    volume: float
    edge: np.ndarray

    @cached_property
    def height(self) -> float | None:
        """Median height of the body on the mid-sagittal band, mm."""
        if isinstance(self.shape, str):
            return None
        top, bottom = self.shape.band()
        return float(np.nanmedian(top - bottom))

    @cached_property
    def footprint(self) -> float:
        """Area of the body seen from above, mm²; zero without a body."""
        if isinstance(self.shape, str):
            return 0.0
        step = self.shape.x[1] - self.shape.x[0]
        return float(np.count_nonzero(np.isfinite(self.shape.top)) * step**2)

    @cached_property
    def is_cut(self) -> bool:
        """Whether the body reaches the border of the image (arch and processes may)."""
        if not self.edge.any() or isinstance(self.shape, str):
            return bool(self.edge.any())
        points = self.shape.frame.from_ras(self.mask.to_ras(np.argwhere(self.edge)[:, ::-1]))
        return bool(np.any(points[:, 1] >= self.shape.wall_at(points[:, 2])))

    @property
    def is_whole(self) -> bool:
        """Whether there is a body, not cut by the image's border."""
        return not isinstance(self.shape, str) and not self.is_cut

    @cached_property
    def depth(self) -> np.ndarray:
        """Distance of each voxel's centre to the nearest one outside, mm."""
        padded = np.pad(self.mask.array, 1)
        return ndimage.distance_transform_edt(padded, sampling=self.mask.spacing[::-1])[1:-1, 1:-1, 1:-1]

    @property
    def extent(self) -> float:
        """Size of the label's box from head to foot, mm."""
        corners = self.mask.to_ras(np.argwhere(np.ones((2, 2, 2)))[:, ::-1] * np.array(self.mask.array.shape[::-1]))
        return float(np.ptp(corners[:, 2]))

    @cached_property
    def pieces(self) -> int:
        """Number of separate pieces worth a word."""
        sizes = np.bincount(ndimage.label(self.mask.array, structure=np.ones((3, 3, 3)))[0].ravel())[1:]
        return int(np.count_nonzero(sizes >= _PIECE_SHARE * sizes.sum()))

    @cached_property
    def symmetry(self) -> float | None:
        """Share of the label whose mirror image on the mid-sagittal plane is labelled, too (0-1)."""
        if isinstance(self.shape, str):
            return None
        points = self.shape.frame.from_ras(self.mask.to_ras(np.argwhere(self.mask.array)[:, ::-1]))
        kji = np.rint(self.mask.to_ijk(self.shape.frame.to_ras(points * [-1, 1, 1])))[:, ::-1]
        return float(ndimage.map_coordinates(self.mask.array.astype(np.uint8), kji.T, order=0).mean())

    def bodies(self, typical_depth: float) -> list[np.ndarray]:
        """Return the middle (RAS mm) of each thick part: of one body, as a rule."""
        cores, _ = ndimage.label(self.depth >= CORE_SHARE * typical_depth)
        sizes = np.bincount(cores.ravel(), minlength=2)[1:]
        large = np.flatnonzero(sizes >= max(0.25 * sizes.max(), 1)) + 1
        return [self.mask.to_ras(np.argwhere(cores == n).mean(axis=0)[::-1]) for n in large]

    def attenuation(self, ct: Volume) -> tuple[float, float] | None:
        """Return the mean HU well inside and what 95 % of the label stay below; None where it is too thin."""
        inside = self.depth[self.mask.array] >= _INTERIOR_MM
        if not inside.any():
            return None
        ijk = ct.to_ijk(self.mask.to_ras(np.argwhere(self.mask.array)[:, ::-1]))
        hu = ct.array[tuple(np.rint(ijk).astype(int)[:, ::-1].T)]
        return float(hu[inside].mean()), float(np.percentile(hu, 95))


@dataclass(frozen=True)
class SpineEvidence:
    """All labels of a map, and what they share.

    Parameters
    ----------
    levels : mapping of VertebralLevel to LevelEvidence
        Named from head to foot; without the sacrum's S1.
    contacts : mapping of frozenset of two VertebralLevel to float
        Area over which two bodies touch, mm²; only where they do.
    intruders : mapping of (level, host) to float
        Volume of `level` inside the body of `host`, mm³.
    sacrum : ndarray, shape (n, 3)
        Voxels of the sacrum and S1, RAS mm.
    rib_levels : mapping of VertebralLevel to VertebralLevel
        Which vertebra (value) the rib of each number (key) meets.
    """

    levels: Mapping[VertebralLevel, LevelEvidence]
    contacts: Mapping[frozenset, float]
    intruders: Mapping[tuple[VertebralLevel, VertebralLevel], float]
    sacrum: np.ndarray
    rib_levels: Mapping[VertebralLevel, VertebralLevel]

    @cached_property
    def axis(self) -> np.ndarray:
        """Unit direction from the lowest to the uppermost level, RAS."""
        way = self.chain[0].centre - self.chain[-1].centre if len(self.chain) > 1 else np.array([0.0, 0.0, 1.0])
        return way / np.linalg.norm(way)

    def expected(
        self, level: VertebralLevel, name: str, power: int, without: Collection[VertebralLevel] = ()
    ) -> float | None:
        """Return what the nearest whole levels but `level` and `without` let expect of a size; None without any.

        Sizes grow with the place in the chain, whatever the names; `power` is 1 for a length, 3 for a volume.
        """
        others = [e for e in self.chain if e.level != level and e.level not in without and not e.is_cut]
        others = sorted(others, key=lambda e: abs(self._place[e.level] - self._place[level]))
        sizes = [size / self._growth(level, e.level, power) for e in others if (size := getattr(e, name))]
        usual = [size for size in sizes if abs(size / np.median(sizes) - 1) < _ODD]
        return float(np.median((usual or sizes)[:_NEIGHBOURS])) if sizes else None

    def _growth(self, level: VertebralLevel, other: VertebralLevel, power: int) -> float:
        """Return by which factor a size at `other` is that at `level`."""
        return GROWTH ** (power * (self._place[other] - self._place[level]))

    @cached_property
    def _place(self) -> dict[VertebralLevel, int]:
        return {e.level: n for n, e in enumerate(self.chain)}

    @cached_property
    def chain(self) -> tuple[LevelEvidence, ...]:
        """The levels as they lie, from head to foot."""
        return tuple(sorted(self.levels.values(), key=lambda e: -e.centre[2]))

    @cached_property
    def depth(self) -> float:
        """Typical greatest depth inside a label, mm."""
        return float(np.median([e.depth.max() for e in self.levels.values()]))

    def step(self, level: VertebralLevel) -> float | None:
        """Return the typical distance from one body to the next at `level`, mm; None where no body is seen."""
        heights = [e.height / self._growth(level, e.level, 1) for e in self.chain if e.height]
        steps = [
            float(np.linalg.norm(a.centre - b.centre)) / self._growth(level, a.level, 1)
            for a, b in pairwise(self.chain)
            if a.is_whole and b.is_whole
        ]
        if len(steps) >= 3:
            return float(np.median(steps))
        return STEP_OF_HEIGHT * float(np.median(heights)) if heights else None


def gather(labels: LabelMap, shapes: Mapping[VertebralLevel, BodyShape | str]) -> SpineEvidence:
    """Measure every vertebra of a label map.

    `labels` may name the sacrum and the ribs, which number the levels; `shapes` from `body_shapes`, of all to judge.
    """
    known = {*shapes, VertebralLevel.S1}
    wanted = (r for r in labels.regions if r.part in (Structure.SACRUM, *RIBS) or _bone(r, known))
    labels = labels.cropped(labels.mask(*wanted).box(margin=1))  # what now lies at the border lay there before
    order = [level for level in shapes if level is not VertebralLevel.S1]
    index = _indexed(labels, order)
    boxes = ndimage.find_objects(index, len(order))
    levels = {v: _measured(v, labels, index == n + 1, boxes[n], shapes[v]) for n, v in enumerate(order) if boxes[n]}
    sacrum = labels.mask(Region(Structure.SACRUM), *(Region(part, VertebralLevel.S1) for part in Compartment))
    return SpineEvidence(
        levels,
        _contacts(index, order, labels, levels),
        _intruders(index, order, labels, levels),
        sacrum.to_ras(np.argwhere(sacrum.array)[:, ::-1]),
        rib_levels(labels, {level: e.mask for level, e in levels.items()}),
    )


def _bone(region: Region, levels: set[VertebralLevel]) -> bool:
    return isinstance(region.part, Compartment) and region.level in levels


def _indexed(labels: LabelMap, order: list[VertebralLevel]) -> np.ndarray:
    """Return each voxel's 1 + place of its vertebra in `order`, zero elsewhere."""
    index = np.zeros(labels.array.shape, dtype=np.uint8)
    for value, region in labels.labels.items():
        if _bone(region, set(order)):
            index[labels.array == value] = order.index(region.level) + 1
    return index


def _measured(
    level: VertebralLevel, labels: LabelMap, array: np.ndarray, box: tuple[slice, ...], shape: BodyShape | str
) -> LevelEvidence:
    edge = array.copy()
    edge[1:-1, 1:-1, 1:-1] = False
    whole = Mask(array, labels.ijk_to_ras)
    mask = whole.cropped(box)
    centre = thickest_point(mask) if isinstance(shape, str) else shape.frame.origin
    return LevelEvidence(level, mask, shape, centre, mask.volume_mm3, edge[box])


def _contacts(
    index: np.ndarray, order: list[VertebralLevel], labels: LabelMap, levels: Mapping[VertebralLevel, LevelEvidence]
) -> dict[frozenset, float]:
    """Return the area, mm², over which two bodies touch; joints behind the posterior walls do not count."""
    area: dict[frozenset, float] = {}
    for axis in range(3):
        a, b = np.delete(index, -1, axis), np.delete(index, 0, axis)
        faces = np.argwhere((a != b) & (a > 0) & (b > 0))
        kinds = np.sort(np.stack([a[tuple(faces.T)], b[tuple(faces.T)]], axis=1), axis=1)
        points = labels.to_ras((faces + 0.5 * np.eye(3)[axis])[:, ::-1])
        for m, n in np.unique(kinds, axis=0):
            pair = order[m - 1], order[n - 1]
            between = points[np.all(kinds == (m, n), axis=1)]
            count = np.count_nonzero(np.any([_before_wall(levels[v].shape, between) for v in pair], axis=0))
            size = count * float(np.prod(np.delete(labels.spacing[::-1], axis)))
            area[frozenset(pair)] = area.get(frozenset(pair), 0.0) + size
    return area


def _before_wall(shape: BodyShape | str, ras: np.ndarray) -> np.ndarray:
    """Whether points (RAS mm) lie in front of a body's posterior wall; none do where no body is known."""
    if isinstance(shape, str):
        return np.zeros(len(ras), dtype=bool)
    points = shape.frame.from_ras(ras)
    return points[:, 1] >= shape.wall_at(points[:, 2])


def _intruders(
    index: np.ndarray, order: list[VertebralLevel], labels: LabelMap, levels: Mapping[VertebralLevel, LevelEvidence]
) -> dict[tuple[VertebralLevel, VertebralLevel], float]:
    """Return how much of each label lies inside the body of another, mm³."""
    found = {}
    for host, evidence in levels.items():
        if isinstance(evidence.shape, str):
            continue
        low = labels.to_ijk(evidence.mask.ijk_to_ras[:3, 3]).round().astype(int)[::-1]
        box = tuple(slice(a, a + n) for a, n in zip(low, evidence.mask.array.shape, strict=True))
        part = index[box]
        kji = np.argwhere((part > 0) & (part != order.index(host) + 1))
        inside = _in_body(evidence.shape, evidence.mask.to_ras(kji[:, ::-1]))
        counts = np.bincount(part[tuple(kji[inside].T)], minlength=len(order) + 1)
        found |= {(v, host): counts[n + 1] * labels.voxel_volume for n, v in enumerate(order) if counts[n + 1]}
    return found


def _in_body(shape: BodyShape, ras: np.ndarray) -> np.ndarray:
    """Whether points (RAS mm) lie between the end plates and walls of a body, off its surface."""
    points = shape.frame.from_ras(ras)
    step = shape.x[1] - shape.x[0]
    at = [np.rint((points[:, n] - axis[0]) / step).astype(int) for n, axis in enumerate((shape.x, shape.y))]
    known = (at[0] >= 0) & (at[0] < shape.x.size) & (at[1] >= 0) & (at[1] < shape.y.size)
    at = [np.where(known, a, 0) for a in at]
    top, bottom = shape.top[tuple(at)], shape.bottom[tuple(at)]
    return known & (points[:, 2] > bottom + _INSIDE_MM) & (points[:, 2] < top - _INSIDE_MM)
