"""An oblique CT with four labelled vertebrae, and what an analysis would hold of it."""

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality

SHAPE = (40, 24, 20)  # k, j, i
PARTS = (Compartment.CORTICAL, Compartment.CANCELLOUS, Compartment.POSTERIOR)
LEVELS = (VertebralLevel.T12, VertebralLevel.L1, VertebralLevel.L2)


def _matrix() -> np.ndarray:
    """An LPS-like image with anisotropic voxels, turned by 10 degrees about the left-right axis."""
    c, s = np.cos(np.radians(10)), np.sin(np.radians(10))
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[-1, 0, 0], [0, -c, -s], [0, -s, c]]) @ np.diag([1.5, 1.25, 3.0])
    matrix[:3, 3] = (12.5, 30.25, -57.125)
    return matrix


@pytest.fixture(scope="session")
def ct() -> Volume:
    values = np.random.default_rng(1).integers(-1000, 1500, SHAPE).astype(np.int16)
    return Volume(values, _matrix(), modality=Modality.CT, name="ct")


@pytest.fixture(scope="session")
def labels() -> LabelMap:
    """T12, L1, L2 in three compartments each, and T11 that could not be split."""
    array, meanings = np.zeros(SHAPE, dtype=np.int16), {}
    for n, level in enumerate(LEVELS):
        rows = slice(26 - 10 * n, 34 - 10 * n)
        for m, part in enumerate(PARTS):
            value = 300 + 10 * n + m  # beyond a byte, as our own label values are
            array[rows, 3 + 6 * m : 9 + 6 * m, 4:16] = value
            meanings[value] = Region(part, level)
    array[36:39, 5:15, 5:15] = 9
    return LabelMap(array, _matrix(), {**meanings, 9: Region(Compartment.WHOLE, VertebralLevel.T11)})


@pytest.fixture(scope="session")
def measurements() -> MeasurementTable:
    """Plain, flagged and absent values, and text that a spreadsheet would run."""
    l1, l2 = VertebralLevel.L1, VertebralLevel.L2
    note = '=HYPERLINK("x"); "quoted", with comma\nand a new line; käse'
    return MeasurementTable(
        (
            Measurement(
                "P-01", l1, Compartment.CANCELLOUS, "trabecular_attenuation", 123.456789012345, "[hnsf'U]", "t-1"
            ),
            Measurement("P-01", l2, Compartment.CANCELLOUS, "trabecular_attenuation", -12.5, "[hnsf'U]", "t-1"),
            Measurement(
                "P-01", l1, Compartment.BODY, "volume", 1 / 3, "cm3", "t-1", quality=Quality.FLAGGED, note=note
            ),
            Measurement(
                "P-01", l2, Compartment.BODY, "volume", None, "cm3", "t-1", quality=Quality.ABSENT, note="'cut off"
            ),
            Measurement("P-01", None, None, "vbq_t1", 2.98, "1", "vbq-1"),
        )
    )
