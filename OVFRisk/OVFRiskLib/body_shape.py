"""The vertebral body in its own frame: end plates, walls, and where the arch begins."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .image import Mask
from .level_frame import ANTERIOR, LevelFrame, thickest_point

STEP_MM = 0.5  # sampling of a vertebra in its own frame: finer than any clinical CT
COARSE_STEP_MM = 1.0  # while the frame is still being found
HALF_EXTENT_MM = (35.0, 40.0, 30.0)  # along x, y, z: holds the largest lumbar body, its pedicles and the canal
_EDGE_SHARE = 0.6  # columns this much of the body's typical height make up the end plates
_WALL_BAND_MM = 3.0  # half-width of the band for the walls, which curve away to the sides
_WALL_SHARE = 0.7  # of the greatest depth
_CORNER_MM = 2.5  # rounded corners and lips of the walls, left out
_WAIST_MM = 0.5, -1.5  # posterior, anterior wall, halfway against the plates, along y: assumed usual ones,
_WAIST_SPREAD_MM, _WALL_LEAN_MM = 0.5, 2.0  # with their spread; the lean at the plates against the frame
_WALL_PATCH_MM = 3.0  # rows nearer than this err together
_STEEPEST = 0.6  # lean of the posterior wall (30 degrees) against the normal of the mean end plate
_MARGIN = 4  # voxels around a vertebra: shows what is not bone above and below the end plates
_BAND_MM = 5.0  # half-width of the mid-sagittal band


@dataclass(frozen=True)
class BodyShape:
    """The vertebral body sampled in its own frame.

    Parameters
    ----------
    frame : LevelFrame
    x, y : ndarray
        Sampling positions, mm.
    top, bottom : ndarray, shape (len(x), len(y))
        End-plate heights z (mm) of each column; NaN outside the body.
    anterior, posterior : float
        Extent of the end plates along y on the mid-sagittal band, mm.
    wall : ndarray, shape (2,)
        The posterior wall as a line y = wall[0] z + wall[1].
    has_arch : bool
        Whether the mask goes on behind the spinal canal: a whole vertebra, not a body only.
    resolution : float
        Height of the mask's voxels along z, mm: steps of this size are no outliers.
    mask : Mask
        The vertebra it was found in, cropped.
    """

    frame: LevelFrame
    x: np.ndarray
    y: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    anterior: float
    posterior: float
    wall: np.ndarray
    has_arch: bool
    resolution: float
    mask: Mask

    def wall_at(self, z: np.ndarray) -> np.ndarray:
        """Return the y of the posterior wall at heights `z`, mm."""
        return np.polyval(self.wall, z)

    def band(self, half_width_mm: float = _BAND_MM) -> tuple[np.ndarray, np.ndarray]:
        """Return mean (top, bottom) over the mid-sagittal band, each of shape (len(y),); NaN outside the body."""
        inside = np.abs(self.x) <= half_width_mm
        return _mean_of_known(self.top[inside]), _mean_of_known(self.bottom[inside])


def body_shape(mask: Mask, up: np.ndarray, forward: np.ndarray = ANTERIOR, passes: int = 3) -> BodyShape:
    """Find the body of one vertebra and describe it in its own frame.

    Parameters
    ----------
    mask : Mask
        One vertebra, whole or its body only.
    up : ndarray, shape (3,)
        Direction of the spine at this level towards the head, RAS; a rough guess is enough.
    forward : ndarray, shape (3,)
        Where the front of the vertebra is, RAS.
    passes : int
        How often the frame is fitted to the end plates found in it.

    Raises
    ------
    ValueError
        When the mask is empty or holds nothing that looks like a body.
    """
    mask = mask.cropped(mask.box(_MARGIN))
    frame = LevelFrame(thickest_point(mask, forward), np.eye(3)).aligned(np.asarray(up, dtype=float), forward)
    for _ in range(passes):
        frame = _refined(_shape_in(mask, _symmetric(mask, frame), COARSE_STEP_MM))
    return _shape_in(mask, frame, STEP_MM)


def robust_fit(t: np.ndarray, values: np.ndarray, degree: int, tolerance: float, rounds: int = 5) -> np.ndarray:
    """Return the polynomial (highest power first) through `values` at `t`, leaving out outliers.

    Left out is what lies further away than 2.5 times the median distance and than `tolerance`.
    """
    degree = min(degree, t.size // 3)
    keep = np.ones(t.size, dtype=bool)
    for _ in range(rounds):
        fit = np.polyfit(t[keep], values[keep], degree)
        distance = np.abs(values - np.polyval(fit, t))
        near = distance <= max(2.5 * np.median(distance[keep]), tolerance)
        if np.count_nonzero(near) < 2 * (degree + 1):
            break
        keep = near
    return fit


def _symmetric(mask: Mask, frame: LevelFrame) -> LevelFrame:
    """Turn the frame about its z axis, and shift it along x, to where left best mirrors right.

    A vertebra seen from above is nearly symmetric; its centroid or one transverse process tells the axial rotation
    far less well.
    """
    (x, y, _), share = _sampled(mask, frame, COARSE_STEP_MM)
    footprint = share.sum(axis=2)
    _, angle, middle = max(_mirrored(footprint, x, y, angle) for angle in np.radians(np.arange(-30, 31, 2)))
    turned = frame.aligned(frame.axes[2], np.sin(angle) * frame.axes[0] + np.cos(angle) * frame.axes[1])
    return turned.moved([middle, 0, 0])


def _mirrored(footprint: np.ndarray, x: np.ndarray, y: np.ndarray, angle: float) -> tuple[float, float, float]:
    """Return how well the footprint, turned by `angle` (rad), mirrors itself (0-1), the angle, the mirror's x (mm)."""
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    centre = np.array([x.size - 1, y.size - 1]) / 2
    turned = ndimage.affine_transform(footprint, turn, centre - turn @ centre, order=1, prefilter=False)
    spectrum = np.fft.rfft(turned, 2 * x.size, axis=0)
    overlap = np.fft.irfft((spectrum**2).sum(axis=1), 2 * x.size)  # sum over x of f(x) f(n - x), for every n
    best = int(np.argmax(overlap))
    return float(overlap[best] / np.sum(turned**2)), angle, float(x[0] + best / 2 * (x[1] - x[0]))


