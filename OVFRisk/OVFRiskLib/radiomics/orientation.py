"""One orientation for every volume, so that how it is stored does not change its features."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..image import Grid, Mask, Volume
from .intensities import once_a_volume

ORIENTATION = "LPS"
AnyGrid = TypeVar("AnyGrid", bound=Grid)


def oriented(volume: Volume, mask: Mask, settings: Mapping[str, object]) -> tuple[Volume, Mask]:
    """Return image and mask as `canonicalOrientation` asks for; where it is not set, as they are.

    Parameters
    ----------
    volume, mask : Volume, Mask
        On one grid.
    """
    if not settings.get("canonicalOrientation"):
        return volume, mask
    return _canonical_volume(volume), _canonical(Mask(mask.array, volume.ijk_to_ras))


@once_a_volume
def _canonical_volume(volume: Volume) -> Volume:
    return _canonical(volume)


def _canonical(grid: AnyGrid) -> AnyGrid:
    """Return the same voxels with their axes in one order, at the origin.

    The place in space is left out: its last bits, which depend on how the volume was stored, would decide where voxels
    lie halfway between two.
    """
    turned = grid.reoriented(ORIENTATION)
    return replace(turned, ijk_to_ras=np.diag([*(turned.spacing * (-1, -1, 1)), 1.0]))
