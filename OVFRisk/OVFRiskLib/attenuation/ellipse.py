"""Trabecular attenuation as radiologists read it: an ellipse on one axial section through the middle of the body.

The section lies in the level's own frame: along the mean end plate, not along the scanner's slices. The ellipse is the
largest that fits into the cancellous bone well inside the shell, off the basivertebral vessels where it can.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..body_shape import BodyShape
from ..image import Volume
from .trabecular import Attenuation, TrabecularReading, attenuation

_STEP_MM = 0.5  # of the section
_SLAB_MM = 5.0  # thickness read, as on usual slices; noise, and so the SD, hangs on it
_RATIOS = np.linspace(0.4, 1.2, 17)  # depth over width
_LEAST_CM2 = 0.5  # a smaller ellipse says little
_FEWEST_VOXELS = 10
_VEIN_HALF_WIDTH_MM = 5.0
_VEIN_DEPTH = 0.4  # of the body, from the posterior wall
_OFF_MIDLINE_MM = 5.0
_MARGIN_MM = 2.0  # beyond the walls, so that no ellipse touches the section's border


@dataclass(frozen=True, eq=False)
class AxialEllipse:
    """An ellipse on the axial section through the middle of one body, and what was read in it.

    Parameters
    ----------
    statistics : Attenuation
        Of the voxels whose centres lie in the ellipse's slab, HU.
    centre : ndarray, shape (3,)
        RAS mm.
    axes : ndarray, shape (3, 3)
        Unit rows, RAS: to the right, forwards, along the normal of the section.
    radii : (float, float)
        Half-axes to the right and forwards, mm.
    thickness : float
        Of the slab that was read, mm.
    region : ndarray of bool, shape (k, j, i)
        The voxels read.
    note : str
        What to keep in mind.
    """

    statistics: Attenuation
    centre: np.ndarray
    axes: np.ndarray
    radii: tuple[float, float]
    thickness: float
    region: np.ndarray
    note: str = ""

    @property
    def area(self) -> float:
        """Area, cm²."""
        return float(np.pi * self.radii[0] * self.radii[1] / 100)

    def outline(self, points: int = 72) -> np.ndarray:
        """Return points around the ellipse, RAS mm, shape (points, 3)."""
        angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
        plane = np.column_stack([self.radii[0] * np.cos(angle), self.radii[1] * np.sin(angle)])
        return self.centre + plane @ self.axes[:2]

    def rows(self) -> list[tuple[str, str, float]]:
        """Return name, UCUM unit and value of each measurement."""
        return [
            ("trabecular_attenuation_axial", "[hnsf'U]", self.statistics.mean),
            ("trabecular_attenuation_axial_sd", "[hnsf'U]", self.statistics.sd),
            ("axial_ellipse_area", "cm2", self.area),
        ]


def read_axial_ellipse(ct: Volume, reading: TrabecularReading, shape: BodyShape) -> AxialEllipse:
    """Read the largest ellipse at mid-height of one body.

    Parameters
    ----------
    ct : Volume
        HU.
    reading : TrabecularReading
        Its region, well inside the shell and without what was left out, holds the ellipse.
    shape : BodyShape
        The body in its own frame.

    Raises
    ------
    ValueError
        When no ellipse of 0.5 cm² fits.
    """
    top, bottom = shape.band()
    height = float(np.nanmedian((top + bottom) / 2))
    x, y, inside, thickness = _section(ct, reading.region, shape, height)
    off_vein = inside & ~_vein(x, y, shape)
    note, found = "", _largest_ellipse(off_vein)
    if _area(found) < _LEAST_CM2:
        note, found = "the ellipse lies on the basivertebral vessels", _largest_ellipse(inside)
    if _area(found) < _LEAST_CM2:
        raise ValueError(f"no ellipse of {_LEAST_CM2:g} cm² fits into the bone to be read at mid-height")
    (column, row), radii = found
    centre = np.array([x[column], y[row], height])
    if abs(centre[0]) > _OFF_MIDLINE_MM:
        note = "; ".join(text for text in (note, "the ellipse lies beside the midline") if text)
    region = _voxels(ct, reading.region, shape, centre, radii, thickness)
    if np.count_nonzero(region) < _FEWEST_VOXELS:
        raise ValueError(f"the ellipse at mid-height holds only {np.count_nonzero(region)} voxels")
    statistics = attenuation(ct.array[region])
    return AxialEllipse(statistics, shape.frame.to_ras(centre), shape.frame.axes, radii, thickness, region, note)


def _section(
    ct: Volume, region: np.ndarray, shape: BodyShape, height: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return x, y (mm), where all of the slab lies in the region (shape (nx, ny)), and the slab's thickness (mm).

    A flat body gets a thinner slab.
    """
    reach = float(np.abs(shape.x[np.isfinite(shape.top).any(axis=1)]).max()) + _MARGIN_MM
    x = np.arange(-reach, reach + _STEP_MM, _STEP_MM)
    y = np.arange(shape.posterior - _MARGIN_MM, shape.anterior + _MARGIN_MM + _STEP_MM, _STEP_MM)
    share = region.astype(np.float32)
    for half in (_SLAB_MM / 2, _SLAB_MM / 4, 0.0):
        heights = height + np.arange(-half, half + 0.1, 1.25)
        points = np.stack(np.meshgrid(x, y, heights, indexing="ij"), axis=-1)
        kji = ct.to_ijk(shape.frame.to_ras(points))[..., ::-1]
        inside = ndimage.map_coordinates(share, np.moveaxis(kji, -1, 0), order=1, mode="constant") >= 0.5
        inside = inside.all(axis=2)
        if inside.sum() * _STEP_MM**2 / 100 >= 2 * _LEAST_CM2:
            break
    return x, y, inside, max(2 * half, shape.resolution)


