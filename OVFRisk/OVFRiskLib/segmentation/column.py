"""The spinal column in a CT, found without clicks: the canal, and the line through the vertebral bodies.

The canal is a soft hole with bone at its sides and behind it, and a body in front. What single slices leave open (the
foramina, a crushed body) the way of least doubt through all slices decides: dynamic programming along z.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..errors import UserError
from ..image import Volume

GRID_MM = 2.5  # a canal is 15-25 mm wide, its walls 3-5 mm thick
LEAST_MM = 60.0  # of spine: two levels; with less, a hole in bone may be anything

_AIR_HU = -1000.0
_BONE_HU = (130.0, 280.0)  # soft threshold: from no bone to bone
_HOLE_MM = 10.0
_WALL_MM = (7.5, 17.5)  # from the canal's middle
_REACH_MM = 25.0  # pedicles and lamina of one level lie within this along z
_BODY_MM = (32.0, 24.0, 30.0)  # width, depth, height of the region in front that must hold bone
_BODY_AHEAD_MM = 24.0  # from the canal's middle to the body's
SPONGY_HU = (80.0, 230.0)  # soft threshold: from muscle to a body with its shell
_BODY_SHARE, _THIN_BODY = 0.2, 0.4  # share of such bone in a sure body; what a body of muscle's density still counts
_ASIDE_MM = 60.0  # from the patient's middle: rather a hip or an arm
_STEP_COST = (0.06, 0.2)  # of one grid step to the front or back, and to a side
_SURE = 0.3  # least canal score, averaged over a level
_GAP_MM = 20.0  # of doubt between two sure parts (metal, a crushed body)


@dataclass(frozen=True)
class Column:
    """The column found, from foot to head; RAS, mm.

    Parameters
    ----------
    canal, bodies : ndarray, shape (n, 3)
        Middle of the spinal canal, and of the bodies and discs in front of it, slice by slice.
    """

    canal: np.ndarray
    bodies: np.ndarray

    @property
    def length(self) -> float:
        """Along the bodies, mm."""
        return float(np.linalg.norm(np.diff(self.bodies, axis=0), axis=1).sum())


def find_column(ct: Volume) -> Column:
    """Find the canal and the bodies' line of a CT of any orientation, slice thickness and extent.

    Raises
    ------
    UserError
        When less than 60 mm of spine are found.
    """
    grid = isotropic(ct, GRID_MM)
    score = canal_score(grid.array) * _middle_share(grid.array)[:, None, :]
    canal = best_path(score)
    start, stop = _sure_part(score[np.arange(len(canal)), *canal.T])
    if (stop - start) * GRID_MM < LEAST_MM:
        raise UserError(
            f"Less than {LEAST_MM:g} mm of the spine were found in the CT.",
            "Click the bodies (--engine seeded --seeds FILE), or give a CT that shows more of the spine.",
        )
    canal = canal[start:stop]
    bodies = _bodies_line(grid.array[start:stop], canal)
    return Column(*(_smooth(_to_ras(grid, line, start)) for line in (canal, bodies)))


def isotropic(ct: Volume, step: float, *, blur: float = 0.0, outside: float = _AIR_HU) -> Volume:
    """Resample a volume to axes along R, A, S and cubes of `step` mm, averaging finer voxels.

    Parameters
    ----------
    ct : Volume
    step : float
        mm.
    blur : float
        Standard deviation of a Gaussian against noise, mm; axes with coarser voxels stay as they are.
    outside : float
        Value beyond the image's border.
    """
    ct = ct.reoriented("RAS")
    times = np.maximum(np.floor(step / ct.spacing + 0.01), 1).astype(int)
    array, matrix = _averaged(ct.array, times[::-1]), ct.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, :3] @ ((times - 1) / 2)
    matrix[:3, :3] *= times
    coarse = Volume(array, matrix)
    if blur:
        array = ndimage.gaussian_filter(array, np.where(coarse.spacing <= 2 * blur, blur / coarse.spacing, 0)[::-1])
    corners = coarse._corners()
    low = corners.min(axis=0)
    shape = np.maximum(np.floor((corners.max(axis=0) - low) / step + 0.01), 0).astype(int) + 1
    target = np.diag([step, step, step, 1.0])
    target[:3, 3] = low
    to_coarse = (np.linalg.inv(matrix) @ target)[[2, 1, 0, 3]][:, [2, 1, 0, 3]]
    resampled = ndimage.affine_transform(array, to_coarse, output_shape=tuple(shape[::-1]), order=1, cval=outside)
    return Volume(resampled, target, ct.modality, ct.name)


def bone_share(hu: np.ndarray, bounds: tuple[float, float] = _BONE_HU) -> np.ndarray:
    """Return how much HU values look like bone, 0 to 1."""
    low, high = bounds
    return np.clip((hu - low) / (high - low), 0, 1)


def canal_score(hu: np.ndarray) -> np.ndarray:
    """Return how much each voxel of the isotropic grid looks like the middle of a spinal canal, 0 to 1."""
    bone = bone_share(hu)
    hole = 1 - np.minimum(3 * ndimage.uniform_filter(bone, (1, *[_cells(_HOLE_MM)] * 2), mode="nearest"), 1)
    walls = [_wall(bone, np.radians(angle)) for angle in range(0, 360, 45)]
    right, behind, left = walls[0], walls[6], walls[4]
    ring = 0.5 * np.mean(walls, axis=0) + 0.5 * np.minimum(np.minimum(right, left), behind)
    size = [_cells(mm) for mm in reversed(_BODY_MM)]
    share = ndimage.uniform_filter(bone_share(hu, SPONGY_HU), size, mode="nearest")
    sure = np.minimum(_ahead(share, _BODY_AHEAD_MM) / _BODY_SHARE, 1)
    body = _THIN_BODY + (1 - _THIN_BODY) * sure
    return hole * ring * body


def _wall(bone: np.ndarray, angle: float) -> np.ndarray:
    """Return the most bone at the canal's wall towards `angle` (0: right, 90 degrees: anterior) within a level."""
    steps = np.arange(_WALL_MM[0], _WALL_MM[1] + 0.1, GRID_MM) / GRID_MM
    offsets = {(round(r * np.sin(angle)), round(r * np.cos(angle))) for r in steps}
    found = np.zeros_like(bone)
    for y, x in offsets:
        np.maximum(found, _shifted(bone, y, x), out=found)
    return ndimage.maximum_filter1d(found, _cells(_REACH_MM), axis=0)


