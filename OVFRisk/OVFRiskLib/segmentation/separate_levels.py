"""Bone of every level alike, divided into vertebrae that are named from what the user said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

from ..anatomy import Compartment, Region, VertebralLevel, label_scheme
from ..distance import depth_mm
from ..errors import UserError
from ..image import LabelMap, Volume, bounding_box
from .engines import Request
from .seeds import Seed, named_seeds

_CORE_DEPTH_MM = 4.0  # what lies deeper is of one body: facet joints, ribs and osteophytes that touch are thinner
_LEAST_CORE_MM3 = 1000.0  # a crushed T10 has more
_FARTHEST_MM = 15.0  # from a core to what is still of its body; and from a click to a body's centre
_FARTHEST_ARCH_MM = 60.0  # from a core to the tip of the spinous process
_WITH_ARCH = {Compartment.WHOLE, Compartment.POSTERIOR}
_GAP = 1.6  # of the middle distance of neighbours: one is missing between


@dataclass(frozen=True)
class Vertebrae:
    """Vertebrae without names, from head to foot.

    Parameters
    ----------
    array : ndarray of int, shape (k, j, i)
        1 for the first one; 0 where none is.
    centres : tuple of ndarray, shape (3,)
        Of their bodies, RAS mm.
    scattered_mm3 : float
        Bone found that lies at none of them and was left out.
    """

    array: np.ndarray
    centres: tuple[np.ndarray, ...]
    scattered_mm3: float


def named_points(request: Request) -> list[Seed]:
    """Return the points that name a level; a UserError where none does."""
    given = [seed for seed in (*request.seeds, request.anchor) if seed is not None and seed.level is not None]
    if not given:
        raise UserError(
            "The bundle finds bone but no levels, and nothing tells which vertebra is which.",
            "Name one: --anchor L1@r,a,s (RAS mm, in its body), or --seeds with a level.",
        )
    return given


def with_levels(parts: np.ndarray, meaning: Mapping[int, Compartment], volume: Volume, request: Request) -> LabelMap:
    """Divide bone into vertebrae and name them from the request's seeds or anchor.

    Parameters
    ----------
    parts : ndarray of int, shape (k, j, i)
        What each voxel of the volume is; 0 is background.
    meaning : mapping of int to Compartment
        Of the other values.
    volume : Volume
    request : Request

    Returns
    -------
    LabelMap
        With the values of the scheme ``ovfrisk``.

    Raises
    ------
    UserError
        When no vertebra was found, nothing names one, or the names contradict each other.
    """
    vertebrae = separate(parts > 0, volume, _FARTHEST_ARCH_MM if _WITH_ARCH & {*meaning.values()} else _FARTHEST_MM)
    if not vertebrae.centres:
        raise UserError(
            "The network found no vertebra in this CT.", "Check that it shows the spine and fits the bundle."
        )
    levels, notes = _levels(vertebrae, volume, request)
    regions = label_scheme("ovfrisk").regions
    values = {region: value for value, region in regions.items()}
    array = np.zeros(parts.shape, dtype=np.int16)
    for n, level in levels.items():
        for value, part in meaning.items():
            array[(vertebrae.array == n) & (parts == value)] = values[Region(part, level)]
    if vertebrae.scattered_mm3 >= 1:
        notes.append(f"{vertebrae.scattered_mm3 / 1000:.2g} mL of bone that lies at no vertebral body was left out.")
    return LabelMap(array, volume.ijk_to_ras, regions, corrections=tuple(notes))


def separate(bone: np.ndarray, volume: Volume, farthest_mm: float = _FARTHEST_MM) -> Vertebrae:
    """Divide bone into vertebrae: each has a thick core, its body, and owns what lies nearest to it.

    Parameters
    ----------
    bone : ndarray of bool, shape (k, j, i)
    volume : Volume
        Whose grid `bone` has.
    farthest_mm : float
        From a core to what is still of its vertebra.
    """
    array = np.zeros(bone.shape, dtype=np.uint8)
    if not bone.any():
        return Vertebrae(array, (), 0.0)
    box = bounding_box(bone, margin=1)
    inside, part = bone[box], volume.cropped(box)
    cores, count = ndimage.label(_depth(inside, part.spacing) >= _CORE_DEPTH_MM)
    sizes = np.bincount(cores.ravel(), minlength=count + 1)[1:] * part.voxel_volume
    large = np.flatnonzero(sizes >= _LEAST_CORE_MM3) + 1
    centres = {n: part.to_ras(place[::-1]) for n, place in zip(large, map(np.array, _centres(cores, large)))}
    ordered = sorted(centres, key=lambda n: -centres[n][2])
    table = np.zeros(count + 1, dtype=np.uint8)
    table[ordered] = np.arange(1, len(ordered) + 1)
    array[box] = _nearest(table[cores], inside, part.spacing[::-1], farthest_mm)
    scattered = float(np.count_nonzero(bone & (array == 0)) * volume.voxel_volume)
    return Vertebrae(array, tuple(centres[n] for n in ordered), scattered)


def _depth(inside: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Return the depth below the surface, mm; a body that the image's border cuts goes on beyond it."""
    beyond = np.ceil(_CORE_DEPTH_MM / spacing[::-1]).astype(int) + 1
    depth = depth_mm(np.pad(inside, [(n, n) for n in beyond], "edge"), spacing)
    return depth[tuple(slice(n, -n) for n in beyond)]


