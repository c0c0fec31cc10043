"""Calibration by the rods of a phantom in the scan: known densities, a straight line through their attenuation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, special

from ..anatomy import Region, Structure
from ..errors import UserError
from ..files.geometry import on_grid_of
from ..image import LabelMap, Mask, Volume
from .density_line import DensityLine, Reference
from .discs import DIAMETERS_MM
from .find_rods import RodLine, find_rods

_EDGE_MM = 1.5  # of blur at a rod's edge, left out besides the voxels' own size
_FEWEST_VOXELS = 20  # over all slices
_LEAST_R_SQUARED = 0.99
_MOST_RESIDUAL = 10.0  # mg/cm3: more is a wrong list, or no rod
# HU per mg/cm3 of K2HPO4 or hydroxyapatite in water, from 140 kVp (0.9) to 70 kVp (2.1): see equivalents.py.
_POSSIBLE_SLOPE = (0.7, 2.5)
_PARTIAL_HU = 0.3  # a mm of pixel beyond 1 mm: how far coarse rods were off, on synthetic patients
_UNEVEN_HU = 15.0  # between the two ends of a rod
_HELP = "Look at the rods, give their centres or label them, check the list of densities, or calibrate otherwise."
_DEFAULT_RADIUS_MM = 5.0
_LONGEST_GAP = 0.3  # share of the common length that a rod may lack


@dataclass(frozen=True)
class Rod:
    """A measured rod.

    Parameters
    ----------
    centre : ndarray, shape (3,)
        Middle of its length, RAS mm.
    ends : ndarray, shape (2, 3)
        Of its axis, RAS mm.
    radius : float
        mm.
    hu, error : float
        Mean attenuation, HU, and how well it is known.
    """

    centre: np.ndarray
    ends: np.ndarray
    radius: float
    hu: float
    error: float


def rod_line(
    ct: Volume,
    densities: Sequence[float],
    labels: LabelMap | None = None,
    *,
    centres: Sequence[Sequence[float]] | None = None,
    radius: float | None = None,
) -> DensityLine:
    """Return the line through the rods of a phantom scanned with the patient.

    The rods are those labelled (`Structure.CALIBRATION_ROD`), else those about `centres`, else those found.
    They are matched to the densities by ascending attenuation.

    Parameters
    ----------
    ct : Volume
    densities : sequence of float
        Of the phantom's rods, mg/cm³; best in their order in space.
    labels : LabelMap, optional
    centres : sequence of (R, A, S), optional
        One point in each rod, mm.
    radius : float, optional
        Of the rods about `centres`, mm; else as seen, or 5 mm.

    Raises
    ------
    UserError
        When rods are missing, cut, overlapping or uneven, or do not fit the densities.
    """
    known = _densities(densities)
    lines, how = _rod_lines(ct, labels, centres, radius)
    _check_count(len(lines), len(known), how)
    _check_lengths(lines, ct)
    rods = [_measured(line, ct) for line in lines]
    _check_apart(rods)
    rods.sort(key=lambda rod: rod.hu)
    return _fitted(ct, rods, known, how, _order_note(rods, list(densities)))


def _densities(given: Sequence[float]) -> np.ndarray:
    known = np.sort(np.array([float(d) for d in given]))
    if known.size < 2 or not np.isfinite(known).all() or np.diff(known).min() <= 0:
        raise UserError(
            f"The rods' densities {list(given)} are not at least two different numbers.",
            "Write each rod's density in mg/cm3, as its maker states it.",
        )
    return known


def _rod_lines(
    ct: Volume, labels: LabelMap | None, centres: Sequence | None, radius: float | None
) -> tuple[list[RodLine], str]:
    region = Region(Structure.CALIBRATION_ROD)
    if labels is not None and region in labels.regions:
        return _labelled(on_grid_of(labels.restricted([region]), ct)[0].mask(region)), "labelled"
    found = list(find_rods(ct))
    if centres is None:
        return found, "found in the image"
    return [_about(np.asarray(point, dtype=float), ct, found, radius) for point in centres], "given"


def _labelled(mask: Mask) -> list[RodLine]:
    """Return the pieces of a mask as rods; crumbs are left out."""
    pieces, count = ndimage.label(mask.array)
    sizes = ndimage.sum_labels(mask.array, pieces, np.arange(1, count + 1))
    return [_line_of(pieces == n + 1, mask) for n in np.flatnonzero(sizes >= 0.1 * sizes.max(initial=1))]


def _line_of(piece: np.ndarray, mask: Mask) -> RodLine:
    k, j, i = np.nonzero(piece)
    places = np.stack([i * mask.spacing[0], j * mask.spacing[1]], axis=1)
    slices = np.unique(k)
    middles = np.array([places[k == n].mean(axis=0) for n in slices])
    fit = np.polyfit(slices, middles, 1) if slices.size > 1 else np.array([[0.0, 0.0], middles[0]])
    area = np.median(np.bincount(k - k.min())[np.bincount(k - k.min()) > 0]) * mask.spacing[0] * mask.spacing[1]
    return RodLine(fit[1], fit[0], float(np.sqrt(area / np.pi)), int(slices[0]), int(slices[-1]))


def _about(point: np.ndarray, ct: Volume, found: list[RodLine], radius: float | None) -> RodLine:
    """Return the rod that was found about a point, else one through it like the others."""
    i, j, k = ct.to_ijk(point)
    nk, nj, ni = ct.array.shape
    if not (0 <= i <= ni - 1 and 0 <= j <= nj - 1 and 0 <= k <= nk - 1):
        raise UserError(f"The rod's centre {point.tolist()} lies outside the CT.", "Give RAS coordinates in mm.")
    place = np.array([i, j]) * ct.spacing[:2]
    near = [rod for rod in found if np.hypot(*(rod.centres(np.array([k]))[0] - place)) <= rod.radius]
    if near:
        return near[0]
    slope = found[0].slope if found else np.zeros(2)
    usual = radius or (float(np.median([rod.radius for rod in found])) if found else _DEFAULT_RADIUS_MM)
    return RodLine(place - k * slope, slope, usual, 0, nk - 1)


def _measured(line: RodLine, ct: Volume) -> Rod:
    """Read a rod's attenuation well inside it: every slice alike, so that a bubble or a cut end shows."""
    di, dj = ct.spacing[:2]
    lean = float(np.hypot(*line.slope))  # sideways within one slice, mm
    inner = line.radius - np.hypot(di, dj) / 2 - lean / 2 - min(_EDGE_MM, 0.25 * line.radius)
    slices = np.arange(line.first, line.last + 1)
    if slices.size > 6:  # the ends hold air
        slices = slices[1:-1]
    means, noise, voxels = [], [], 0
    for k, centre in zip(slices, line.centres(slices), strict=True):
        values = _inside(ct.array[k], centre, max(inner, 0.4 * line.radius), (di, dj))
        if values.size:
            means.append(values.mean())
            noise.append(values.var())
            voxels += values.size
    if voxels < _FEWEST_VOXELS:
        raise UserError(f"A calibration rod of {2 * line.radius:.0f} mm holds only {voxels} voxels.", _HELP)
    hu = float(np.median(means))
    # Of a median; whole HU; and large voxels take in the edge.
    scatter = 1.4826 * np.median(np.abs(np.array(means) - hu))  # the ends may be cut
    error = float(1.25 * scatter / np.sqrt(len(means)) + 0.3 + _PARTIAL_HU * max(float(max(di, dj)) - 1, 0))
    _check_even(np.array(means), float(np.sqrt(np.mean(noise))))
    ends = np.array([[*(c / (di, dj)), k] for c, k in zip(line.centres(slices[[0, -1]]), slices[[0, -1]], strict=True)])
    ras = ct.to_ras(ends)
    return Rod(ras.mean(axis=0), ras, line.radius, hu, error)


