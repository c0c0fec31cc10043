"""Do the labelled vertebrae lie on the bone of this CT?"""

import numpy as np
from scipy import ndimage

from ..anatomy import Compartment
from ..errors import UserError
from ..image import Grid, LabelMap, Mask, Volume

_STEP_MM = 2.0
_RIM_MM = 3.0
_OFFSETS_MM = (-2.0, 0.0, 2.0, 4.0)  # masks are drawn inside, on, or outside the cortex
_REACH_MM = 30.0
_WINDOW_HU = (-100.0, 400.0)  # metal and lung must not decide
_SURE = 0.68  # chance that a voxel inside the edge is denser than one outside: nothing to doubt
_CHANCE = 0.62  # at or below: no bone edge at all
_BETTER = 0.7  # a place nearby fits better when the labels reach less than this part of its contrast
_MIN_RIM = 100  # voxels of 2 mm


def check_labels_fit_ct(labels: LabelMap, ct: Volume) -> None:
    """Refuse a label map that does not lie on the bone of `ct`: of another patient, or moved.

    Compared are the voxels of two shells, 3 mm thick, inside and outside the edge of the labelled vertebrae, on a 2 mm
    grid. P is the chance that an inner voxel is denser than an outer one (area under the ROC curve; 0.5 = the edge
    knows nothing of bone); being a matter of ranks, it hardly falls with bone density. As masks may be drawn inside the
    cortex or around it, edges 2 mm inside to 4 mm outside the mask's are tried and the best P counts. Below 0.68 all
    places within 30 mm are tried too: labels that another place would suit much better are refused, and P up to 0.62
    anyway.

    Measured: P from 0.72 to 0.93 where labels belong (whole vertebrae, bodies, cancellous bone only, each also one
    voxel thinner and thicker; 1 to 6 mm, contrast, crops, single levels), 0.64 with bone contrast cut to a fifth and
    noise of 60 HU; 0.52 to 0.64 for labels moved by 8 to 25 mm or put on another patient's spine, and those above 0.62
    have at most 0.6 of the best place's contrast. A single vertebra that lies exactly on another one cannot be told.

    Parameters
    ----------
    labels : LabelMap
        On any grid.
    ct : Volume
        HU.

    Raises
    ------
    UserError
    """
    vertebrae = labels.mask(*(region for region in labels.regions if region.part in set(Compartment)))
    if not vertebrae.array.any():
        return
    hu, inside = _around(vertebrae, ct)
    shells = _shells(inside, np.isfinite(hu))
    if not shells:
        return  # a crop with nothing around the bone: no statement
    chance = max(_chance(hu[inner & np.isfinite(hu)], hu[outer & np.isfinite(hu)]) for inner, outer in shells)
    if chance >= _SURE:
        return
    share, move = _best_place(hu, shells)
    if chance <= _CHANCE or share < _BETTER:
        raise UserError(
            f"{labels.name or 'The label map'} does not lie on the bone of {ct.name or 'the CT'} (denser inside the"
            f" labelled vertebrae's edge than outside with a chance of {chance:.0%}; 50% is no relation{move}).",
            "Give the label map of this patient and this series.",
        )


