"""Local binary patterns on spheres: which places around a voxel are at least as bright, in spherical harmonics.

Banerjee et al., 3D LBP-based rotationally invariant region description (ACCV 2012 workshops), as PyRadiomics 3.0.1
computes it, with what is particular to it: polar angle and azimuth are exchanged, the norm is the real part of the
square root of a sum of complex squares, and samples of an integer image are integers. The images have few different
values, at which percentiles lie: sums run in its order and by the formula of scipy 1.14, so that equal stays equal.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter
from scipy.special import lpmv, poch

from ..region import Region
from .image_type import Image, ImageType, Settings


def _names(settings: Settings) -> tuple[str, ...]:
    return (*(f"lbp-3D-m{n}" for n in range(1, settings["lbp3DLevels"] + 1)), "lbp-3D-k")


def _images(region: Region, settings: Settings) -> Iterator[tuple[str, Image]]:
    sphere = icosphere(settings["lbp3DIcosphereSubdivision"], settings["lbp3DIcosphereRadius"])
    names, samples = _names(settings), _samples(region, sphere)
    brighter = samples >= region.image[region.mask][:, None]
    for degree, name in enumerate(names[:-1]):
        yield name, _placed(_harmonic_norm(brighter, sphere, degree), region)
    kurtosis = _kurtosis(samples)
    missing = np.count_nonzero(~np.isfinite(kurtosis))
    why = f"around {missing} voxels the intensity is constant and has no kurtosis"
    yield names[-1], why if missing else _placed(kurtosis, region)


def _samples(region: Region, sphere: np.ndarray) -> np.ndarray:
    """Return the intensities at places around each voxel, shape (voxels, places), of the type of the image.

    By cubic splines of the whole image: where a place is a voxel itself, the last bits of its neighbours decide.
    """
    splines = spline_filter(region.image, order=3, output=float, mode="constant")
    voxels, kind = np.argwhere(region.mask), region.image.dtype
    at = (map_coordinates(splines, (voxels + place).T, kind, order=3, prefilter=False) for place in sphere)
    return np.stack(list(at), axis=1)


def icosphere(subdivisions: int, radius: float) -> np.ndarray:
    """Return the corners of an icosahedron on a sphere, each triangle divided into four `subdivisions` times.

    In the order of the package ``trimesh``, by the same sums: the last bits decide between equal neighbours.

    Returns
    -------
    ndarray, shape (10 * 4 ** subdivisions + 2, 3)
    """
    golden = (1 + np.sqrt(5)) / 2
    short, long = np.array([1, golden]) / np.linalg.norm([1, golden])
    corners = product(range(3), (long, -long), (-short, short))
    points = np.array([np.roll((one, other, 0), n) for n, other, one in corners])
    for _ in range(subdivisions):
        distance = np.linalg.norm(points[:, None] - points, axis=2)
        edges = np.tril((distance > 0) & (distance < 1.4 * distance[distance > 0].min()))
        second, first = np.nonzero(edges)
        points = _on_sphere(np.concatenate([points, (points[first] + points[second]) / 2]), radius)
    return points if subdivisions else _on_sphere(points, radius)


def _on_sphere(points: np.ndarray, radius: float) -> np.ndarray:
    length = np.sqrt((points**2) @ [1, 1, 1])[:, None]
    return points + points / length * (radius - length)


def _harmonic_norm(brighter: np.ndarray, sphere: np.ndarray, degree: int) -> np.ndarray:
    """Return how much of the pattern (voxels, places) varies with one degree of the spherical harmonics."""
    harmonics = np.stack([_harmonic(order, degree, sphere) for order in range(-degree, degree + 1)], axis=1)
    coefficients = sum(bright[:, None] * harmonic for bright, harmonic in zip(brighter.T, harmonics))
    parts = ((coefficients * harmonic).sum(axis=1) for harmonic in harmonics)
    return np.sqrt(sum(part**2 for part in parts)).real


def _harmonic(order: int, degree: int, sphere: np.ndarray) -> np.ndarray:
    """Return Y(order, degree) in the directions of the places, with PyRadiomics' exchanged angles."""
    height = sphere[:, 2] / np.linalg.norm(sphere[0])
    azimuth, polar = np.arccos(height.clip(-1, 1)), np.arctan2(sphere[:, 1], sphere[:, 0])
    m = abs(order)
    values = lpmv(m, degree, np.cos(polar)) * ((-1) ** m * poch(degree + m + 1, -2 * m) if order < 0 else 1)
    scale = np.sqrt((2 * degree + 1) * poch(degree + order + 1, -2 * order) / (4 * np.pi))
    return values * scale * np.exp(1j * order * azimuth)


def _kurtosis(x: np.ndarray) -> np.ndarray:
    """Return the excess kurtosis of each row; NaN where it is constant but for rounding, by scipy's measure of that.

    In the precision of `x`, as PyRadiomics has it.
    """
    mean = x.mean(axis=1, keepdims=True)
    squares = (x - mean) ** 2
    variance = squares.mean(axis=1)
    varies = variance > (np.finfo(variance.dtype).resolution * mean[:, 0]) ** 2
    kurtosis = np.full_like(variance, np.nan)
    np.divide((squares**2).mean(axis=1), variance**2, out=kurtosis, where=varies)
    return kurtosis - 3


def _placed(values: np.ndarray, region: Region) -> np.ndarray:
    image = np.zeros(region.size)
    image[region.mask[region.box]] = values
    return image


LBP3D = ImageType(_names, _images, of_mask=True)