def _inside(image: np.ndarray, centre: np.ndarray, radius: float, spacing: tuple[float, float]) -> np.ndarray:
    low = np.maximum(np.floor((centre - radius) / spacing).astype(int), 0)
    high = np.ceil((centre + radius) / spacing).astype(int) + 1
    part = image[low[1] : high[1], low[0] : high[0]]
    i = (low[0] + np.arange(part.shape[1])) * spacing[0] - centre[0]
    j = (low[1] + np.arange(part.shape[0])) * spacing[1] - centre[1]
    return part[np.hypot(i, j[:, None]) <= radius].astype(float)


def _check_even(means: np.ndarray, noise: float) -> None:
    thirds = [np.median(part) for part in np.array_split(means, 3)] if means.size >= 6 else means
    if np.ptp(thirds) > _UNEVEN_HU + 0.3 * noise:
        raise UserError(
            f"A calibration rod is not even along its length ({min(thirds):.0f} to {max(thirds):.0f} HU): "
            "it is cut, holds air, or is no rod.",
            _HELP,
        )


def _check_count(found: int, known: int, how: str) -> None:
    if found == known:
        return
    if found == 0:
        raise UserError("No calibration rods were found in the CT.", _HELP)
    raise UserError(
        f"{found} calibration rods were {how}, but {known} densities are given: one is missing, cut by the image, "
        "or no denser than what it lies in.",
        _HELP,
    )


