"""How the patient moved between two sequences, in the sagittal plane, and regions that move with them.

Regions stay in the patient space of the sequence that they were proposed on; each other sequence has its own motion.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..anatomy import VertebralLevel
from ..image import Volume
from .motion_fit import MOST_DEGREES, MOST_MM, Window, best_pose, moved
from .plane import Plane, floats
from .roi import Roi, checked

SMALLEST_MM = 1.0  # a smaller shift of regions that keep 4 mm from the edge does not matter
LEAST_GAIN = 0.05  # of the information that the sequences share
_LEAST_FIT = 1.01  # normalised mutual information: 1 is nothing in common
_AHEAD_MM, _BEHIND_MM, _BEYOND_MM = 24.0, 55.0, 20.0  # the spine to its spinous processes, not the moving bowel
_ASIDE_MM = (-8.0, 0.0, 8.0)  # planes that still cut the bodies


@dataclass(frozen=True)
class Motion:
    """How the patient lies in one sequence, against the sequence that the regions belong to.

    Parameters
    ----------
    anterior_mm, up_mm : float
        Of the pivot.
    rotation_deg : float
        About the pivot; positive where the head went forwards.
    gain : float
        Share by which the information that the two sequences have in common grows when the motion is corrected.
    trusted : bool
        Whether regions are to be moved: the motion is large enough to matter, and the fit is clearly better with it.
    note : str
        Why it is not trusted; else empty.
    plane : Plane
        Sagittal, axes towards anterior and cranial.
    pivot : tuple of float, shape (2,)
        In the plane, mm.
    largest_mm : float
        The largest shift of a body's middle.

    Raises
    ------
    ValueError
        When a number is not finite.
    """

    anterior_mm: float
    up_mm: float
    rotation_deg: float
    gain: float
    trusted: bool
    note: str
    plane: Plane
    pivot: tuple[float, float]
    largest_mm: float

    def __post_init__(self) -> None:
        names = ("anterior_mm", "up_mm", "rotation_deg", "gain", "largest_mm")
        for name, value in zip(names, floats([getattr(self, name) for name in names], (5,))):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "pivot", floats(self.pivot, (2,)))

    @property
    def matters(self) -> bool:
        """Whether a body's middle moves by a mm or more, trusted or not: less need not be spoken of."""
        return self.largest_mm >= SMALLEST_MM

    def moved(self, ras: np.ndarray) -> np.ndarray:
        """Return where points of the reference, shape (..., 3), RAS mm, lie in the sequence."""
        places = self.plane.from_ras(ras)
        pose = (self.anterior_mm, self.up_mm, self.rotation_deg)
        after = moved(places[..., :2].reshape(-1, 2), pose, np.array(self.pivot)).reshape(*places.shape[:-1], 2)
        return self.plane.to_ras(after) + places[..., 2:] * self.plane.normal

    def to_dict(self) -> dict:
        """Return plain data for JSON."""
        return {
            "anterior_mm": self.anterior_mm,
            "up_mm": self.up_mm,
            "rotation_deg": self.rotation_deg,
            "gain": self.gain,
            "trusted": self.trusted,
            "note": self.note,
            "origin": list(self.plane.origin),
            "axes": [list(axis) for axis in self.plane.axes],
            "pivot": list(self.pivot),
            "largest_mm": self.largest_mm,
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> Self:
        """Return the motion that `to_dict` described.

        Raises
        ------
        UserError
            When something is missing or impossible.
        """
        return checked(data, _read)


def _read(data: Mapping) -> Motion:
    if not isinstance(data["trusted"], bool):
        raise ValueError("'trusted' is true or false")
    numbers = {name: data[name] for name in ("anterior_mm", "up_mm", "rotation_deg", "gain", "largest_mm")}
    plane = Plane(data["origin"], data["axes"])
    return Motion(**numbers, trusted=data["trusted"], note=str(data["note"]), plane=plane, pivot=data["pivot"])


def apply(roi: Roi, motion: Motion) -> Roi:
    """Return the region where the patient lies in the moved sequence; its outline in its own plane stays.

    Parameters
    ----------
    roi : Roi
        In the patient space of the reference.
    motion : Motion
        Whether it is trusted is the caller's to ask.
    """
    origin = motion.moved(np.array(roi.plane.origin))
    axes = [motion.moved(np.add(roi.plane.origin, axis)) - origin for axis in roi.plane.axes]
    return replace(roi, plane=Plane(tuple(origin), tuple(map(tuple, axes))))


def estimate_motion(
    reference: Volume, moving: Volume, plane: Plane, around: Mapping[VertebralLevel, np.ndarray]
) -> Motion:
    """Estimate how the patient moved between two sequences, rigidly in the sagittal plane.

    Both are compared from the front of the bodies to their spinous processes, on the mid-sagittal plane and 8 mm to
    both sides, by normalised mutual information. Found are up to 12 mm and 6 degrees.

    Parameters
    ----------
    reference, moving : Volume
        Sequences of any contrast, each on its own grid.
    plane : Plane
        Mid-sagittal; axes towards anterior and cranial.
    around : mapping of VertebralLevel to ndarray, shape (3,)
        The middles of the bodies in the reference, RAS mm. The motion turns about L3's, else about their mean.

    Returns
    -------
    Motion
        Trusted where a body's middle moves by 1 mm or more and the shared information grows by 5 % or more.

    Raises
    ------
    ValueError
        When there is no body to look around.
    """
    if not around:
        raise ValueError("a motion is looked for around the bodies, and there are none")
    places = {level: plane.from_ras(np.asarray(ras))[:2] for level, ras in around.items()}
    middles = np.array(list(places.values()))
    pivot = places.get(VertebralLevel.L3, middles.mean(axis=0))
    window = Window(plane, pivot, middles, _AHEAD_MM, _BEHIND_MM, _BEYOND_MM, _ASIDE_MM)
    pose, fit, fit_before = best_pose(reference, moving, window)
    largest = float(np.linalg.norm(moved(middles, pose, pivot) - middles, axis=1).max())
    gain = (fit - fit_before) / max(fit_before - 1, 1e-3)
    note = _why_not(pose, fit, gain, largest)
    return Motion(*map(float, pose), float(gain), not note, note, plane, tuple(pivot), largest)


def centres(bodies: Mapping[VertebralLevel, Roi]) -> dict[VertebralLevel, np.ndarray]:
    """Return the middles of body regions (`Regions.bodies`), RAS mm."""
    return {level: roi.plane.to_ras(np.mean(roi.outline, axis=0)) for level, roi in bodies.items()}


def _why_not(pose: np.ndarray, fit: float, gain: float, largest: float) -> str:
    """Return why a motion is not to be trusted; empty where it is."""
    if largest < SMALLEST_MM:
        return f"{largest:.1f} mm, under {SMALLEST_MM:g} mm"
    if fit < _LEAST_FIT:
        return "the sequences have too little in common to be compared"
    if np.abs(pose[:2]).max() > MOST_MM or abs(pose[2]) > MOST_DEGREES:
        return f"beyond {MOST_MM:g} mm or {MOST_DEGREES:g}°, where it was not looked for"
    if gain < LEAST_GAIN:
        return f"the sequences fit hardly better with it ({gain:.1%})"
    return ""
