"""Both end plates of a body as smooth surfaces through its columns' ends.

A mask's faces come in steps of a voxel; a low surface through many columns averages them. Steps, lips and flaring
corners would carry a higher one away at the walls.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from scipy import ndimage

from ..body_shape import BodyShape

_ACROSS_MM = 12.0  # half-width of the strip that is fitted: bodies are 25 mm wide and more
_RIM_MM, _RIM_VOXELS = 0.5, 0.1  # rounded rims left out, and what the voxels leave open of where they are
_FEWEST_COLUMNS = 100
# Legendre polynomials of v (along, -1 to 1) and powers of u (across, -1 to 1), what is usual in an end plate
# (a hollow of about 1 mm: a tenth of the height in both) and how far (mm) each may be from it: the tilt is free, the
# hollow may be deep. What coarse voxels do not tell, these do.
_TERMS = ((0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (0, 2), (2, 2))  # (degree of v, power of u)
_USUAL_MM = np.array([0.0, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0])
_SPREAD_MM = np.array([30.0, 15.0, 3.0, 10.0, 1.0, 2.0, 2.0])
# Columns within such a patch err together, as steps run along the plates: stated uncertainties cover about 2 of 3
# phantoms' errors.
_PATCH_MM, _PATCH_VOXELS = 4.0, 0.7
_OUTLIER_MM, _ROUNDS = 2.0, 5  # or a voxel: lips, nodes


@dataclass(frozen=True)
class Surface:
    """A fitted surface w(u, v), mm.

    Parameters
    ----------
    coefficients : ndarray, shape (n,)
        Of the terms, mm.
    covariance : ndarray, shape (n, n)
        Of the coefficients, mm².
    """

    coefficients: np.ndarray
    covariance: np.ndarray

    def at(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the surface at `u` (across) and `v` (along), both -1 to 1 inside what was fitted, mm."""
        return _terms(u, v) @ self.coefficients

    def uncertainty(self, u: np.ndarray, v: np.ndarray) -> float:
        """Return the standard uncertainty of the mean over places, mm."""
        mean = _terms(u, v).mean(axis=0)
        return math.sqrt(mean @ self.covariance @ mean)


@dataclass(frozen=True)
class Plates:
    """The end plates of one body in its own frame.

    Parameters
    ----------
    shape : BodyShape
    upper, lower : Surface
        Height over u = x / 12 mm and v (1 at the anterior wall, -1 at the posterior wall), mm; the lower one upside
        down, so that both sum up to the body's height.
    """

    shape: BodyShape
    upper: Surface
    lower: Surface

    def z(self, v: float, half_width_mm: float = 0.0) -> tuple[float, float]:
        """Return z of the upper and lower plate at `v`, mm; the mean over the band, or on the mid-sagittal plane."""
        places = _across(v, half_width_mm)
        return float(self.upper.at(*places).mean()), -float(self.lower.at(*places).mean())

    def uncertainty(self, v: float, half_width_mm: float = 0.0) -> float:
        """Return the standard uncertainty of the height at `v`, mm."""
        places = _across(v, half_width_mm)
        return math.hypot(self.upper.uncertainty(*places), self.lower.uncertainty(*places))

    def y(self, v: float) -> float:
        """Return the place of `v` along y, mm."""
        return (self.shape.anterior + self.shape.posterior) / 2 + v * (self.shape.anterior - self.shape.posterior) / 2

    @property
    def lateral_slope(self) -> float:
        """By how much (mm/mm) the body grows higher towards the right."""
        return self._slope_x(self.upper) + self._slope_x(self.lower)

    @property
    def normals(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit normals of the upper and the lower plate, both towards the head, RAS."""
        found = []
        for surface, way in ((self.upper, 1), (self.lower, -1)):
            ends = surface.at(np.zeros(2), np.array([1.0, -1.0]))
            slope_y = (ends[0] - ends[1]) / (self.shape.anterior - self.shape.posterior)
            normal = np.array([-way * self._slope_x(surface), -way * slope_y, 1.0]) @ self.shape.frame.axes
            found.append(normal / np.linalg.norm(normal))
        return found[0], found[1]

    def _slope_x(self, surface: Surface) -> float:
        right, left = surface.at(np.array([1.0, -1.0]), np.zeros(2))
        return float(right - left) / (2 * _ACROSS_MM)


def fit_plates(shape: BodyShape) -> Plates:
    """Fit both end plates of a body, without rims, walls and arch.

    Raises
    ------
    ValueError
        When a plate is not seen well enough.
    """
    step = shape.x[1] - shape.x[0]
    voxel = np.abs(shape.frame.axes @ shape.mask.ijk_to_ras[:3, :3]).max(axis=1)  # along x, y, z
    inset = _RIM_MM + _RIM_VOXELS * max(voxel[:2])
    plate = np.isfinite(shape.top) & np.isfinite(shape.bottom)
    inner = ndimage.distance_transform_edt(np.pad(plate, 1))[1:-1, 1:-1] * step >= inset
    ix, iy = np.nonzero(inner & (np.abs(shape.x) <= _ACROSS_MM)[:, None])
    if ix.size < _FEWEST_COLUMNS:
        raise ValueError("an end plate is seen on too few columns")
    v = (2 * shape.y[iy] - shape.anterior - shape.posterior) / (shape.anterior - shape.posterior)
    terms = _terms(shape.x[ix] / _ACROSS_MM, v)
    variance = voxel[2] ** 2 / 12 * ((_PATCH_MM + _PATCH_VOXELS * voxel[2]) / step) ** 2
    surfaces = (_fitted(terms, z[ix, iy], variance, voxel[2]) for z in (shape.top, -shape.bottom))
    return Plates(shape, *surfaces)


def _fitted(terms: np.ndarray, z: np.ndarray, variance: float, voxel: float) -> Surface:
    """Fit a surface by least squares with what is usual, leaving out what lies too far from it."""
    prior = np.diag(_SPREAD_MM**-2)
    keep = np.ones(z.size, dtype=bool)
    for _ in range(_ROUNDS):
        weighted = terms[keep].T / variance
        information = weighted @ terms[keep] + prior
        coefficients = np.linalg.solve(information, weighted @ z[keep] + prior @ _USUAL_MM)
        near = np.abs(z - terms @ coefficients) <= max(voxel, _OUTLIER_MM)
        if np.count_nonzero(near) < z.size / 2:
            raise ValueError("an end plate is too uneven for its heights")
        keep = near
    return Surface(coefficients, np.linalg.inv(information))


def _terms(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    along = legendre.legvander(v, max(degree for degree, _ in _TERMS))
    return np.stack([along[..., degree] * u**power for degree, power in _TERMS], axis=-1)


def _across(v: float, half_width_mm: float) -> tuple[np.ndarray, np.ndarray]:
    return np.linspace(-1, 1, 11) * half_width_mm / _ACROSS_MM, np.full(11, float(v))