def _check_lengths(lines: list[RodLine], ct: Volume) -> None:
    lengths = np.array([line.last - line.first + 1 for line in lines])
    if lengths.min() < (1 - _LONGEST_GAP) * lengths.max():
        raise UserError("A calibration rod is cut: it is much shorter than the others.", _HELP)
    nj, ni = ct.array.shape[1:]
    size = np.array([ni - 1, nj - 1]) * ct.spacing[:2]
    for line in lines:
        ends = line.centres(np.array([line.first, line.last]))
        if (ends < 0.5 * line.radius).any() or (ends > size - 0.5 * line.radius).any():
            raise UserError("A calibration rod is cut by the image's border.", _HELP)


def _check_apart(rods: list[Rod]) -> None:
    for n, rod in enumerate(rods):
        if not DIAMETERS_MM[0] * 0.8 <= 2 * rod.radius <= DIAMETERS_MM[1] * 1.2:
            raise UserError(f"A calibration rod of {2 * rod.radius:.0f} mm is no rod.", _HELP)
        for other in rods[:n]:
            if np.linalg.norm(rod.centre[:2] - other.centre[:2]) < 0.8 * (rod.radius + other.radius):
                raise UserError("Two calibration rods overlap.", _HELP)


def _order_note(rods: list[Rod], given: list[float]) -> str:
    """Say so when the rods do not lie in the order of the given list (from either side)."""
    across = np.array([rod.centre for rod in rods])
    along = np.linalg.svd(across - across.mean(axis=0))[2][0]
    order = np.argsort((across - across.mean(axis=0)) @ along)  # of the rods, which ascend in attenuation
    ranks = np.argsort(np.argsort(given))
    if (
        list(order) in (ranks.tolist(), ranks[::-1].tolist())
        or (np.diff(order) > 0).all()
        or (np.diff(order) < 0).all()
    ):
        return ""
    return "the rods do not lie in the order of the given densities; they were matched by attenuation"


def _fitted(ct: Volume, rods: list[Rod], known: np.ndarray, how: str, note: str) -> DensityLine:
    hu, n = np.array([rod.hu for rod in rods]), len(rods)
    steep, at_zero = np.polyfit(known, hu, 1)
    off = hu - (steep * known + at_zero)
    r_squared = 1 - np.sum(off**2) / np.sum((hu - hu.mean()) ** 2)
    if not _POSSIBLE_SLOPE[0] <= steep <= _POSSIBLE_SLOPE[1]:
        raise UserError(f"The rods give {steep:.2f} HU per mg/cm3, which no CT scanner has.", _HELP)
    if r_squared < _LEAST_R_SQUARED or np.abs(off / steep).max() > _MOST_RESIDUAL:
        raise UserError(
            f"The rods do not fit the densities: R2 {r_squared:.3f}, up to {np.abs(off / steep).max():.0f} mg/cm3 off.",
            _HELP,
        )
    read = float(np.sqrt(np.mean([rod.error**2 for rod in rods])))
    scatter = float(np.sqrt(np.sum(off**2) / (n - 2))) * float(special.stdtrit(n - 2, 0.8413)) if n > 2 else 0.0
    two = ("two rods always lie on a line: its fit cannot be judged",) if n == 2 else ()
    return DensityLine(
        slope=float(1 / steep),
        intercept=float(-at_zero / steep),
        method=f"rods in the scan ({n} {how})",
        centre_hu=float(hu.mean()),
        spread_hu=float(np.sqrt(np.sum((hu - hu.mean()) ** 2))),
        scatter=max(scatter, read) / float(steep),
        count=n,
        r_squared=float(r_squared),
        residuals=tuple(float(r) for r in off / steep),
        notes=tuple(text for text in (note, *two) if text),
        kvp=kvp_of(ct),
        references=tuple(
            Reference("rod", float(d), r.hu, r.error, tuple(r.centre.tolist()), r.radius, r.ends.tolist())
            for d, r in zip(known, rods, strict=True)
        ),
    )


def kvp_of(ct: Volume) -> float | None:
    """Return the CT's tube voltage, if its header tells."""
    text = ct.acquisition.get("KVP", "")
    return float(text) if text else None
