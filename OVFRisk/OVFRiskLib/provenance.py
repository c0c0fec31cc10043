"""What a result was made with."""

import platform
from importlib.metadata import PackageNotFoundError, version

from . import __version__

_PACKAGES = (
    "numpy",
    "scipy",
    "simpleitk",
    "pywavelets",
    "numba",
    "pyradiomics",
    "pydicom",
    "slicer-core",
    "vtk",
    "matplotlib",
    "pyarrow",
    "torch",
    "monai",
    "pingouin",
    "statsmodels",
    "scikit-learn",
    "pandas",
    "imbalanced-learn",
    "xgboost",
    "xgboost-cpu",
    "pytorch-tabnet",
)


def software() -> dict[str, str]:
    """Return the versions of OVFRisk, Python, the platform and the packages that make values or files."""
    packages = {name: found for name in _PACKAGES if (found := _version(name))}
    own = {"ovfrisk": __version__, "python": platform.python_version(), "platform": platform.platform()}
    return own | packages


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
