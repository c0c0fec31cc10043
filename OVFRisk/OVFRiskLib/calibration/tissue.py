"""Pure fat and lean muscle of a patient: their attenuation, read from labels or from the image alone."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..anatomy import Structure
from ..files.geometry import on_grid_of
from ..image import LabelMap, Volume
from .mixture import lean_of

FAT_HU = (-140.0, -70.0)  # pure subcutaneous fat (abstract of PMC4043057)
_PSOAS = (Structure.PSOAS_LEFT, Structure.PSOAS_RIGHT, Structure.PSOAS)
_ERECTORS = (Structure.ERECTOR_SPINAE_LEFT, Structure.ERECTOR_SPINAE_RIGHT, Structure.ERECTOR_SPINAE)
_INSET_MM = 2.0  # of blur at a tissue's surface
_FAT = (Structure.SUBCUTANEOUS_FAT,)
_MOST_SLICES = 40
_FEWEST = 500  # voxels
_SOLID_HU = -300.0
MUSCLE_HU = (30.0, 90.0)
_UNDER_SKIN_MM = (3.0, 40.0)
_BONE_HU = 250.0
_CANAL_MM = 12.0  # to either side of the middle
_NEAR_SPINE_MM = 60.0
_BEHIND_MM = 10.0  # of the spine: further back lie skin and table
_CLOSE_MM = 4.0


@dataclass(frozen=True)
class Tissue:
    """One reference tissue.

    Parameters
    ----------
    hu, error : float
        Attenuation, HU, and how well it is known.
    noise : float
        Standard deviation of the voxels about it, HU.
    voxels : int
    how : str
        Where it was read.
    region : ndarray of bool, shape (k, j, i)
        For drawing.
    """

    hu: float
    error: float
    noise: float
    voxels: int
    how: str
    region: np.ndarray


def pure_fat(ct: Volume, labels: LabelMap | None) -> Tissue:
    """Return the subcutaneous fat: the labelled one, else the fat under the skin.

    Raises
    ------
    ValueError
        When there is too little or it does not look like fat.
    """
    region, how = _labelled(labels, _FAT), "labelled"
    if region is None:
        region, how = _under_the_skin(ct), "under the skin"
    region = _deep(region, ct)
    values = ct.array[region].astype(float)
    values = values[np.abs(values - np.median(values)) < 200] if values.size else values
    if values.size < _FEWEST:
        raise ValueError(f"only {values.size} voxels of subcutaneous fat")
    hu = _peak(values)
    if not FAT_HU[0] <= hu <= FAT_HU[1]:
        raise ValueError(f"the subcutaneous fat reads {hu:.0f} HU, which is no fat")
    below = values[values <= hu] - hu  # the other side holds vessels and septa
    noise = float(np.sqrt(np.mean(below**2)))
    return Tissue(hu, 1.0 + abs(hu - float(np.median(values))) / 2, noise, values.size, how, region)


def lean_muscle(ct: Volume, labels: LabelMap | None, fat: Tissue) -> Tissue:
    """Return muscle without fat: of psoas and erector spinae, the one whose reading is surer.

    Parameters
    ----------
    ct : Volume
    labels : LabelMap or None
        Muscles; without them the muscle behind the spine is proposed from the image (and the vertebrae, if labelled).
    fat : Tissue
        The same patient's: muscle is a mixture with it, as noisy.

    Raises
    ------
    ValueError
        When there is too little or it does not look like muscle.
    """
    groups = (("labelled psoas", _PSOAS), ("labelled erector spinae", _ERECTORS))
    found = [(mask, how) for how, parts in groups if (mask := _labelled(labels, parts)) is not None]
    found = found or [(_behind_the_spine(ct, labels), "behind the spine")]
    tissues = [tissue for mask, how in found if (tissue := _lean(_deep(mask, ct), ct, fat, how))]
    if not tissues:
        raise ValueError(f"fewer than {_FEWEST} voxels of paraspinal muscle")
    best = min(tissues, key=lambda tissue: tissue.error)
    if not MUSCLE_HU[0] <= best.hu <= MUSCLE_HU[1]:
        raise ValueError(f"the paraspinal muscle reads {best.hu:.0f} HU: too fatty, or no muscle")
    return best


def thinned(ct: Volume, labels: LabelMap | None) -> tuple[Volume, LabelMap | None]:
    """Return at most 40 of the slices, evenly spread: enough for two means, and quick on any CT."""
    step = -(-len(ct.array) // _MOST_SLICES)
    if labels is not None:
        wanted = [region for region in labels.regions if region.level or region.part in (*_PSOAS, *_ERECTORS, *_FAT)]
        labels = on_grid_of(labels.restricted(wanted), ct)[0] if wanted else None
    matrix = ct.ijk_to_ras @ np.diag([1.0, 1.0, step, 1.0])
    few = Volume(ct.array[::step], matrix, ct.modality, acquisition=ct.acquisition)
    return few, LabelMap(labels.array[::step], matrix, labels.labels) if labels is not None else None


def _labelled(labels: LabelMap | None, parts: tuple[Structure, ...]) -> np.ndarray | None:
    regions = [region for region in labels.regions if region.part in parts] if labels is not None else []
    return labels.mask(*regions).array if regions else None


def _deep(region: np.ndarray, ct: Volume) -> np.ndarray:
    """Take a margin off in each slice."""
    reach = np.maximum(np.round(_INSET_MM / ct.spacing[:2][::-1]).astype(int), 1)
    j, i = np.ogrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1]
    disc = (j / reach[0]) ** 2 + (i / reach[1]) ** 2 <= 1.01
    return ndimage.binary_erosion(region, disc[None])


def _peak(values: np.ndarray) -> float:
    """Return the mode: mean-shift from the median with a window of about a standard deviation."""
    centre = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - centre)))
    window = max(1.5 * spread, 6.0)
    for _ in range(20):
        moved = float(values[np.abs(values - centre) <= window].mean())
        if abs(moved - centre) < 0.05:
            break
        centre = moved
    return centre


def _under_the_skin(ct: Volume) -> np.ndarray:
    """Return voxels of about fat between the skin and 40 mm below it, on the body itself."""
    body = body_of(ct)
    pixel = ct.spacing[:2][::-1]
    region = np.zeros(body.shape, dtype=bool)
    for k, plane in enumerate(body):
        depth = ndimage.distance_transform_edt(np.pad(plane, 1), sampling=pixel)[1:-1, 1:-1]
        region[k] = (depth >= _UNDER_SKIN_MM[0]) & (depth <= _UNDER_SKIN_MM[1])
    smooth = ndimage.gaussian_filter(ct.array.astype(np.float32), 1.5 / ct.spacing[::-1])
    fat = region & (smooth > -160) & (smooth < -50)
    return _largest(ndimage.binary_opening(fat, iterations=1))


def body_of(ct: Volume) -> np.ndarray:
    """Return the patient in each slice, without table and pad as far as a gap parts them, bool (k, j, i)."""
    solid = ct.array > _SOLID_HU
    opened = np.stack([ndimage.binary_opening(plane, iterations=2) for plane in solid])
    return np.stack([ndimage.binary_fill_holes(plane) for plane in _largest(opened)])


def _largest(mask: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    return labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))


def _behind_the_spine(ct: Volume, labels: LabelMap | None) -> np.ndarray:
    """Return soft tissue close to the spine, behind the bodies: erector spinae."""
    smooth = ndimage.gaussian_filter(ct.array.astype(np.float32), 1.5 / ct.spacing[::-1])
    vertebrae = [region for region in labels.regions if region.level] if labels is not None else []
    spine = labels.mask(*vertebrae).array if vertebrae else _tallest(ndimage.binary_closing(smooth > _BONE_HU))
    away = ndimage.distance_transform_edt(smooth <= 150, sampling=ct.spacing[::-1]) > _CLOSE_MM
    found = (smooth > -30) & (smooth < 110) & away
    region = np.zeros(found.shape, dtype=bool)
    for k, plane in enumerate(spine):
        if plane.any():
            place = _right_anterior(ct, k, found.shape[1:])
            right, anterior = place[..., 0], place[..., 1]
            aside = np.abs(right - np.median(right[plane]))
            low, high = np.percentile(anterior[plane], (1, 40))
            beside = (aside >= _CANAL_MM) & (aside <= _NEAR_SPINE_MM)
            region[k] = found[k] & beside & (anterior <= high) & (anterior >= low - _BEHIND_MM)
    return region


def _right_anterior(ct: Volume, k: int, shape: tuple[int, int]) -> np.ndarray:
    j, i = np.indices(shape)
    return ct.to_ras(np.stack([i, j, np.full(shape, k)], axis=-1))


def _tallest(mask: np.ndarray) -> np.ndarray:
    """Return the connected piece that goes through most slices, the largest of those that do."""
    labels, count = ndimage.label(mask)
    if count == 0:
        raise ValueError("no bone is seen beside which muscle could lie")
    pieces = ndimage.find_objects(labels)
    sizes = np.bincount(labels.ravel())[1:]
    tall = np.array([piece[0].stop - piece[0].start for piece in pieces])
    return labels == 1 + int(np.argmax(np.where(tall >= 0.8 * tall.max(), sizes, 0)))


def _lean(region: np.ndarray, ct: Volume, fat: Tissue, how: str) -> Tissue | None:
    values = ct.array[region].astype(float)
    if values.size < _FEWEST:
        return None
    hu, error = lean_of(values, fat.hu, fat.noise)
    return Tissue(hu, error, fat.noise, values.size, how, region)
