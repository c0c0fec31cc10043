"""Small images with a known voxel at a known place, and a DICOM series on disc."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

LPS = np.diag([-1.0, -1.0, 1.0])


def rotation(degrees: tuple[float, float, float]) -> np.ndarray:
    """Rotation about x, then y, then z."""
    result = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        a, b = (n for n in range(3) if n != axis)
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        result = turn @ result
    return result


STRAIGHT = np.eye(3)
ORIENTATIONS = {
    "RAS": STRAIGHT,
    "LPS": np.diag([-1, -1, 1]),
    "LAS": np.diag([-1, 1, 1]),
    "PIR": np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]]),
    "IPR": np.array([[0, 0, 1], [0, -1, 0], [-1, 0, 0]]),
    "oblique": rotation((8, -12, 20)),
    "oblique sagittal": rotation((3, 5, -7)) @ np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]]),
}
SPACING = (0.7, 1.3, 2.5)
ORIGIN = (-31.0, 12.5, -140.0)  # RAS
SIZE = (9, 8, 7)  # i, j, k


@pytest.fixture(params=ORIENTATIONS, ids=lambda name: name.replace(" ", "-"))
def directions(request: pytest.FixtureRequest) -> np.ndarray:
    """RAS unit directions of i, j, k as columns."""
    return ORIENTATIONS[request.param].astype(float)


@pytest.fixture
def write_image(tmp_path: Path) -> Callable[..., tuple[Path, np.ndarray]]:
    """Write an array with given directions by SimpleITK; return path and ijk_to_ras."""

    def write(name: str, array: np.ndarray, directions: np.ndarray = STRAIGHT, **tags: str) -> tuple[Path, np.ndarray]:
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(SPACING)
        image.SetOrigin((LPS @ ORIGIN).tolist())
        image.SetDirection((LPS @ directions).ravel().tolist())
        for key, value in tags.items():
            image.SetMetaData(key, value)
        path = tmp_path / name
        sitk.WriteImage(image, str(path), useCompression=True)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = directions * SPACING, ORIGIN
        return path, matrix

    return write


@pytest.fixture
def ct_array() -> np.ndarray:
    """A CT of random soft tissue with one voxel of 700 HU at i, j, k = 2, 5, 3."""
    array = np.random.default_rng(1).integers(-120, 90, SIZE[::-1]).astype(np.int16)
    array[3, 5, 2] = 700
    return array
