"""Estimates how much of the signal's change along the spine is the coil's, and takes it out where that is asked for.

A coil's field is smooth over more than 10 cm and multiplies whatever lies in it: marrow, CSF, discs, fat and muscle
alike. What all of them have in common from one level to the next is taken for shading, what marrow alone does for bone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy import ndimage

from ..anatomy import VertebralLevel
from ..errors import import_optional
from ..image import Volume
from .roi import Roi

FLAGGED_PERCENT = 15.0  # with CSF taken at L3 a straight shading changes VBQ by a sixth of it: 2.5 %
_FIRST, _LAST = VertebralLevel.L1, VertebralLevel.L4
_AHEAD_MM, _BEHIND_MM = 20.0, 70.0  # the body's front half; behind it canal, arches, fat and muscle
_ASIDE_MM = (-15.0, -7.5, 0.0, 7.5, 15.0)  # planes that still cut the bodies
_STEP_MM = 2.0
_PHASES = np.linspace(-0.5, 0.5, 13)  # of the distance from level to level: disc to disc
_SMOOTHING_MM = 1.5
_AIR = 0.08  # of the bright tissue: less has no signal to compare
_OTHER_TISSUE = 0.3  # a larger step of the log signal between neighbouring levels is another tissue
_FEWEST = 200  # places to compare
_APART_PERCENT = 12.0  # by which marrow and the other tissues may differ before it is said
_COARSE_MM = 12.0  # of N4's voxels: the field has no finer detail
_SPAN_MM = 130.0  # of N4's spline: coil fields are smooth over more than 10 cm
_SPLINE_ORDER = 3
_ITERATIONS, _CONVERGENCE = 120, 1e-3  # fewer leave more shading in; a finer convergence changes clean images
_TINY = 1e-6


@dataclass(frozen=True)
class Shading:
    """Signal at L1 against L4 that the coil makes.

    Parameters
    ----------
    percent : float
        Field at L1's centre less that at L4's, percent of their mean; positive where the head's end is brighter.
    note : str
        What a reader has to know; empty where there is nothing to say.
    """

    percent: float
    note: str = ""

    @property
    def flagged(self) -> bool:
        """Whether the shading matters to the scores."""
        return abs(self.percent) > FLAGGED_PERCENT


def estimate_shading(volume: Volume, bodies: Mapping[VertebralLevel, Roi]) -> Shading:
    """Estimate the shading along the spine from L1 to L4.

    Each place of a level, from the body's middle to 70 mm behind it, is compared with the same place of the next one.
    Most places hold the same tissue there; the commonest ratio (the middle of the shortest half of all) is the field's.
    It is assumed that no change of tissue along the spine is common to marrow, canal and muscle.

    Parameters
    ----------
    volume : Volume
        One sequence.
    bodies : mapping of VertebralLevel to Roi
        Body regions (`Regions.bodies`), moved to where the patient lies in this sequence.

    Raises
    ------
    ValueError
        When L1's or L4's region is missing, or too little of the spine is in the image to compare.
    """
    levels = [level for level in VertebralLevel.span("L1-L4") if level in bodies]
    if _FIRST not in levels or _LAST not in levels:
        raise ValueError("shading along the spine needs the regions of L1 and L4")
    patches = _patches(volume, [bodies[level] for level in levels])
    marrow = np.abs(_depths()) <= _AHEAD_MM / 2
    steps = list(pairwise(patches))
    percent = _percent(sum(_common_step(*pair) for pair in steps))
    bone, other = (_sum_or_none([(a[:, where], b[:, where]) for a, b in steps]) for where in (marrow, ~marrow))
    return Shading(percent, "; ".join(note for note in (_flag(percent), _disagreement(bone, other)) if note))


def n4_corrected(volume: Volume) -> Volume:
    """Return the volume without its shading, by N4 (Tustison et al., IEEE Trans Med Imaging 2010;29:1310-1320).

    The field is a cubic spline with a span of 130 mm, fitted to voxels of up to 12 mm of everything but air, so that it
    cannot follow single tissues or levels; its mean over them is 1. What was done stands in the volume's corrections.

    Parameters
    ----------
    volume : Volume
        An MR image.

    Raises
    ------
    UserError
        When SimpleITK is missing.
    ValueError
        When the image holds no signal.
    """
    sitk = import_optional("SimpleITK", "Correcting the shading of MR images")
    shrink = np.maximum(np.floor(_COARSE_MM / volume.spacing + _TINY), 1).astype(int)[::-1]
    coarse, tissue = _coarse(volume.array, shrink)
    spans = np.maximum(np.round(np.array(volume.array.shape[::-1]) * volume.spacing / _SPAN_MM), 1).astype(int)
    image, mask = sitk.GetImageFromArray(coarse), sitk.GetImageFromArray(tissue.astype(np.uint8))
    image.SetSpacing([float(step) for step in volume.spacing * shrink[::-1]])
    mask.CopyInformation(image)
    correction = sitk.N4BiasFieldCorrectionImageFilter()
    correction.SetNumberOfThreads(1)  # the order of its sums, and so the result, is then always the same
    correction.SetMaximumNumberOfIterations([_ITERATIONS])
    correction.SetConvergenceThreshold(_CONVERGENCE)
    correction.SetNumberOfControlPoints([int(n) + _SPLINE_ORDER for n in spans])
    correction.Execute(image, mask)
    field = sitk.GetArrayFromImage(correction.GetLogBiasFieldAsImage(image)).astype(float)
    field -= field[tissue].mean()
    array = (volume.array / np.exp(_enlarged(field, volume.array.shape, shrink))).astype(np.float32)
    return replace(volume, array=array, corrections=(*volume.corrections, _done(shrink, spans)))


def _done(shrink: np.ndarray, spans: np.ndarray) -> str:
    factors, pieces = (" x ".join(map(str, numbers)) for numbers in (shrink[::-1], spans))
    return (
        f"shading taken out by N4 (shrink factor {factors}, {_ITERATIONS} iterations, convergence "
        f"{_CONVERGENCE:g}, cubic spline of {pieces} spans, mask above {_AIR:.0%} of the bright tissue)"
    )


def _patches(volume: Volume, rois: list[Roi]) -> list[np.ndarray]:
    """Log signal about each level, NaN where there is none: shape (phases, depths, planes)."""
    centres = np.array([roi.plane.to_ras(np.mean(roi.outline, axis=0)) for roi in rois])
    steps = np.gradient(centres, axis=0)  # from level to level, mm
    sigma = np.where(volume.spacing < 2 * _SMOOTHING_MM, _SMOOTHING_MM / volume.spacing, 0)[::-1]
    image = ndimage.gaussian_filter(volume.array.astype(np.float32), sigma)
    air = _AIR * _bright(image)
    return [_patch(volume, image, air, *where) for where in zip(rois, centres, steps)]


def _patch(volume: Volume, image: np.ndarray, air: float, roi: Roi, centre: np.ndarray, step: np.ndarray) -> np.ndarray:
    aside = roi.plane.normal
    along = -(step - (step @ aside) * aside)
    ahead = np.cross(along / np.linalg.norm(along), aside)
    if ahead @ np.array(roi.plane.axes[0]) < 0:
        ahead = -ahead
    phase, depth, side = np.meshgrid(_PHASES, _depths(), _ASIDE_MM, indexing="ij")
    ras = centre + phase[..., None] * along + depth[..., None] * ahead + side[..., None] * aside
    kji = np.moveaxis(volume.to_ijk(ras)[..., ::-1], -1, 0)
    values = ndimage.map_coordinates(image, kji, order=1, mode="constant", cval=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > air, np.log(values), np.nan)


def _depths() -> np.ndarray:
    """Places in front of (positive) and behind a body's centre, mm."""
    return np.arange(-_BEHIND_MM, _AHEAD_MM + _STEP_MM / 2, _STEP_MM)


