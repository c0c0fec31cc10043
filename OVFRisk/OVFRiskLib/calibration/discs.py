"""Discs in an axial image: even inside, off an even surrounding, seen from the air."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

DIAMETERS_MM = (5.0, 20.0)
_ANGLES = np.linspace(0, 2 * np.pi, 48, endpoint=False)
_PROFILE_MM = 0.5
_BLUR_MM = 1.5  # a rod's edge takes this to either side, besides half a pixel
_LEAST_CONTRAST = 15.0  # HU; a rod hardly off what it lies in cannot be found
_EDGE_SHARE = 0.8  # of the directions show the edge
_NOISY_SHARE, _NOISY_EDGE_SHARE = 0.3, 0.65
_WHOLE_SHARE = 0.95  # of them in the mean of all slices: a sheet (skin, couch) has none at its two ends
_EVEN_SHARE = 0.25  # of the directions: the holder; the rest may be air or skin close by
_HOLDER_PERCENTILE = 70.0
_STEEP_SHARE = 0.5  # of the steepest
_EMPTY_HU = -200.0
_AIR_HU = -300.0  # also foam and the couch's core
_SKIN_MM = 25.0  # of solid matter between a rod and the air: pad and couch top; more is a body
_OPEN_DIRECTIONS = 5  # of 48, side by side
_FARTHEST_MM = 60.0


@dataclass(frozen=True)
class Disc:
    """A disc in one image.

    Parameters
    ----------
    centre : ndarray, shape (2,)
        mm along i and j from the first voxel's centre.
    radius : float
        mm.
    hu : float
        Mean of its core.
    noise : float
        Standard deviation in its core, HU.
    contrast : float
        HU above (below, where negative) what it lies in.
    """

    centre: np.ndarray
    radius: float
    hu: float
    noise: float
    contrast: float

    def like(self, other: "Disc", radius: float, hu: float) -> bool:
        """Whether radius (share) and attenuation (HU, besides noise) agree."""
        same_size = abs(self.radius - other.radius) <= max(radius * max(self.radius, other.radius), 1.0)
        return same_size and abs(self.hu - other.hu) <= hu + 0.5 * max(self.noise, other.noise)


def grid_step(spacing: Sequence[float]) -> float:
    """Return the larger pixel side, mm."""
    return float(max(spacing))


def find_discs(image: np.ndarray, spacing: Sequence[float], near: np.ndarray | None = None) -> list[Disc]:
    """Return the discs of 5 to 20 mm that lie near the air, the largest first.

    Parameters
    ----------
    image : ndarray, shape (nj, ni)
        HU.
    spacing : (i, j)
        Pixel size, mm.
    near : ndarray, shape (n, 2), optional
        Look only about these places, mm along i and j.
    """
    blur = _BLUR_MM + grid_step(spacing) / 2
    places = _promising(image, spacing, _blobs(image, spacing), blur) if near is None else near
    found = [disc for place in places if (disc := _judged(image, spacing, place, blur))]
    found.sort(key=lambda disc: -disc.radius)
    kept: list[Disc] = []
    for disc in found:  # one disc a place: the largest
        if all(np.hypot(*(disc.centre - other.centre)) > other.radius for other in kept):
            kept.append(disc)
    return kept


def _blobs(image: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return where the image is locally brightest or darkest at any rod's size, mm along i and j, shape (n, 2)."""
    clipped = np.clip(image, _EMPTY_HU, 1200).astype(np.float32)  # air beside a rod is no darker than its holder
    pixel = np.array(spacing[::-1])
    shallow = _shallow(image, pixel)
    places = []
    for radius in np.geomspace(*np.array(DIAMETERS_MM) / 2, 5):
        sigma = radius / 1.6 / pixel
        response = ndimage.gaussian_filter(clipped, sigma) - ndimage.gaussian_filter(clipped, 1.6 * sigma)
        size = np.maximum(np.round(0.8 * radius / pixel).astype(int), 1) * 2 + 1
        for signed in (response, -response):
            peaks = (ndimage.maximum_filter(signed, size) == signed) & (signed > _LEAST_CONTRAST / 5)
            places.append(np.argwhere(peaks & shallow))
    places = np.unique(np.concatenate(places), axis=0)
    return places[:, ::-1] * np.array(spacing)


