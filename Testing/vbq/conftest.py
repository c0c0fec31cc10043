"""A spine of boxes with set signals, sampled on any grid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.image import Grid, LabelMap, Modality, Volume

LEVELS = VertebralLevel.span("T12-L5")
MARROW = {  # per sequence and level, so that a wrong level or a wrong statistic shows
    Modality.T1: dict(zip(LEVELS, (700.0, 610.0, 600.0, 580.0, 530.0, 900.0))),
    Modality.T2: dict(zip(LEVELS, (350.0, 305.0, 300.0, 290.0, 265.0, 450.0))),
    Modality.STIR: dict(zip(LEVELS, (140.0, 122.0, 120.0, 116.0, 106.0, 180.0))),
}
CSF = {Modality.T1: 200.0, Modality.T2: 800.0, Modality.STIR: 500.0}
FAT = {Modality.T1: 1200.0, Modality.T2: 780.0, Modality.STIR: 30.0}
ROOTS = {Modality.T1: 330.0, Modality.T2: 450.0, Modality.STIR: 280.0}
TISSUE = {Modality.T1: 350.0, Modality.T2: 150.0, Modality.STIR: 60.0}


def axial_rotation(degrees: float, axis: int) -> np.ndarray:
    """Rotation matrix about the R, A or S axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    a, b = ((1, 2), (2, 0), (0, 1))[axis]
    matrix = np.eye(3)
    matrix[a, a], matrix[a, b], matrix[b, a], matrix[b, b] = c, -s, s, c
    return matrix


def grid(spacing=(2.0, 1.0, 1.0), shift=(0.0, 0.0, 0.0), turn=None, half=(24.0, 70.0, 130.0)) -> Grid:
    """A grid about the origin, i, j, k towards R, A, S before it is turned (3 x 3); spacing, shift, half size in mm."""
    size = np.ceil(2 * np.array(half) / spacing).astype(int)
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag(spacing) if turn is None else turn @ np.diag(spacing)
    matrix[:3, 3] = np.array(shift) - matrix[:3, :3] @ ((size - 1) / 2)
    return Grid(np.zeros(size[::-1], dtype=np.uint8), matrix)


@dataclass(frozen=True)
class Spine:
    """Bodies 26 mm high every 36 mm, 34 mm deep, 40 mm wide; the sac 4 mm behind them.

    Parameters
    ----------
    turn : ndarray, shape (3, 3)
        Of the whole patient.
    sac_depth : mapping of VertebralLevel to float
        From front to back, mm, where it is not 13 mm; its last 3 mm hold nerve roots.
    aside : mapping of VertebralLevel to float
        How far a body lies to the right, mm.
    height : mapping of VertebralLevel to float
        Of a body, mm, where it is not 26 mm.
    """

    turn: np.ndarray = field(default_factory=lambda: np.eye(3))
    sac_depth: Mapping[VertebralLevel, float] = field(default_factory=dict)
    aside: Mapping[VertebralLevel, float] = field(default_factory=dict)
    height: Mapping[VertebralLevel, float] = field(default_factory=dict)

    def volume(self, sequence: Modality, on: Grid, dtype=np.float32, **fields) -> Volume:
        """Sample the signal at the voxel centres."""
        x, y, z = self._places(on)
        signal = np.full(x.shape, TISSUE[sequence])
        signal[self._fat(x, y, z)] = FAT[sequence]
        sac, roots = self._sac(x, y, z)
        signal[sac] = CSF[sequence]
        signal[roots] = ROOTS[sequence]
        for level in LEVELS:
            signal[self._body(level, x, y, z)] = MARROW[sequence][level]
        return Volume(signal.astype(dtype), on.ijk_to_ras, sequence, **fields)

    def labels(self, on: Grid, part=Compartment.WHOLE, arch=False) -> LabelMap:
        """Label the bodies, with their spinous processes where `arch`."""
        x, y, z = self._places(on)
        array = np.zeros(x.shape, dtype=np.uint8)
        for number, level in enumerate(LEVELS, start=1):
            array[self._body(level, x, y, z)] = number
            if arch:
                array[self._spinous(level, x, y, z)] = number
        return LabelMap(array, on.ijk_to_ras, {n: Region(part, level) for n, level in enumerate(LEVELS, start=1)})

    def _places(self, on: Grid) -> tuple[np.ndarray, ...]:
        kji = np.indices(on.array.shape)
        return tuple(np.moveaxis(on.to_ras(np.moveaxis(kji[::-1], 0, -1)) @ self.turn, -1, 0))

    @staticmethod
    def middle(level: VertebralLevel) -> float:
        return 90.0 - 36.0 * LEVELS.index(level)

    def _body(self, level, x, y, z):
        half = self.height.get(level, 26.0) / 2
        near = np.abs(z - self.middle(level)) <= half
        return near & (np.abs(x - self.aside.get(level, 0.0)) <= 20) & (y >= 0) & (y <= 34)

    def _spinous(self, level, x, y, z):
        return (np.abs(z - self.middle(level)) <= 9) & (np.abs(x) <= 4) & (y <= -24) & (y >= -50)

    def _sac(self, x, y, z):
        depth = np.full(z.shape, 13.0)
        for level, value in self.sac_depth.items():
            depth[np.abs(z - self.middle(level)) <= 18] = value
        sac = (np.abs(x) <= 9) & (y <= -4) & (y >= -4 - depth)
        return sac, sac & (y < -4 - depth + 3)

    def _fat(self, x, y, _z):
        return (np.abs(x) <= 9) & (y <= -18.5) & (y >= -23)


@pytest.fixture
def spine() -> type[Spine]:
    return Spine


@pytest.fixture
def make_grid() -> Callable[..., Grid]:
    return grid


@pytest.fixture
def turned() -> Callable[[float, int], np.ndarray]:
    return axial_rotation


@pytest.fixture
def truth() -> Callable[..., float]:
    """The score that was set, for any levels and statistic."""

    def score(sequence: Modality, levels: str = "L1-L4", statistic=np.mean) -> float:
        return float(statistic([MARROW[sequence][level] for level in VertebralLevel.span(levels)]) / CSF[sequence])

    return score


@pytest.fixture
def exam() -> Callable[..., tuple[dict[Modality, Volume], LabelMap]]:
    """All sequences and the labels on one grid."""

    def make(model: Spine | None = None, on: Grid | None = None, sequences=tuple(CSF)):
        model, on = model or Spine(), on or grid()
        known = {"MagneticFieldStrength": "1.5", "Manufacturer": "A"}
        volumes = {s: model.volume(s, on, acquisition=known, name=str(s)) for s in sequences}
        return volumes, model.labels(on)

    return make


@pytest.fixture
def with_signal() -> Callable[..., Volume]:
    """A volume with the voxels of a region set to something else."""

    def change(volume: Volume, roi, signal) -> Volume:
        array = volume.array.copy()
        inside = roi.mask_on(volume).array
        array[inside] = signal if np.isscalar(signal) else signal[: np.count_nonzero(inside)]
        return replace(volume, array=array)

    return change
