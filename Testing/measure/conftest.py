"""Vertebrae of known shape, and what was read from real label maps."""

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import LabelMap
from OVFRiskLib.segmentation.compartments import body_shapes


@pytest.fixture(scope="session")
def shapes_of(shared_data):
    """Read a label map of the real data and find its bodies: (labels, shapes), each only once."""
    known = {}

    def read(name, scheme):
        if name not in known:
            labels = read_labels(shared_data / name, scheme)
            labels = labels.restricted(r for r in labels.regions if r.level and r.level.rank < VertebralLevel.S1.rank)
            known[name] = labels, body_shapes(labels, labels.levels())
        return known[name]

    return read


@pytest.fixture(scope="session")
def block():
    """Make a vertebral body as a wedge-shaped block, in a label map as L1."""
    return _block


def _block(size=(48.0, 34.0, 28.0), spacing=(1.0, 1.0, 1.0), rotation=None, anterior_loss=0.0):
    """Width, depth, height in mm; turned by `rotation`; the anterior height is less by the share `anterior_loss`."""
    rotation = np.eye(3) if rotation is None else rotation
    spacing = np.array(spacing)
    extent = np.linalg.norm(size) / 2 + 8
    shape = np.ceil(2 * extent / spacing).astype(int)
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = -extent
    ijk = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    x, y, z = np.moveaxis((ijk @ matrix[:3, :3].T + matrix[:3, 3]) @ rotation, -1, 0)
    half_height = size[2] / 2 * (1 - anterior_loss * (y / size[1] + 0.5))
    inside = (np.abs(x) <= size[0] / 2) & (np.abs(y) <= size[1] / 2) & (np.abs(z) <= half_height)
    labels = {20: Region(Compartment.WHOLE, VertebralLevel.L1)}
    return LabelMap(inside.T.astype(np.uint8) * 20, matrix, labels)
