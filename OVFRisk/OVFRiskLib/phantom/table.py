"""The pad with calibration rods below the patient, on the scanner's table."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .raster import covered
from .scene import Scene
from .settings import PhantomSettings
from .tissues import Tissue

ROD_RADIUS_MM = 7.0
PAD_MM = 22.0  # thickness
_PAD_HALF_WIDTH_MM = 100.0
_ROD_SPREAD_MM = 70.0  # outermost rods to either side
_COUCH_MM = 3.0


@dataclass(frozen=True)
class CalibrationRod:
    """A rod along z.

    Parameters
    ----------
    density : float
        mg/cm³.
    hu : float
    x, y : float
        Centre in patient coordinates, mm.
    """

    density: float
    hu: float
    x: float
    y: float


def calibration_rods(settings: PhantomSettings, back: float) -> list[CalibrationRod]:
    """Return the rods from the patient's right to left, in the pad that touches the back at `back` (y, mm)."""
    slope, intercept = settings.rod_line
    count = len(settings.rods)
    places = [0.0] if count == 1 else np.linspace(_ROD_SPREAD_MM, -_ROD_SPREAD_MM, count)
    y = back - 1 - PAD_MM / 2
    return [CalibrationRod(d, slope * d + intercept, float(x), y) for d, x in zip(settings.rods, places, strict=True)]


def paint_table(scene: Scene, back: float) -> None:
    """Paint pad and couch below `back` (y, mm)."""
    raster, air = scene.raster, (Tissue.AIR,)
    for tissue, top, thick, half in (
        (Tissue.PAD, back - 1, PAD_MM, _PAD_HALF_WIDTH_MM),
        (Tissue.COUCH, back - PAD_MM - 3, _COUCH_MM, 10_000.0),
    ):
        box = (slice(0, raster.shape[0]), raster.y.range(top - thick, top), raster.x.range(-half, half))
        scene.tissues.fill(tissue, box, scene.tissues.array[box] == Tissue.AIR, air)


def rod_covers(
    scene: Scene, rods: list[CalibrationRod]
) -> Iterator[tuple[CalibrationRod, tuple[slice, slice], np.ndarray]]:
    """Yield each rod with its box along y and x and how much of each sample there it fills."""
    raster = scene.raster
    for rod in rods:
        reach = ROD_RADIUS_MM + 1.5
        box = raster.y.range(rod.y - reach, rod.y + reach), raster.x.range(rod.x - reach, rod.x + reach)
        distance = np.hypot(raster.x.fine[box[1]] - rod.x, raster.y.fine[box[0]][:, None] - rod.y) - ROD_RADIUS_MM
        yield rod, box, covered(distance, raster.pitch[1:])
