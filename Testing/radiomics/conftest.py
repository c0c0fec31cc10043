"""Images of the feature tests, read without the code under test; and how values are compared with PyRadiomics."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from OVFRiskLib.radiomics.compare import relative_difference

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


@pytest.fixture
def agree(request, record_property) -> Callable[..., None]:
    """Assert that all values are PyRadiomics'; the largest difference of each class goes to the summary of the run."""

    def check(ours: Mapping[str, float], theirs: Mapping[str, float], case: str = request.node.name) -> None:
        assert set(ours) == set(theirs)
        apart = {name: relative_difference(ours[name], theirs[name]) for name in theirs}
        largest = {name.rsplit("_", 2)[1]: apart[name] for name in sorted(apart, key=apart.__getitem__)}
        record_property("agreement", [case, largest])
        assert {name: value for name, value in apart.items() if value > 1e-6} == {}

    return check