def _shells(inside: np.ndarray, known: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return an inner and an outer shell for each edge that has enough known voxels on both sides."""
    half = _STEP_MM / 2  # distances are between voxel centres, the edge lies midway
    height = ndimage.distance_transform_edt(~inside, sampling=_STEP_MM) - half
    height[inside] = half - ndimage.distance_transform_edt(inside, sampling=_STEP_MM)[inside]
    pairs = [
        ((height <= edge) & (height > edge - _RIM_MM), (height > edge) & (height <= edge + _RIM_MM))
        for edge in _OFFSETS_MM
    ]
    return [pair for pair in pairs if min(np.count_nonzero(shell & known) for shell in pair) >= _MIN_RIM]


def _around(vertebrae: Mask, ct: Volume) -> tuple[np.ndarray, np.ndarray]:
    """CT (NaN outside its field) and mask on a 2 mm RAS grid that reaches 30 mm beyond the vertebrae."""
    kji = np.argwhere(vertebrae.array)
    ras = vertebrae.to_ras(kji[:, ::-1])
    low, high = ras.min(axis=0) - _REACH_MM, ras.max(axis=0) + _REACH_MM
    matrix = np.diag([_STEP_MM, _STEP_MM, _STEP_MM, 1.0])
    matrix[:3, 3] = low
    shape = tuple(np.ceil((high - low) / _STEP_MM).astype(int)[::-1] + 1)
    hu = np.clip(np.nan_to_num(ct.array, nan=_WINDOW_HU[0]), *_WINDOW_HU).astype(np.float32)
    return _sampled(ct, hu, matrix, shape, 1, np.nan), _sampled(
        vertebrae, vertebrae.array.astype(np.uint8), matrix, shape, 0, 0
    ).astype(bool)


def _sampled(
    grid: Grid, array: np.ndarray, matrix: np.ndarray, shape: tuple[int, ...], order: int, outside: float
) -> np.ndarray:
    to_grid = np.linalg.inv(grid.ijk_to_ras) @ matrix
    return ndimage.affine_transform(
        array, to_grid[:3, :3][::-1, ::-1], to_grid[:3, 3][::-1], shape, order=order, mode="constant", cval=outside
    )


def _chance(inner: np.ndarray, outer: np.ndarray) -> float:
    """Mann-Whitney's U over its maximum; ties count half."""
    ordered = np.sort(outer)
    below = np.searchsorted(ordered, inner, "left")
    upto = np.searchsorted(ordered, inner, "right")
    return float((below + upto).mean() / (2 * ordered.size))


def _best_place(hu: np.ndarray, shells: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, str]:
    """Contrast at the labels' place over the best within reach, and the way to it in words."""
    reach = round(_REACH_MM / _STEP_MM)
    means = _means_under(hu, [shell for pair in shells for shell in pair], reach)
    contrast = np.fmax.reduce([inner - outer for inner, outer in zip(means[::2], means[1::2], strict=True)])
    here = contrast[reach, reach, reach]
    if not np.isfinite(here):
        return 1.0, ""  # most of the edge leaves the image: no place to compare with
    highest = np.nanmax(contrast)
    share = float(here / highest) if highest > 0 else 1.0
    place = np.array(np.unravel_index(np.nanargmax(contrast), contrast.shape))[::-1]
    words = zip((("right", "left"), ("forward", "back"), ("up", "down")), (place - reach) * _STEP_MM, strict=True)
    moves = [f"{abs(mm):.0f} mm {way[int(mm < 0)]}" for way, mm in words if abs(mm) >= 2 * _STEP_MM]
    return share, f"; it would fit better {', '.join(moves)}" if share < _BETTER and moves else ""


def _means_under(hu: np.ndarray, shells: list[np.ndarray], reach: int) -> list[np.ndarray]:
    """Mean of `hu` under each shell for every shift up to `reach` voxels; NaN where half of it leaves the image."""
    shape = [n + reach for n in hu.shape]  # zero padding: a shift must not wrap around
    known = np.isfinite(hu)
    images = [_spectrum(values, shape) for values in (np.where(known, hu, 0), known)]
    means = []
    for shell in shells:
        template = np.conj(_spectrum(shell, shape))
        total, count = (_near(np.fft.irfftn(image * template, shape, (0, 1, 2)), reach) for image in images)
        means.append(np.where(count > np.count_nonzero(shell) / 2, total / np.maximum(count, 1), np.nan))
    return means


def _spectrum(values: np.ndarray, shape: list[int]) -> np.ndarray:
    return np.fft.rfftn(values.astype(np.float32), shape, (0, 1, 2))


def _near(correlation: np.ndarray, reach: int) -> np.ndarray:
    """Shifts from -reach to reach along each axis, in this order."""
    return np.roll(correlation, (reach,) * 3, (0, 1, 2))[(slice(2 * reach + 1),) * 3]
