"""Laplacian of Gaussian by recursive filters: ITK's values, single precision between the axes included.

Deriche's approximation of fourth order (Farnebäck and Westin, Improving Deriche-style recursive Gaussian filters, J
Math Imaging Vis 2006;26:293-299), coefficients of ITK's ``RecursiveGaussianImageFilter``.
"""

from dataclasses import dataclass

import numpy as np

from .kernels.gaussian import LANES, add_share, filter_recursively

_W, _L = np.array([0.6681, 2.0787]), np.array([-1.3932, -1.3732])
_SMOOTH = ((1.3530, -0.3531), (1.8151, 0.0902))  # A and B of both exponentials
_SECOND = ((-1.3563, 0.3446), (5.2318, -2.2355))


@dataclass(frozen=True, eq=False)
class Recursion:
    """Coefficients: forwards n, backwards m, both over d; shape (4,)."""

    n: np.ndarray
    m: np.ndarray
    d: np.ndarray


def laplacian(image: np.ndarray, spacing: np.ndarray, sigma: float, box: tuple[slice, ...] | None = None) -> np.ndarray:
    """Return sigma² times the Laplacian of `image` smoothed by a Gaussian.

    Parameters
    ----------
    image : ndarray, shape (nk, nj, ni)
        At least four voxels along every axis.
    spacing : ndarray, shape (3,)
        Voxel size along k, j, i in mm.
    sigma : float
        Of the Gaussian, mm.
    box : tuple of slice, optional
        The part to return, all if not given.

    Returns
    -------
    ndarray of float32, shape (nk, nj, ni) or that of `box`
    """
    image = np.array(image, dtype=float, order="C")
    wanted = [side.indices(n)[:2] for side, n in zip(box or (slice(None),) * 3, image.shape)]
    total = np.zeros([stop - start for start, stop in wanted], dtype=np.float32)
    smooth, second = zip(*(_recursions(sigma / step, sigma) for step in spacing))
    for axis in (2, 1, 0):  # ITK's order: i first
        part = _along(image, axis, second[axis], wanted[axis])
        for other in (2, 1, 0):
            if other != axis:
                part = _along(part, other, smooth[other], wanted[other])
        add_share(part, spacing[axis] ** 2, total)
    return total


def _along(image: np.ndarray, axis: int, by: Recursion, wanted: tuple[int, int]) -> np.ndarray:
    """Filter along one axis; return what is wanted of it."""
    begin, end = wanted
    found = np.empty((*image.shape[:axis], end - begin, *image.shape[axis + 1 :]), dtype=np.float32)
    lines, filtered = (a.reshape(((1, a.shape[0], -1), a.shape, (1, -1, a.shape[2]))[axis]) for a in (image, found))
    work = np.zeros((3, image.shape[axis] + 8, LANES))
    filter_recursively(lines, axis == 2, np.stack([by.n, by.m, by.d]), begin, work, filtered)
    return found


def _recursions(width: float, sigma: float) -> tuple[Recursion, Recursion]:
    """Return smoothing and second derivative times sigma², for a Gaussian of `width` voxels."""
    d = _denominator(width)
    smooth, curved = _numerator(width, *_SMOOTH), _numerator(width, *_SECOND)
    sd, dd, ed = _sums(d, first=1, constant=1)
    sn, dn, en = _sums(smooth)
    beta = -(2 * curved.sum() - sd * curved[0]) / (2 * sn - sd * smooth[0])
    second = curved + beta * smooth
    smooth = smooth / (2 * sn / sd - smooth[0])
    sn, dn, en = _sums(second)
    alpha = (en * sd**2 - ed * sn * sd - 2 * dn * dd * sd + 2 * dd**2 * sn) / sd**3
    return _symmetric(smooth, d), _symmetric(second * sigma**2 / alpha, d)


def _symmetric(n: np.ndarray, d: np.ndarray) -> Recursion:
    return Recursion(n, np.append(n[1:], 0) - d * n[0], d)


def _sums(x: np.ndarray, first: int = 0, constant: float = 0) -> tuple[float, float, float]:
    """Return the sums of x, k·x and k²·x, k counted from `first`."""
    k = np.arange(first, first + x.size)
    return constant + x.sum(), (k * x).sum(), (k**2 * x).sum()


def _numerator(width: float, a: tuple[float, float], b: tuple[float, float]) -> np.ndarray:
    (sin1, sin2), (cos1, cos2), (exp1, exp2) = np.sin(_W / width), np.cos(_W / width), np.exp(_L / width)
    (a1, a2), (b1, b2) = a, b
    return np.array(
        [
            a1 + a2,
            exp2 * (b2 * sin2 - (a2 + 2 * a1) * cos2) + exp1 * (b1 * sin1 - (a1 + 2 * a2) * cos1),
            2 * exp1 * exp2 * ((a1 + a2) * cos2 * cos1 - b1 * cos2 * sin1 - b2 * cos1 * sin2)
            + a2 * exp1**2
            + a1 * exp2**2,
            exp2 * exp1**2 * (b2 * sin2 - a2 * cos2) + exp1 * exp2**2 * (b1 * sin1 - a1 * cos1),
        ]
    )


def _denominator(width: float) -> np.ndarray:
    (cos1, cos2), (exp1, exp2) = np.cos(_W / width), np.exp(_L / width)
    return np.array(
        [
            -2 * (exp2 * cos2 + exp1 * cos1),
            4 * cos2 * cos1 * exp1 * exp2 + exp1**2 + exp2**2,
            -2 * cos1 * exp1 * exp2**2 - 2 * cos2 * exp2 * exp1**2,
            exp1**2 * exp2**2,
        ]
    )