def _ahead(array: np.ndarray, mm: float) -> np.ndarray:
    return _shifted(array, round(mm / GRID_MM), 0)


def _shifted(array: np.ndarray, y: int, x: int) -> np.ndarray:
    """Return at each place what lies `y` cells in front of it and `x` to its right; zero beyond the border."""
    moved = np.zeros_like(array)
    ny, nx = array.shape[1:]
    to = (slice(max(-y, 0), ny - max(y, 0)), slice(max(-x, 0), nx - max(x, 0)))
    of = (slice(max(y, 0), ny - max(-y, 0)), slice(max(x, 0), nx - max(-x, 0)))
    moved[:, *to] = array[:, *of]
    return moved


def _middle_share(hu: np.ndarray) -> np.ndarray:
    """Return a weight for each slice and column of cells, 1 in the patient's middle, shape (nk, ni)."""
    tissue = (hu > -300).sum(axis=1)
    cells = np.arange(tissue.shape[1])
    middle = (tissue @ cells) / np.maximum(tissue.sum(axis=1), 1)
    middle = ndimage.uniform_filter1d(middle, _cells(100.0), mode="nearest")
    return np.exp(-(((cells - middle[:, None]) * GRID_MM / _ASIDE_MM) ** 2))


def best_path(score: np.ndarray) -> np.ndarray:
    """Return the cells (j, i) of the way through all slices with the highest sum of scores, shape (nk, 2)."""
    best, came = score[0].copy(), np.zeros((len(score), *score.shape[1:]), dtype=np.int8)
    moves = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    cost = np.array([np.hypot(*np.multiply(move, _STEP_COST)) for move in moves])[:, None, None]
    for k in range(1, len(score)):
        padded = np.pad(best, 1, constant_values=-np.inf)
        ny, nx = best.shape
        choices = np.stack([padded[1 + y : 1 + y + ny, 1 + x : 1 + x + nx] for y, x in moves]) - cost
        came[k] = choices.argmax(axis=0)
        best = choices.max(axis=0) + score[k]
    path = [np.array(np.unravel_index(best.argmax(), best.shape))]
    for k in range(len(score) - 1, 0, -1):
        path.append(path[-1] + moves[came[k][tuple(path[-1])]])
    return np.array(path[::-1])


