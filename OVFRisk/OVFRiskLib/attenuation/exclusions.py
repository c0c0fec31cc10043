"""What in the cancellous bone is no cancellous bone: vessels, sclerosis, haemangiomas, cement, metal.

Everything is judged against the level's own bone, smoothed over millimetres: noise and fine texture, which a mean takes
care of, must not be mistaken for a lesion, or the mean of noisy and of fragile bone would be biased. So a part must be
both compact and far from the level's usual attenuation.
"""

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from ..body_shape import BodyShape
from ..image import Volume
from ..robust import middle_and_spread
from .findings import ExclusionSettings, Finding

_CONNECTED = ndimage.generate_binary_structure(3, 2)
_CLIPPED_VOXELS = 10  # that share the largest value by chance in no image
_FEWEST_VOXELS = 4  # of a part: on coarse voxels noise makes two or three alike
_VESSEL_HALF_WIDTH_MM = 6.0
_IN_ZONE = 0.6  # of a vessel; the usual differences between the body's front and back reach further


def find_exclusions(
    ct: Volume, region: np.ndarray, shape: BodyShape | None, settings: ExclusionSettings
) -> tuple[dict[Finding, np.ndarray], np.ndarray]:
    """Return what in a region of cancellous bone is none, and dark parts that are left in.

    The masks do not overlap and lie within the region. A dark part may be bone that has been lost, which belongs to the
    mean, or a haemangioma whose trabeculae the voxels do not resolve: a reader must look.

    Parameters
    ----------
    ct : Volume
        HU. Metal is looked for in all of it.
    region : ndarray of bool, shape (k, j, i)
        Cancellous bone well inside the shell.
    shape : BodyShape or None
        Tells where the basivertebral vessels run; without it they are not looked for.
    settings : ExclusionSettings
    """
    bone = _Bone(ct, region, settings)
    found: dict[Finding, np.ndarray] = {}
    for kind, part in _findings(bone, shape):
        mask = part & bone.left
        if mask.any():
            found[kind] = found[kind] | mask if kind in found else mask
            bone.left = bone.left & ~mask
    return {kind: found[kind] for kind in Finding if kind in found}, bone.dark & bone.left


class _Bone:
    """The level's cancellous bone, what is left of it, and its usual attenuation."""

    def __init__(self, ct: Volume, region: np.ndarray, settings: ExclusionSettings) -> None:
        self.ct, self.settings, self.left = ct, settings, region
        self.dark = np.zeros(region.shape, dtype=bool)
        self.array = ct.array.astype(np.float32)
        self.sampling = ct.spacing[::-1]

    @property
    def upright_axis(self) -> int:
        """The array's axis that runs from foot to head, nearly."""
        return 2 - int(np.argmax(np.abs(self.ct.ijk_to_ras[2, :3] / self.ct.spacing)))

    def smoothed(self, sigma_mm: float, values: np.ndarray | None = None, along: int | None = None) -> np.ndarray:
        """Mean around each voxel, or along one axis, over what is left of the bone; NaN elsewhere."""
        weight = self.left.astype(np.float32)
        values = self.array if values is None else values
        # Sums over few voxels would be as noisy as the voxels: never smooth over less than half a voxel.
        sigma = np.maximum(sigma_mm / self.sampling, 0.5)
        if along is not None:
            sigma = np.where(np.arange(3) == along, sigma, 0.0)
        share = ndimage.gaussian_filter(weight, sigma, mode="constant")
        total = ndimage.gaussian_filter(np.where(self.left, values, 0), sigma, mode="constant")
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.left, total / share, np.nan)

    def parts(self, mask: np.ndarray, least_cm3: float, fewest: int = _FEWEST_VOXELS) -> Iterator[np.ndarray]:
        """Return the connected parts of a mask that are not too small."""
        labels, _ = ndimage.label(mask, _CONNECTED)
        sizes = np.bincount(labels.ravel())
        for number in np.flatnonzero((sizes * self.ct.voxel_volume / 1000 >= least_cm3) & (sizes >= fewest)):
            if number:
                yield labels == number

    def around(self, mask: np.ndarray, margin_mm: float) -> np.ndarray:
        """Return the mask grown by a margin."""
        return ndimage.distance_transform_edt(~mask, sampling=self.sampling) <= margin_mm


def _findings(bone: _Bone, shape: BodyShape | None) -> Iterator[tuple[Finding, np.ndarray]]:
    """Return finding by finding; what was found before is no longer in the bone that the next is judged by."""
    metal, zone = _metal(bone), _vessel_zone(bone, shape)
    if metal.any():
        yield Finding.METAL, bone.around(metal, bone.settings.metal_margin_mm)
    if bone.left.any():
        coarse = _coarse(bone) | _dark_with_struts(bone, zone)
        if coarse.any():
            yield Finding.HAEMANGIOMA, bone.around(coarse, bone.settings.coarse_margin_mm)
    if bone.left.any():
        yield from _bright(bone, zone)
    if bone.left.any() and zone is not None:
        yield from _vessels(bone, zone)