def _sampled(mask: Mask, frame: LevelFrame, step: float) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Sample the mask in the frame: positions along x, y, z, and the share of bone (0-1), shape (nx, ny, nz)."""
    positions = tuple(np.arange(-extent, extent + step / 2, step) for extent in HALF_EXTENT_MM)
    part = mask.cropped(mask.box(margin=2))
    start = part.to_ijk(frame.to_ras([p[0] for p in positions]))
    along = part.to_ijk(part.ijk_to_ras[:3, 3] + frame.axes * step)  # rows: one step along x, y, z, in i, j, k
    sampled = ndimage.affine_transform(
        part.array.astype(np.float32),
        along.T[::-1],
        start[::-1],
        output_shape=tuple(p.size for p in positions),
        order=1,
        prefilter=False,
    )
    return positions, sampled


def _shape_in(mask: Mask, frame: LevelFrame, step: float) -> BodyShape:
    (x, y, z), share = _sampled(mask, frame, step)
    inside = share >= 0.5
    wall, has_arch = _posterior_wall(inside, x, y, z, step)
    body = inside & (y[:, None] >= np.polyval(wall, z)[None, :])[None]
    body = _largest_piece(body)
    top, bottom = _end_plates(body, share, z)
    heights = top - bottom
    band = heights[np.abs(x) <= _BAND_MM]
    if not np.isfinite(band).any():
        raise ValueError("no vertebral body found in the mask")
    typical = np.nanmedian(band)
    low = heights < _EDGE_SHARE * typical
    top, bottom = np.where(low, np.nan, top), np.where(low, np.nan, bottom)
    _, along_y, resolution = np.abs(frame.axes @ mask.ijk_to_ras[:3, :3]).max(axis=1).tolist()
    posterior, anterior = _walls(body[np.abs(x) <= _WALL_BAND_MM].mean(axis=0) >= 0.5, y, step, along_y)
    return BodyShape(frame, x, y, top, bottom, anterior, posterior, wall, has_arch, resolution, mask)


def _walls(section: np.ndarray, y: np.ndarray, step: float, voxel: float) -> tuple[float, float]:
    """Return the y of the posterior and anterior wall at the end plates, from the mid-sagittal section (ny, nz).

    Walls are waisted and corners rounded: a parabola through each wall's middle part leads to the plates.
    """
    back = y[np.argmax(section, axis=0)] - step / 2
    front = y[section.shape[0] - 1 - np.argmax(section[::-1], axis=0)] + step / 2
    extent = np.where(section.any(axis=0), front - back, 0)
    rows = np.flatnonzero(extent >= _WALL_SHARE * extent.max())  # others run through an oblique end plate
    if rows.size < 4 / step:
        raise ValueError("no vertebral body found in the mask")
    corner = min(round(_CORNER_MM / step), rows.size // 4)
    middle = rows[corner : rows.size - corner]
    t = (2 * middle - rows[0] - rows[-1]) / (rows[-1] - rows[0])  # -1 and 1 at the plates
    noise = voxel / math.sqrt(12) * math.sqrt(_WALL_PATCH_MM / step)
    return tuple(_waisted(t, w[middle], waist, noise, voxel) for w, waist in zip((back, front), _WAIST_MM, strict=True))


def _waisted(t: np.ndarray, wall: np.ndarray, waist: float, noise: float, voxel: float, rounds: int = 5) -> float:
    """Return a wall's y at the plates (mean of t = -1 and 1), mm; of a waist that few rows do not tell, the usual."""
    terms = np.stack([np.ones_like(t), t, 1 - t**2], axis=-1)
    prior = np.diag([0.0, _WALL_LEAN_MM**-2, _WAIST_SPREAD_MM**-2])
    keep = np.ones(t.size, dtype=bool)
    for _ in range(rounds):
        weighted = terms[keep].T / noise**2
        fit = np.linalg.solve(weighted @ terms[keep] + prior, weighted @ wall[keep] + prior @ [0.0, 0.0, waist])
        distance = np.abs(wall - terms @ fit)
        near = distance <= max(2.5 * np.median(distance[keep]), 1.0, voxel / 2)
        if np.count_nonzero(near) < 2 * fit.size:
            break
        keep = near
    return float(fit[0])