def _vein(x: np.ndarray, y: np.ndarray, shape: BodyShape) -> np.ndarray:
    behind = y < shape.posterior + _VEIN_DEPTH * (shape.anterior - shape.posterior)
    return (np.abs(x) <= _VEIN_HALF_WIDTH_MM)[:, None] & behind[None]


def _largest_ellipse(inside: np.ndarray) -> tuple[tuple[int, int], tuple[float, float]]:
    """Return the centre (indices along x, y) and the half-axes (mm) of the largest ellipse with axes along x and y.

    Scaled along y by its ratio, an ellipse is a circle, and the largest circle lies where the distance to the outside
    is largest.
    """
    best: tuple[tuple[int, int], tuple[float, float]] = ((0, 0), (0.0, 0.0))
    for ratio in _RATIOS:
        distance = ndimage.distance_transform_edt(inside, sampling=(_STEP_MM, _STEP_MM / ratio))
        radius = float(distance.max()) - _STEP_MM / 2
        found = np.unravel_index(int(np.argmax(distance)), distance.shape)
        if radius > 0 and radius * radius * ratio > best[1][0] * best[1][1]:
            best = (int(found[0]), int(found[1])), (radius, float(radius * ratio))
    return best


def _area(found: tuple[tuple[int, int], tuple[float, float]]) -> float:
    return float(np.pi * found[1][0] * found[1][1] / 100)


def _voxels(
    ct: Volume,
    region: np.ndarray,
    shape: BodyShape,
    centre: np.ndarray,
    radii: tuple[float, float],
    thickness: float,
) -> np.ndarray:
    """Return the voxels of the region whose centres lie in the ellipse's slab."""
    kji = np.argwhere(region)
    x, y, z = (shape.frame.from_ras(ct.to_ras(kji[:, ::-1])) - centre).T
    inside = ((x / radii[0]) ** 2 + (y / radii[1]) ** 2 <= 1) & (np.abs(z) <= thickness / 2)
    mask = np.zeros(region.shape, dtype=bool)
    mask[tuple(kji[inside].T)] = True
    return mask