def _metal(bone: _Bone) -> np.ndarray:
    s, array = bone.settings, bone.array
    hard, top = array >= s.metal_hu, float(array.max())
    if s.clipped_hu <= top < s.metal_hu and np.count_nonzero(array == top) >= _CLIPPED_VOXELS:
        hard = array == top
    grown, _ = ndimage.label(array >= s.metal_grown_hu, _CONNECTED)
    metal = np.zeros(hard.shape, dtype=bool)
    for part in bone.parts(hard, 0.01, fewest=1):
        metal |= np.isin(grown, np.unique(grown[part]))
    return metal


def _bright(bone: _Bone, zone: np.ndarray | None) -> Iterator[tuple[Finding, np.ndarray]]:
    s = bone.settings
    smooth = bone.smoothed(s.smoothing_mm)
    usual, spread = middle_and_spread(smooth[bone.left])
    limit = min(usual + max(s.bright_hu, s.bright_spreads * spread), s.dense_hu)
    for part in bone.parts(smooth > limit, s.bright_cm3):
        brightest = float(np.percentile(bone.array[part], 90))
        in_zone = zone is not None and np.mean(zone[part]) > _IN_ZONE
        if brightest >= s.cement_hu:
            kind = Finding.CEMENT
        else:
            kind = Finding.VESSEL if in_zone and brightest < s.vessel_most_hu else Finding.SCLEROSIS
        yield kind, bone.around(part, s.margin_mm)


def _vessels(bone: _Bone, zone: np.ndarray) -> Iterator[tuple[Finding, np.ndarray]]:
    s = bone.settings
    smooth = bone.smoothed(s.smoothing_mm)
    usual, spread = middle_and_spread(smooth[bone.left])
    dark, bright = (max(hu, s.vessel_spreads * spread) for hu in (s.vessel_hu, s.vessel_bright_hu))
    for different in (smooth < usual - dark, smooth > usual + bright):
        for part in bone.parts(different, s.vessel_cm3):
            if np.mean(zone[part]) > _IN_ZONE:
                yield Finding.VESSEL, bone.around(part, s.margin_mm)


def _vessel_zone(bone: _Bone, shape: BodyShape | None) -> np.ndarray | None:
    """Where the basivertebral vessels run: on the midline, at mid-height, in the posterior half of the body."""
    if shape is None:
        return None
    kji = np.argwhere(bone.left)
    x, y, z = shape.frame.from_ras(bone.ct.to_ras(kji[:, ::-1])).T
    top, bottom = (float(np.nanmedian(surface)) for surface in shape.band())
    half_height, middle = (top - bottom) / 2, (top + bottom) / 2
    behind = y <= (shape.anterior + shape.posterior) / 2
    inside = (np.abs(x) <= _VESSEL_HALF_WIDTH_MM) & behind & (np.abs(z - middle) <= max(0.4 * half_height, 3))
    zone = np.zeros(bone.left.shape, dtype=bool)
    zone[tuple(kji[inside].T)] = True
    return zone


def _coarse(bone: _Bone) -> np.ndarray:
    """Where fat and thick trabeculae lie side by side."""
    s = bone.settings
    light = bone.smoothed(s.upright_mm, along=bone.upright_axis)
    usual, spread = middle_and_spread(light[bone.left])
    if _all_coarse(light[bone.left]):
        return bone.left
    limit = max(s.coarse_hu, s.coarse_spreads * spread)
    fat, thick = ((light < usual - limit).astype(np.float32), (light > usual + limit).astype(np.float32))
    coarse = (bone.smoothed(4.0, fat) >= s.coarse_fat) & (bone.smoothed(4.0, thick) >= s.coarse_bone)
    found = np.zeros(coarse.shape, dtype=bool)
    for part in bone.parts(coarse, s.coarse_cm3):
        found |= part
    return found


def _dark_with_struts(bone: _Bone, zone: np.ndarray | None) -> np.ndarray:
    """Where fat and vessels with thin upright trabeculae lie: darker than usual, and less even than the level's bone.

    A dark part that is even is noted, and left in.
    """
    s = bone.settings
    smooth, upright = bone.smoothed(s.coarse_smoothing_mm), bone.smoothed(s.upright_mm, along=bone.upright_axis)
    mean, square = (bone.smoothed(s.coarse_window_mm, np.nan_to_num(v)) for v in (upright, upright**2))
    uneven = np.sqrt(np.clip(square - mean**2, 0, None))
    usual, spread = middle_and_spread(smooth[bone.left])
    even, _ = middle_and_spread(uneven[bone.left])
    found = np.zeros(bone.left.shape, dtype=bool)
    for part in bone.parts(smooth < usual - max(s.coarse_hu, s.coarse_spreads * spread), s.coarse_cm3):
        if zone is not None and np.mean(zone[part]) > _IN_ZONE:
            continue
        core = upright[ndimage.distance_transform_edt(part, sampling=bone.sampling) > s.coarse_core_mm]
        if core.size >= _FEWEST_VOXELS and core.std() >= s.coarse_unevenness * even:
            found |= part
        else:
            bone.dark |= part
    return found


def _all_coarse(light: np.ndarray) -> bool:
    """Whether the whole level looks like a haemangioma: much fat, and bone that stands out of it as noise does not.

    Bone of low density may read as fat, too, but evenly.
    """
    median, high = np.percentile(light, (50, 95))
    return bool(np.mean(light < -30) >= 0.3 and high - median > 150)