def _sure_part(scores: np.ndarray) -> tuple[int, int]:
    """Return the longest part of the path (start, stop) that is sure but for small gaps."""
    sure = ndimage.uniform_filter1d(scores, _cells(_REACH_MM), mode="nearest") >= _SURE
    closed = ndimage.binary_closing(np.pad(sure, 20), np.ones(_cells(_GAP_MM)))[20:-20]
    parts, count = ndimage.label(closed)
    if not count:
        return 0, 0
    places = np.flatnonzero(parts == np.argmax(np.bincount(parts)[1:]) + 1)
    return int(places[0]), int(places[-1]) + 1


def _bodies_line(hu: np.ndarray, canal: np.ndarray) -> np.ndarray:
    """Return the cells of the line through the bodies: the block in front of the canal that is denser than around."""
    soft = np.clip(hu, -100, 300)
    inner = [_cells(mm) for mm in (30.0, 28.0, 38.0)]
    outer = [inner[0], inner[1] + _cells(20.0), inner[2] + _cells(20.0)]
    inside = ndimage.uniform_filter(soft, inner, mode="nearest")
    around = ndimage.uniform_filter(soft, outer, mode="nearest")
    contrast = (inside - around) / 100
    j, i = np.indices(contrast.shape[1:])
    for slab, (y, x) in zip(contrast, canal, strict=True):
        ahead, aside = (j - y) * GRID_MM, (i - x) * GRID_MM
        slab[(ahead < 17) | (ahead > 36) | (np.abs(aside) > 12)] = -10
    return best_path(contrast)


def _smooth(points: np.ndarray) -> np.ndarray:
    """Even out grid steps; the ends keep their slope."""
    return _mirrored_smooth(points, 10.0 / GRID_MM)


def _mirrored_smooth(points: np.ndarray, sigma: float) -> np.ndarray:
    reach = min(int(3 * sigma), len(points) - 1)
    head, tail = 2 * points[0] - points[reach:0:-1], 2 * points[-1] - points[-2 : -reach - 2 : -1]
    return ndimage.gaussian_filter1d(np.concatenate([head, points, tail]), sigma, axis=0)[reach : reach + len(points)]


def _to_ras(grid: Volume, cells: np.ndarray, start: int) -> np.ndarray:
    k = np.arange(start, start + len(cells))
    return grid.to_ras(np.column_stack([cells[:, 1], cells[:, 0], k]))


def _averaged(array: np.ndarray, times: Sequence[int]) -> np.ndarray:
    """Average blocks of `times` voxels along each axis; what does not fill a block is left out."""
    array = array.astype(np.float32)
    for axis, n in enumerate(times):
        whole = array.shape[axis] // n * n
        blocks = np.take(array, range(whole), axis) if whole < array.shape[axis] else array
        shape = (*array.shape[:axis], whole // n, n, *array.shape[axis + 1 :])
        array = blocks.reshape(shape).mean(axis=axis + 1)
    return array


def _cells(mm: float) -> int:
    """Return the odd number of grid cells nearest to `mm`."""
    return 2 * round((mm / GRID_MM - 1) / 2) + 1
