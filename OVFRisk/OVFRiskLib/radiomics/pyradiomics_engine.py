"""The same table through PyRadiomics, where it (SlicerRadiomics brings it) can be imported: the user's own proof."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import UserError, import_optional
from ..image import Mask, Volume
from .extraction import Features
from .orientation import oriented
from .protocol import Protocol
from .settings import OURS

_FEATURE = "Features of the engine 'pyradiomics'"
_STEPS = {"original": "mask", "interpolated": "resampled", "resegmented": "resegmented"}
_IMAGINARY = 1e-6
"""Larger imaginary parts are no rounding of a real value."""


def pyradiomics_version() -> str:
    """Return the version of PyRadiomics; a UserError where it cannot be imported."""
    return str(import_optional("radiomics", _FEATURE).__version__).removeprefix("v")


def extract_by_pyradiomics(volume: Volume, mask: Mask, protocol: Protocol) -> Features:
    """Return the features that PyRadiomics computes of the region `mask` in `volume` with the settings of `protocol`.

    Nothing is put right: what PyRadiomics refuses is a UserError with its words, what it leaves undefined is absent.
    Its diagnostics know neither grey levels nor constant features.

    Raises
    ------
    UserError
        When PyRadiomics is not installed, refuses the region, or image and mask lie on different grids (which it would
        accept silently when it resamples).
    """
    extractor = _extractor(protocol)
    if not volume.same_grid(mask):
        raise UserError("Image and mask lie on different grids.", "Resample the mask to the image first.")
    volume, mask = oriented(volume, mask, protocol.setting)
    with _kept_messages() as messages:
        try:
            found = extractor.execute(_itk(volume), _itk(mask))
        except (ValueError, RuntimeError, ArithmeticError, IndexError) as error:
            raise UserError(f"PyRadiomics does not describe the region: {error}.", "See what it asks for.") from error
    values = {name: _real(value) for name, value in found.items() if not name.startswith("diagnostics_")}
    absent = {name: "PyRadiomics gives no finite real number" for name, value in values.items() if value is None}
    known = {name: value for name, value in values.items() if value is not None}
    return Features(known, absent, _diagnostics(found), tuple(dict.fromkeys(messages)), protocol.id)


def _extractor(protocol: Protocol) -> Any:
    featureextractor = import_optional("radiomics.featureextractor", _FEATURE)
    with _kept_messages():
        extractor = featureextractor.RadiomicsFeatureExtractor(**_settings(protocol), additionalInfo=True)
        extractor.disableAllImageTypes()
        extractor.disableAllFeatures()
        for name, own in protocol.image_type.items():
            given = {key: value for key, value in own.items() if value is not None or key in protocol.setting}
            extractor.enableImageTypeByName(name, customArgs=given)
        extractor.enableFeaturesByName(**{name: list(features) for name, features in protocol.feature_class.items()})
    return extractor


def _settings(protocol: Protocol) -> dict[str, object]:
    """Return PyRadiomics' settings without those that are None: it has no key for "not set"."""
    given = {name: value for name, value in protocol.setting.items() if value is not None and name not in OURS}
    return given | {"interpolator": protocol.setting["interpolator"]}  # here None means: do not resample


def _real(value: object) -> float | None:
    number = complex(np.asarray(value).item())
    real = abs(number.imag) <= _IMAGINARY * abs(number.real) or number.imag == 0
    return number.real if real and np.isfinite(number.real) else None


def _diagnostics(found: Mapping[str, object]) -> dict[str, object]:
    names = {f"diagnostics_Mask-{step}_VoxelNum": ours for step, ours in _STEPS.items()}
    return {"voxels": {ours: int(found[name]) for name, ours in names.items() if name in found}}


def _itk(grid: Volume | Mask) -> Any:
    sitk = import_optional("SimpleITK", _FEATURE)
    array = grid.array.astype(np.uint8) if isinstance(grid, Mask) else grid.array
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    image = sitk.GetImageFromArray(array)
    lps = np.diag([-1.0, -1.0, 1.0])
    image.SetSpacing(grid.spacing.tolist())
    image.SetDirection((lps @ (grid.ijk_to_ras[:3, :3] / grid.spacing)).ravel().tolist())
    image.SetOrigin((lps @ grid.ijk_to_ras[:3, 3]).tolist())
    return image


@contextmanager
def _kept_messages() -> Iterator[list[str]]:
    """Yield a list of what PyRadiomics logs as a warning meanwhile, and keep it off the terminal."""
    messages: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = logging.getLogger("radiomics")
    before = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [handler], False
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield messages
    finally:
        logger.handlers, logger.propagate = before