def _shallow(image: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    """Return what lies less deep below the air, or the image's border, than a rod's centre can."""
    solid = ndimage.binary_closing(np.pad(image > _AIR_HU, 1), np.ones((3, 3)))[1:-1, 1:-1]
    depth = ndimage.distance_transform_edt(np.pad(solid, 1), sampling=pixel)[1:-1, 1:-1]
    return solid & (depth <= _SKIN_MM + DIAMETERS_MM[1] / 2)


def _promising(image: np.ndarray, spacing: Sequence[float], places: np.ndarray, blur: float) -> np.ndarray:
    """Return the places whose ring is, in most directions, off their middle; all at once, which is fast."""
    radii = np.arange(0, DIAMETERS_MM[1] / 2 + blur + 2, 1.0)
    profiles = _polar(image, spacing, places.T[:, :, None, None], radii)
    mean = np.median(profiles, axis=1)
    core = mean[:, 1]
    best = np.zeros(len(places))
    for n in range(int(DIAMETERS_MM[0] / 2 + 1), len(radii)):
        off = profiles[:, :, n] - core[:, None]
        middle = np.median(off, axis=1, keepdims=True)
        share = np.mean(off * np.sign(middle) > 0.4 * np.abs(middle), axis=1)
        best = np.maximum(best, np.where(np.abs(middle[:, 0]) > 0.7 * _LEAST_CONTRAST, share, 0))
    return places[best >= _EDGE_SHARE]


def _polar(image: np.ndarray, spacing: Sequence[float], centre: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Sample around a centre, shape (angles, radii); outside the image it is air."""
    i = (centre[0] + radii * np.cos(_ANGLES)[:, None]) / spacing[0]
    j = (centre[1] + radii * np.sin(_ANGLES)[:, None]) / spacing[1]
    return ndimage.map_coordinates(image, [j, i], order=1, mode="constant", cval=-1000.0)


def _judged(image: np.ndarray, spacing: Sequence[float], place: np.ndarray, blur: float) -> Disc | None:
    """Move a circle to the edge about a place and return the disc, if it is one."""
    radii = np.arange(0, DIAMETERS_MM[1] / 2 + 2 * blur + 3, _PROFILE_MM)
    centre = place
    for _ in range(3):
        profile = _polar(image, spacing, centre, radii)
        edge = _edge(_holder(np.clip(profile, _EMPTY_HU, None)), radii)
        if edge is None:
            return None
        shift = _offset(profile, radii, edge)
        centre = centre + shift
        if np.hypot(*(centre - place)) > 4 + blur:
            return None
        if np.hypot(*shift) < 0.1:
            break
    return _checked(image, spacing, centre, edge, blur, radii)


def _edge(profile: np.ndarray, radii: np.ndarray) -> float | None:
    """Return the innermost radius where the profile is steep: further out, the holder itself ends."""
    steps = np.abs(np.diff(ndimage.gaussian_filter1d(profile, 1.5)))
    places = radii[:-1] + _PROFILE_MM / 2
    near = (places >= DIAMETERS_MM[0] / 2 - 1.5) & (places <= DIAMETERS_MM[1] / 2 + 1.5)
    steps, places = steps[near], places[near]
    peaks = (steps >= np.r_[0, steps[:-1]]) & (steps >= np.r_[steps[1:], 0]) & (steps >= _STEEP_SHARE * steps.max())
    edge = float(places[np.argmax(peaks)])
    return edge if DIAMETERS_MM[0] / 2 - 0.5 <= edge <= DIAMETERS_MM[1] / 2 + 0.5 else None


def _holder(values: np.ndarray) -> np.ndarray:
    """Return what a rod lies in: a thin holder fills only some directions, air or foam the others."""
    return np.percentile(values, _HOLDER_PERCENTILE, axis=0)


def _offset(profile: np.ndarray, radii: np.ndarray, edge: float) -> np.ndarray:
    """Return how far the edge's points lie off a circle about the centre, mm along i and j."""
    inside = np.median(profile[:, radii <= 0.5 * edge])
    around = np.abs(radii - edge) <= 2.5
    smooth = ndimage.gaussian_filter1d(profile, 1.0, axis=0, mode="wrap")
    outside = _holder(profile[:, (radii > edge + 2) & (radii <= edge + 4)].ravel())
    half = np.clip((smooth[:, around] - outside) / (inside - outside + 1e-9), 0, 1).sum(axis=1) * _PROFILE_MM
    return 2 * np.array([(half * np.cos(_ANGLES)).mean(), (half * np.sin(_ANGLES)).mean()])


def _checked(
    image: np.ndarray, spacing: Sequence[float], centre: np.ndarray, edge: float, blur: float, radii: np.ndarray
) -> Disc | None:
    profile = _polar(image, spacing, centre, radii)
    core, ring = _core_and_ring(profile, radii, edge, blur)
    hu, noise = float(core.mean()), float(core.std())
    contrast = hu - _holder(ring)
    if abs(contrast) < max(_LEAST_CONTRAST, 0.5 * noise) or hu < -200:
        return None
    smooth = ndimage.gaussian_filter1d(ring, 2, mode="wrap")
    share = np.mean((hu - smooth) * np.sign(contrast) > 0.4 * abs(contrast))
    even = np.mean(np.abs(ring - _holder(ring)) < 0.3 * abs(contrast) + 15 + 0.5 * noise)
    across = ndimage.gaussian_filter1d(core, 4, axis=0, mode="wrap")  # a slope from side to side is no rod
    uneven = np.ptp(across.mean(axis=1))
    if min(share / _WHOLE_SHARE, even / _EVEN_SHARE) < 1 or uneven > max(0.3 * abs(contrast), 8 + 0.5 * noise):
        return None
    if not _near_air(image, spacing, centre, edge):
        return None
    return Disc(centre, edge, hu, noise, float(contrast))


def faint_discs(image: np.ndarray, spacing: Sequence[float], row: np.ndarray, radius: float, off: float) -> list[Disc]:
    """Return discs of a known radius (mm) near a row, whose own edge noise may hide.

    Parameters
    ----------
    image, spacing
        As for `find_discs`.
    row : ndarray, shape (2, 2)
        Two points of the row, mm along i and j.
    radius, off : float
        Of the discs, and how far off the row they may lie, mm.
    """
    blur = _BLUR_MM + grid_step(spacing) / 2
    radii = np.arange(0, radius + 2 * blur + 5, _PROFILE_MM)
    along = (row[1] - row[0]) / np.hypot(*(row[1] - row[0]))
    found = []
    for place in _blobs(image, spacing):
        if abs((place - row[0]) @ np.array([-along[1], along[0]])) <= off:
            centre = place
            for _ in range(3):
                centre = centre + _offset(_polar(image, spacing, centre, radii), radii, radius)
            if np.hypot(*(centre - place)) <= radius and (
                disc := _checked(image, spacing, centre, radius, blur, radii)
            ):
                found.append(disc)
    return found


def seen_again(image: np.ndarray, spacing: Sequence[float], disc: Disc) -> Disc | None:
    """Return the same disc in another image, if it stands there: same place, edge all around."""
    blur = _BLUR_MM + grid_step(spacing) / 2
    radii = np.arange(0, disc.radius + 2 * blur + 2, _PROFILE_MM)
    profile = _polar(image, spacing, disc.centre, radii)
    core, ring = _core_and_ring(profile, radii, disc.radius, blur)
    contrast = core.mean() - _holder(ring)
    smooth = ndimage.gaussian_filter1d(ring, 2, mode="wrap")
    share = np.mean((core.mean() - smooth) * np.sign(contrast) > 0.25 * abs(contrast))
    noisy = core.std() > _NOISY_SHARE * abs(contrast)  # then some directions fail by chance
    if share < (_NOISY_EDGE_SHARE if noisy else _EDGE_SHARE):
        return None
    return Disc(disc.centre, disc.radius, float(core.mean()), float(core.std()), float(contrast))


def _core_and_ring(profile: np.ndarray, radii: np.ndarray, edge: float, blur: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples well inside and the mean of those just outside in each direction."""
    core = profile[:, radii <= max(edge - blur, 0.4 * edge)]
    ring = profile[:, (radii >= edge + min(0.6 * blur, 1.5)) & (radii <= edge + blur + 1.0)].mean(axis=1)
    return core, ring


def _near_air(image: np.ndarray, spacing: Sequence[float], centre: np.ndarray, edge: float) -> bool:
    """Whether air is reached through little matter in several directions side by side."""
    radii = np.arange(edge + 1, edge + _FARTHEST_MM, 1.0)
    solid = _polar(image, spacing, centre, radii) > _AIR_HU
    matter = np.cumsum(solid, axis=1)
    # 10 mm of nothing but air, or the image's border, is outside; a gas bubble lies deeper than the limit.
    window = ndimage.uniform_filter1d(solid.astype(np.float32), 10, axis=1, mode="nearest")
    outside = (window < 0.01) & (matter <= _SKIN_MM)
    open_to_air = outside.any(axis=1)
    runs = np.convolve(np.r_[open_to_air, open_to_air[: _OPEN_DIRECTIONS - 1]], np.ones(_OPEN_DIRECTIONS), "valid")
    return bool((runs >= _OPEN_DIRECTIONS).any())
