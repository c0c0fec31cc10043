"""Images of the feature tests, read without the code under test."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

LPS = np.diag([-1.0, -1.0, 1.0])


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the array (k, j, i) and ijk-to-RAS matrix of an image file."""
    image = sitk.ReadImage(str(path))
    matrix = np.eye(4)
    matrix[:3, :3] = LPS @ (np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing())
    matrix[:3, 3] = LPS @ np.array(image.GetOrigin())
    return sitk.GetArrayFromImage(image), matrix


@pytest.fixture(scope="session")
def read_image() -> Callable[[Path], tuple[np.ndarray, np.ndarray]]:
    """The function `read`."""
    return read