def _bright(image: np.ndarray) -> float:
    return float(np.percentile(image, 95))


def _common_step(upper: np.ndarray, lower: np.ndarray) -> float:
    """Return the log ratio that most places of two neighbouring levels share."""
    change = (upper - lower)[np.isfinite(upper) & np.isfinite(lower)]
    change = np.sort(change[np.abs(change) <= _OTHER_TISSUE])
    if change.size < _FEWEST:
        raise ValueError("too little of the tissue around the spine is in the image to tell shading from bone")
    half = change.size // 2
    start = int(np.argmin(change[half:] - change[: change.size - half]))
    return float(np.median(change[start : start + half + 1]))


def _sum_or_none(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float | None:
    try:
        return sum(_common_step(*pair) for pair in pairs)
    except ValueError:
        return None


def _percent(log_ratio: float) -> float:
    """(a - b) over the mean of a and b, percent, from log(a / b)."""
    return 200 * float(np.tanh(log_ratio / 2))


def _flag(percent: float) -> str:
    if abs(percent) <= FLAGGED_PERCENT:
        return ""
    return (
        f"the coil makes L1 {abs(percent):.0f} % {'brighter' if percent > 0 else 'darker'} than L4: "
        "consider the correction of shading"
    )


def _disagreement(bone: float | None, other: float | None) -> str:
    if bone is None or other is None or abs(_percent(bone - other)) <= _APART_PERCENT:
        return ""
    return (
        f"from L1 to L4 the bodies' middles differ by {_percent(bone):+.0f} %, the tissues around them by "
        f"{_percent(other):+.0f} %: shading and bone are hard to tell apart"
    )


def _coarse(array: np.ndarray, shrink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of blocks of voxels, and which of them hold tissue."""
    padded = np.pad(array.astype(np.float32), [(0, (-n) % m) for n, m in zip(array.shape, shrink)], mode="edge")
    shape = [size for n, m in zip(padded.shape, shrink) for size in (n // m, m)]
    coarse = padded.reshape(shape).mean(axis=(1, 3, 5))
    tissue = coarse > _AIR * _bright(coarse)
    if not tissue.any():
        raise ValueError("the image holds no signal")
    return coarse, tissue


def _enlarged(field: np.ndarray, shape: tuple[int, ...], shrink: np.ndarray) -> np.ndarray:
    """Return the field of the blocks at the voxels' centres."""
    for axis, (count, step) in enumerate(zip(shape, shrink)):
        places = (np.arange(count) - (step - 1) / 2) / step
        low = np.clip(np.floor(places).astype(int), 0, max(field.shape[axis] - 2, 0))
        high = np.minimum(low + 1, field.shape[axis] - 1)
        weight = np.clip(places - low, 0, 1).reshape([-1 if n == axis else 1 for n in range(3)])
        field = np.take(field, low, axis) * (1 - weight) + np.take(field, high, axis) * weight
    return field
