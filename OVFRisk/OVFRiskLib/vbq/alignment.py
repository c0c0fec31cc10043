"""Sequences brought into one patient space, where the patient moved between them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..anatomy import VertebralLevel
from ..image import Modality, Volume
from .motion import Motion, estimate_motion
from .plane import Plane

_CORNERS = np.vstack([np.zeros(3), np.eye(3)])


def estimate_motions(
    volumes: Mapping[Modality, Volume],
    reference: Modality,
    plane: Plane,
    middles: Mapping[VertebralLevel, np.ndarray],
) -> dict[Modality, Motion]:
    """Estimate how the patient moved before each other sequence, against the `reference`; what matters is returned.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
    reference : Modality
        The sequence that the regions are drawn on.
    plane : Plane
        Mid-sagittal.
    middles : mapping of VertebralLevel to ndarray, shape (3,)
        Of the bodies, RAS mm.
    """
    found = {
        s: estimate_motion(volumes[reference], v, plane, middles) for s, v in volumes.items() if s is not reference
    }
    return {sequence: motion for sequence, motion in found.items() if motion.matters}


def aligned(volumes: Mapping[Modality, Volume], motions: Mapping[Modality, Motion]) -> dict[Modality, Volume]:
    """Return the volumes with their place in space as if the patient had not moved; no voxel is changed."""
    return {s: _moved_back(v, motions[s]) if s in motions and motions[s].trusted else v for s, v in volumes.items()}


def _moved_back(volume: Volume, motion: Motion) -> Volume:
    """Return the volume where the reference has it: the motion is a rigid map of RAS points, known by four of them."""
    after = motion.moved(_CORNERS)
    forwards = np.eye(4)
    forwards[:3, :3], forwards[:3, 3] = (after[1:] - after[0]).T, after[0]
    return replace(volume, ijk_to_ras=np.linalg.inv(forwards) @ volume.ijk_to_ras)