def _centres(cores: np.ndarray, values: np.ndarray) -> list[tuple[float, ...]]:
    return ndimage.center_of_mass(cores > 0, cores, values) if len(values) else []


def _nearest(cores: np.ndarray, inside: np.ndarray, sampling: np.ndarray, farthest: float) -> np.ndarray:
    if not cores.any():
        return cores
    distance, nearest = ndimage.distance_transform_edt(cores == 0, sampling=sampling, return_indices=True)
    return np.where(inside & (distance <= farthest), cores[tuple(nearest)], 0)


def _levels(vertebrae: Vertebrae, volume: Volume, request: Request) -> tuple[dict[int, VertebralLevel], list[str]]:
    """Return the level of each vertebra that can be named, and what to know about that."""
    known: dict[int, Seed] = {}
    for seed in named_points(request):
        n = _vertebra_at(seed, vertebrae, volume)
        if n in known and known[n].level != seed.level:
            raise UserError(f"Two points in one vertebra name it {known[n].level} and {seed.level}.", "Correct one.")
        known[n] = seed
    run, notes = _unbroken(vertebrae.centres, known)
    seeds = [Seed(vertebrae.centres[n - 1], known[n].level if n in known else None) for n in run]
    levels = dict(zip(run, (seed.level for seed in named_seeds(seeds))))
    counted = [level for n, level in levels.items() if n not in known]
    if counted:
        notes.append(f"Counted from {', '.join(s.level for s in known.values())}: {', '.join(counted)}.")
    return levels, notes


def _vertebra_at(seed: Seed, vertebrae: Vertebrae, volume: Volume) -> int:
    """Return the vertebra that a point lies in, or else the nearest body."""
    index = np.round(volume.to_ijk(seed.point)).astype(int)[::-1]
    if np.all(index >= 0) and np.all(index < volume.array.shape) and vertebrae.array[tuple(index)]:
        return int(vertebrae.array[tuple(index)])
    away = [float(np.linalg.norm(centre - seed.point)) for centre in vertebrae.centres]
    if min(away) > _FARTHEST_MM:
        raise UserError(
            f"The point for {seed.level} lies {min(away):.0f} mm from the next vertebra that the network found.",
            "Give a point in the middle of a vertebral body (RAS, mm).",
        )
    return int(np.argmin(away)) + 1


def _unbroken(centres: Sequence[np.ndarray], known: Mapping[int, Seed]) -> tuple[list[int], list[str]]:
    """Return the vertebrae that can be counted from the known ones: nobody is counted across a gap."""
    steps = np.array([np.linalg.norm(b - a) for a, b in pairwise(centres)])
    gaps = {n + 1 for n, step in enumerate(steps) if step > _GAP * np.median(steps)}  # below vertebra n + 1
    first, last = min(known), max(known)
    run: list[int] = list(range(first, last + 1))
    while run[0] > 1 and run[0] - 1 not in gaps:
        run.insert(0, run[0] - 1)
    while run[-1] < len(centres) and run[-1] not in gaps:
        run.append(run[-1] + 1)
    inside = [n for n in gaps if first <= n < last]
    if inside:
        raise UserError(
            f"Between {known[first].level} and {known[last].level} the network missed a vertebra.",
            "Use seeds on one side of the gap only, or another engine.",
        )
    left_out = len(centres) - len(run)
    note = f"{left_out} vertebrae beyond a gap were left out: what lies in the gap is not known."
    return run, [note] if left_out else []