def _posterior_wall(
    inside: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray, step: float
) -> tuple[np.ndarray, bool]:
    """Return the posterior wall as a line y(z), and whether there is bone behind the canal.

    Walking backwards from the body's middle on the mid-sagittal band, the mask ends at the posterior wall; the rows
    where that holds are fitted by a robust straight line, which then stands for the rows in between.
    """
    band = inside[np.abs(x) <= 3].mean(axis=0) >= 0.5  # (ny, nz)
    start = int(np.argmin(np.abs(y)))
    behind = band[start::-1]  # from the middle backwards
    filled = behind[0]
    exits = np.argmax(~behind, axis=0)
    gone = filled & (~behind).any(axis=0)
    rows = np.flatnonzero(gone)
    if rows.size < 3 / step:
        raise ValueError("no posterior wall found in the mask")
    wall_y = y[start - exits[rows]] + step / 2
    line = robust_fit(z[rows], wall_y, degree=1, tolerance=step)
    if abs(line[0]) > _STEEPEST:  # few rough rows of a flat body
        line = np.array([0.0, np.median(wall_y)])
    return line, _bone_behind(inside, y, np.polyval(line, z))


def _bone_behind(inside: np.ndarray, y: np.ndarray, wall: np.ndarray) -> bool:
    """Whether over a seventh of the mask lies more than 6 mm behind the wall (an arch), not just a bulging wall."""
    behind = inside & (y[:, None] < wall[None, :] - 6)[None]
    return bool(np.count_nonzero(behind) > np.count_nonzero(inside) / 7)


def _largest_piece(body: np.ndarray) -> np.ndarray:
    pieces, count = ndimage.label(body)
    if count == 0:
        raise ValueError("no vertebral body found in the mask")
    return pieces == np.argmax(np.bincount(pieces.ravel())[1:]) + 1


def _end_plates(body: np.ndarray, share: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return top and bottom z of each column, shape (nx, ny), NaN where the column is empty.

    The surface lies where the interpolated share of bone falls to one half, between two samples.
    """
    last = body.shape[2] - 1 - np.argmax(body[:, :, ::-1], axis=2)
    first = np.argmax(body, axis=2)
    step = z[1] - z[0]
    top = z[last] + step * _crossing(share, last, 1)
    bottom = z[first] - step * _crossing(share, first, -1)
    filled = body.any(axis=2)
    return np.where(filled, top, np.nan), np.where(filled, bottom, np.nan)


def _crossing(share: np.ndarray, index: np.ndarray, way: int) -> np.ndarray:
    """Return how far beyond the sample at `index`, in samples (0-1), the share falls to one half."""
    here = np.take_along_axis(share, index[..., None], axis=2)[..., 0]
    beyond = np.clip(index + way, 0, share.shape[2] - 1)
    there = np.take_along_axis(share, beyond[..., None], axis=2)[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(np.nan_to_num((here - 0.5) / (here - there), nan=0.5, posinf=0.5), 0, 1)


def _refined(shape: BodyShape) -> LevelFrame:
    """Turn the frame to the mean end-plate normal and move it into the body's middle."""
    normals = [_plane_normal(shape, surface) for surface in (shape.top, shape.bottom)]
    z = shape.frame.axes.T @ np.mean(normals, axis=0)
    band_top, band_bottom = shape.band()
    middle = np.nanmedian((band_top + band_bottom) / 2)
    return shape.frame.moved([0, (shape.anterior + shape.posterior) / 2, middle]).aligned(z)


def _plane_normal(shape: BodyShape, surface: np.ndarray, rounds: int = 6) -> np.ndarray:
    """Fit a plane to an end plate, leaving out its rim and outliers (osteophytes, Schmorl nodes)."""
    filled = ndimage.binary_erosion(np.isfinite(surface), iterations=int(2 / STEP_MM))
    ix, iy = np.nonzero(filled if filled.any() else np.isfinite(surface))
    points = np.column_stack([shape.x[ix], shape.y[iy], np.ones(ix.size)])
    z = surface[ix, iy]
    keep = np.ones(z.size, dtype=bool)
    for _ in range(rounds):
        plane = np.linalg.lstsq(points[keep], z[keep], rcond=None)[0]
        residual = np.abs(z - points @ plane)
        keep = residual <= max(2.5 * np.median(residual[keep]), shape.resolution)
    normal = np.array([-plane[0], -plane[1], 1.0])
    return normal / np.linalg.norm(normal)


def _mean_of_known(rows: np.ndarray) -> np.ndarray:
    """Mean over axis 0 of the finite values, NaN where fewer than half are finite."""
    known = np.isfinite(rows)
    count = known.sum(axis=0)
    total = np.where(known, rows, 0).sum(axis=0)
    return np.where(2 * count >= len(rows), total / np.maximum(count, 1), np.nan)
