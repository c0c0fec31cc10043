"""Paints soft tissues as stacks of ellipses into a tissue map."""

from collections.abc import Callable

import numpy as np

from .raster import Box, Raster
from .tissues import Tissue

Profile = Callable[[np.ndarray], np.ndarray] | float


class TissueMap:
    """One tissue at each fine sample of a raster.

    Parameters
    ----------
    raster : Raster
    """

    def __init__(self, raster: Raster) -> None:
        self.raster = raster
        self.array = np.zeros(raster.shape, dtype=np.uint8)

    def column(
        self,
        tissue: Tissue,
        span: tuple[float, float],
        centre: tuple[Profile, Profile],
        radii: tuple[Profile, Profile],
        over: tuple[Tissue, ...] = (),
    ) -> None:
        """Paint ellipses of the axial plane between two heights.

        Parameters
        ----------
        tissue : Tissue
        span : (low, high)
            z, mm.
        centre, radii : pairs of number or function of z
            Along x and y, mm; nothing is painted where a radius is not positive.
        over : tuple of Tissue
            Paint only where one of these is; everywhere when empty.
        """
        levels = self.raster.z.range(*span)
        z = self.raster.z.fine[levels]
        if z.size == 0:
            return
        (cx, cy), (rx, ry) = ([_values(f, z) for f in pair] for pair in (centre, radii))
        if not (reaching := (rx > 0) & (ry > 0)).any():
            return
        rx, ry = np.where(reaching, rx, 1e-3), np.where(reaching, ry, 1e-3)
        box = (
            levels,
            self.raster.y.range((cy - ry).min(), (cy + ry).max()),
            self.raster.x.range((cx - rx).min(), (cx + rx).max()),
        )
        x, y = self.raster.x.fine[box[2]], self.raster.y.fine[box[1]]
        if x.size and y.size:
            across = (((x - cx[:, None]) / rx[:, None]) ** 2).astype(np.float32)
            along = (((y - cy[:, None]) / ry[:, None]) ** 2).astype(np.float32)
            self.fill(tissue, box, across[:, None, :] + along[:, :, None] <= 1, over)

    def ellipsoid(
        self,
        tissue: Tissue,
        centre: tuple[float, float, float],
        radii: tuple[float, float, float],
        over: tuple[Tissue, ...] = (),
    ) -> None:
        """Paint an ellipsoid with its axes along R, A, S."""
        x, y, z = centre
        rx, ry, rz = radii

        def narrowed(radius: float) -> Profile:
            return lambda at: radius * np.sqrt(np.clip(1 - ((at - z) / rz) ** 2, 0, None))

        self.column(tissue, (z - rz, z + rz), (x, y), (narrowed(rx), narrowed(ry)), over)

    def fill(self, tissue: Tissue, box: Box, inside: np.ndarray, over: tuple[Tissue, ...] = ()) -> None:
        """Paint where `inside` is True within `box`."""
        part = self.array[box]
        if over:
            inside = inside & np.isin(part, over) if len(over) > 1 else inside & (part == over[0])
        part[inside] = tissue


def _values(profile: Profile, z: np.ndarray) -> np.ndarray:
    return np.broadcast_to(profile(z) if callable(profile) else float(profile), z.shape)
