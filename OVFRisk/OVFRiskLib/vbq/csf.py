"""Finds the CSF of the thecal sac behind a lumbar body: the reference signal of vertebral bone quality.

CSF is brighter than marrow on T2 and STIR and darker on T1; epidural fat is bright on T1 and dark on STIR: all the
sequences of an exam have to agree. The cauda equina lies at the back of the sac in a patient on the back, so of equally
good circles the foremost is taken.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..anatomy import Region, Structure, VertebralLevel
from ..image import Modality, Volume
from .plane import Plane
from .regions import RegionSettings
from .roi import Roi
from .sampling import STEP_MM, nearest
from .sections import Section

_ADJACENT = (VertebralLevel.L4, VertebralLevel.L2)
_FRONT_MM = 14.0  # within this distance of the posterior wall lies the front of the sac, not yet the fat behind it
_PURE = 0.6  # of the way from marrow to CSF: less is nerve roots, fat, partial volume
_SMOOTHING_MM = 1.0
_CLEARANCE_MM = 0.25  # a sample reaches half a step beyond its centre
_SLACK_MM = 0.25  # a circle this much smaller than the largest may be taken where it is purer
_OFFSET_COST = 0.1  # mm of radius that a mm of distance from the midline must gain
_CORNERS = 64


@dataclass(frozen=True)
class Wall:
    """The posterior wall of a body on its sagittal plane.

    Parameters
    ----------
    middle : ndarray, shape (2,)
        In-plane position, mm.
    up, back : ndarray, shape (2,)
        Unit directions along the wall and away from the body.
    half_height : float
        mm along the wall.
    """

    middle: np.ndarray
    up: np.ndarray
    back: np.ndarray
    half_height: float

    def to_plane(self, along: np.ndarray, behind: np.ndarray) -> np.ndarray:
        """Map positions along and behind the wall, mm, to the plane, shape (..., 2)."""
        return self.middle + np.asarray(along)[..., None] * self.up + np.asarray(behind)[..., None] * self.back


@dataclass(frozen=True)
class Circle:
    """A circle in a plane; centre (2,) and radius in mm."""

    plane: Plane
    centre: np.ndarray
    radius: float


def propose_csf(
    volumes: Mapping[Modality, Volume],
    sections: Mapping[VertebralLevel, Section],
    bodies: Mapping[VertebralLevel, Roi],
    settings: RegionSettings,
) -> Roi | str:
    """Return the CSF region at L3, or at L4 or L2 where L3's is too narrow; or the reason why there is none.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        The sequences of the exam; all that are given must agree that it is CSF.
    sections : mapping of VertebralLevel to Section
    bodies : mapping of VertebralLevel to Roi
        Their body regions: marrow is what CSF is compared with.
    settings : RegionSettings
    """
    marrow = {sequence: _marrow(volume, bodies.values()) for sequence, volume in volumes.items()}
    circles = {}
    for level in (VertebralLevel.L3, *_ADJACENT):
        if level in sections:
            circles[level] = _largest(volumes, marrow, sections[level], settings)
        if level is VertebralLevel.L3 and _radius(circles.get(level)) >= settings.csf_adjacent_below_mm:
            break
    level = max(circles, key=lambda where: _radius(circles[where]), default=VertebralLevel.L3)
    circle = circles.get(level)
    if circle is None or circle.radius < settings.csf_least_radius_mm:
        return _not_found(volumes, circles)
    return _roi(level, circle, settings, _note(level, circles, volumes))


def _marrow(volume: Volume, bodies: Iterable[Roi]) -> float:
    """Return the levels' typical signal, so that one diseased body does not matter; NaN where all lie outside."""
    signals = [volume.array[body.mask_on(volume).array] for body in bodies]
    return float(np.median([np.median(signal) for signal in signals if signal.size] or np.nan))


def _largest(
    volumes: Mapping[Modality, Volume],
    marrow: Mapping[Modality, float],
    section: Section,
    settings: RegionSettings,
) -> Circle | None:
    """Return the largest circle of CSF on the planes near the level's midline, None where there is no CSF."""
    wall = posterior_wall(section)
    best, most = None, -np.inf
    for offset in np.arange(-settings.csf_search_mm, settings.csf_search_mm + 0.5):
        circle = _circle(volumes, marrow, section.plane.shifted(float(offset)), wall, settings)
        worth = _radius(circle) - _OFFSET_COST * abs(offset)
        if circle and worth > most:
            best, most = circle, worth
    return best


def posterior_wall(section: Section) -> Wall:
    """Fit a straight line to the back of a body's section.

    Rows perpendicular to the spine end at the wall; the outer ones belong to the end plates' rims and are left out. The
    fit is a robust one: osteophytes and the foramen of the basivertebral vein do not count.
    """
    forward = np.array([section.up[1], -section.up[0]])
    points = section.points
    rows = np.floor(points @ section.up / STEP_MM).astype(int)
    names, row_of = np.unique(rows, return_inverse=True)
    back = np.full(names.size, np.inf)
    np.minimum.at(back, row_of, points @ forward)
    height = (names + 0.5) * STEP_MM
    inner = np.abs(height - np.median(height)) <= 0.35 * (height[-1] - height[0])
    slope, start = _robust_line(height[inner], back[inner])
    middle = float(np.median(height[inner]))
    along = section.up + slope * forward
    along = along / np.linalg.norm(along)
    place = middle * section.up + (slope * middle + start) * forward
    return Wall(place, along, np.array([-along[1], along[0]]), float(height[-1] - height[0]) / 2)


