"""Where the vertebrae stand: a chain of bodies and wedged discs on the sloping sacrum."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..anatomy import VertebralLevel
from ..level_frame import LevelFrame
from .body import BodyForm, Heights, fractured_heights, unfractured_heights
from .dimensions import BODY_SIZES
from .settings import PhantomSettings

CANAL_DEPTH_MM = 16.5  # typical, sagittal
_FRACTURE_DISC_SHARE = 0.35  # of a fracture's kyphosis that the neighbouring discs take back


@dataclass(frozen=True)
class Vertebra:
    """One level: its shape and its place.

    Parameters
    ----------
    level : VertebralLevel
    form : BodyForm
    healthy : Heights
        Before a fracture.
    frame : LevelFrame
        In patient coordinates: origin in the middle of L3, RAS, mm.
    scale : float
        Factor on the sizes of the posterior elements.
    """

    level: VertebralLevel
    form: BodyForm
    healthy: Heights
    frame: LevelFrame
    scale: float

    def local(self, points: np.ndarray) -> np.ndarray:
        """Map patient coordinates, shape (3, ...), to the vertebra's frame, mm, float32."""
        axes, origin = self.frame.axes.astype(np.float32), self.frame.origin.astype(np.float32)
        moved = [points[n] - origin[n] for n in range(3)]
        return np.stack([row[0] * moved[0] + row[1] * moved[1] + row[2] * moved[2] for row in axes])

    def corners(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the box in patient space that holds a box of the vertebra's frame."""
        grid = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T
        ras = self.frame.to_ras(grid)
        return ras.min(axis=0), ras.max(axis=0)


@dataclass(frozen=True)
class Spine:
    """All vertebrae of a patient, T10 to S1."""

    vertebrae: Mapping[VertebralLevel, Vertebra]
    scale: float

    def __getitem__(self, level: VertebralLevel) -> Vertebra:
        return self.vertebrae[level]

    @cached_property
    def _course(self) -> np.ndarray:
        """Rows of z, and (x, y) of the bodies' middle and of their posterior wall, from S1 to T10, mm."""
        rows = []
        for vertebra in self.vertebrae.values():
            wall = vertebra.frame.to_ras([0, -vertebra.form.depth / 2, 0])
            rows.append([vertebra.frame.origin[2], *vertebra.frame.origin[:2], wall[2], *wall[:2]])
        first = self[VertebralLevel.S1]
        wall = -first.form.depth / 2 / self.scale
        for depth, back in ((32.0, 2.0), (62.0, 15.0)):  # S2 and S3: the sacrum curves backwards
            middle, behind = first.frame.to_ras(
                np.array([[0, -4 - back, -depth], [0, wall - back, -depth]]) * self.scale
            )
            rows.append([middle[2], *middle[:2], behind[2], *behind[:2]])
        return np.array(rows[::-1])

    def middle(self, z: np.ndarray) -> np.ndarray:
        """Return (x, y) of the middle of the bodies at heights `z`, shape (2, len(z)), mm."""
        course = self._course
        return np.array([_smooth(z, course[:, 0], course[:, n]) for n in (1, 2)])

    def posterior_wall(self, z: np.ndarray) -> np.ndarray:
        """Return (x, y) of the bodies' posterior walls at heights `z`, shape (2, len(z)), mm."""
        course = self._course
        return np.array([_smooth(z, course[:, 3], course[:, n]) for n in (4, 5)])


def _smooth(z: np.ndarray, knots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate linearly, rounded over 16 mm: a plain mean of three shifted interpolations."""
    return np.mean([np.interp(z + shift, knots, values) for shift in (-8, 0, 8)], axis=0)


def build_spine(settings: PhantomSettings) -> Spine:
    """Chain the vertebrae from the sacrum upwards; the origin of the patient's coordinates is the middle of L3."""
    forms = {level: _form(settings, level) for level in settings.levels}
    sagittal = np.radians(settings.sacral_slope - forms[VertebralLevel.S1][0].wedge_angle)  # S1's lower end
    point = np.zeros(3)
    frames: dict[VertebralLevel, LevelFrame] = {}
    for count, level in enumerate(reversed(settings.levels)):
        form, _ = forms[level]
        if count:
            disc_wedge = np.radians(_disc_wedge(settings, level, forms))
            sagittal -= disc_wedge / 2
            point = point + BODY_SIZES[level].disc * settings.size * _axis(sagittal, 0.0)
            sagittal -= disc_wedge / 2
        # The wedge angle is positive where the body is lower in front, which turns the spine above it forwards.
        half = np.radians(form.wedge_angle) / 2
        height = float(form.half_line(np.zeros(1))[0])
        sideways = np.radians(settings.scoliosis) * np.sin(np.pi * count / (len(settings.levels) - 1))
        up = _axis(sagittal + half, sideways)
        centre = point + height * up
        frames[level] = _frame(centre, up)
        point = centre + height * up
        sagittal += 2 * half
    origin = frames[VertebralLevel.L3].origin
    vertebrae = {
        level: Vertebra(
            level, *forms[level], LevelFrame(frames[level].origin - origin, frames[level].axes), settings.size
        )
        for level in settings.levels
    }
    return Spine(vertebrae, settings.size)


def _form(settings: PhantomSettings, level: VertebralLevel) -> tuple[BodyForm, Heights]:
    size, scale = BODY_SIZES[level], settings.size
    healthy = unfractured_heights(size.anterior * scale, size.posterior * scale)
    fracture = settings.fracture(level)
    heights = fractured_heights(healthy, fracture)
    return BodyForm(size.width * scale, size.depth * scale, heights, fracture is not None), healthy


def _disc_wedge(settings: PhantomSettings, above: VertebralLevel, forms: Mapping) -> float:
    """Wedge of the disc below `above`, degrees: the discs beside a fracture take back a part of its kyphosis."""
    wedge = BODY_SIZES[above].disc_wedge * settings.lordosis
    below = settings.levels[settings.levels.index(above) + 1]
    for level in (above, below):
        if settings.fracture(level):
            form, healthy = forms[level]
            before = BodyForm(form.width, form.depth, healthy)
            wedge += _FRACTURE_DISC_SHARE / 2 * (form.wedge_angle - before.wedge_angle)
    return wedge


def _axis(sagittal: float, sideways: float) -> np.ndarray:
    """Unit vector towards the head, leaning forwards by `sagittal` and to the right by `sideways`, rad."""
    return np.array([np.sin(sideways), np.sin(sagittal) * np.cos(sideways), np.cos(sagittal) * np.cos(sideways)])


def _frame(origin: np.ndarray, up: np.ndarray) -> LevelFrame:
    return LevelFrame(origin, np.eye(3)).aligned(up)