def _robust_line(t: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Return slope and start of the Theil-Sen line."""
    first, second = np.triu_indices(t.size, 1)
    slope = float(np.median((values[second] - values[first]) / (t[second] - t[first])))
    return slope, float(np.median(values - slope * t))


def _circle(
    volumes: Mapping[Modality, Volume],
    marrow: Mapping[Modality, float],
    plane: Plane,
    wall: Wall,
    settings: RegionSettings,
) -> Circle | None:
    """Return the largest circle of CSF on one plane; of nearly equal ones the purest, of equally pure the foremost."""
    behind = np.arange(settings.csf_band_mm[0], settings.csf_band_mm[1] + STEP_MM / 2, STEP_MM)
    along = np.arange(-wall.half_height, wall.half_height + STEP_MM / 2, STEP_MM)
    places = wall.to_plane(*np.meshgrid(along, behind))  # rows go from front to back
    front = behind <= _FRONT_MM
    purity = np.min([_purity(s, _signal(s, v, plane, places), marrow[s], front) for s, v in volumes.items()], axis=0)
    depth = ndimage.distance_transform_edt(np.pad(purity >= _PURE, 1), sampling=STEP_MM)[1:-1, 1:-1] - _CLEARANCE_MM
    if depth.max() <= 0:
        return None
    enough = min(float(depth.max()), settings.csf_radius_mm) - _SLACK_MM
    inner = np.where(depth >= enough, _mean_within(purity, enough), 0.0)
    row, column = np.unravel_index(np.argmax(np.round(inner, 3)), inner.shape)
    radius = min(float(depth[row, column]), settings.csf_radius_mm)
    return Circle(plane, wall.to_plane(along[column], behind[row]), radius)


def _mean_within(values: np.ndarray, radius_mm: float) -> np.ndarray:
    """Return the mean over a disc about each sample."""
    reach = np.arange(-int(radius_mm / STEP_MM), int(radius_mm / STEP_MM) + 1)
    disc = (np.hypot(*np.meshgrid(reach, reach)) * STEP_MM <= radius_mm).astype(float)
    return ndimage.correlate(values, disc / disc.sum(), mode="constant")


def _signal(sequence: Modality, volume: Volume, plane: Plane, places: np.ndarray) -> np.ndarray:
    """Return the smoothed signal at in-plane places: of three planes 1 mm apart the one least like CSF; NaN outside."""
    layers = [nearest(volume, plane.shifted(distance).to_ras(places)) for distance in (-1.0, 0.0, 1.0)]
    worst = np.max(layers, axis=0) if sequence is Modality.T1 else np.min(layers, axis=0)
    return ndimage.gaussian_filter(worst, _SMOOTHING_MM / STEP_MM)


def _purity(sequence: Modality, signal: np.ndarray, marrow: float, front: np.ndarray) -> np.ndarray:
    """Return how far the signal is on the way from marrow (0) to the CSF at the front of the sac (1)."""
    contrast = np.nan_to_num(marrow - signal if sequence is Modality.T1 else signal - marrow)
    beyond = contrast[front][contrast[front] > 0]
    if beyond.size == 0:
        return np.zeros(signal.shape)
    return np.clip(contrast / np.percentile(beyond, 90), 0, 1)


def _radius(circle: Circle | None) -> float:
    return circle.radius if circle else 0.0


def _roi(level: VertebralLevel, circle: Circle, settings: RegionSettings, note: str) -> Roi:
    """Return the circle as a polygon whose edges touch it."""
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    corners = circle.radius / np.cos(np.pi / _CORNERS) * np.column_stack([np.cos(angles), np.sin(angles)])
    region = Region(Structure.CSF, level)
    return Roi(region, circle.plane, circle.centre + corners, settings.half_thickness_mm, note)


def _note(
    level: VertebralLevel, circles: Mapping[VertebralLevel, Circle | None], volumes: Mapping[Modality, Volume]
) -> str:
    notes = []
    if level is not VertebralLevel.L3:
        radius = _radius(circles.get(VertebralLevel.L3))
        notes.append(f"CSF taken at {level}: at L3 there is a circle of only {radius:.1f} mm radius")
    if set(volumes) == {Modality.T1}:
        notes.append("CSF proposed on T1 alone, where nerve roots look like it: check the region")
    return "; ".join(notes)


def _not_found(volumes: Mapping[Modality, Volume], circles: Mapping[VertebralLevel, Circle | None]) -> str:
    if not circles:
        return "no body at L3, L4 or L2 to look for CSF behind"
    reason = f"no CSF found on {' and '.join(volumes)} behind {', '.join(sorted(circles))}"
    return reason if len(volumes) == 1 else f"{reason} alike: are the sequences swapped, or did the patient move?"
