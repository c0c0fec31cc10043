"""How far the features agree with the reference values of the Image Biomarker Standardisation Initiative (IBSI)."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..image import Mask, Volume
from .classes import FEATURES
from .extraction import extract
from .feature import Feature
from .protocol import Protocol

_NOT_IN_IBSI = "IBSI does not define this feature"
_OTHER_DEFINITIONS = {
    "firstorder_Kurtosis": "PyRadiomics reports kurtosis, IBSI excess kurtosis: 3 less",
    "shape_LeastAxisLength": "PyRadiomics divides the covariance of voxel centres by n, the reference value by n - 1",
    "shape_MinorAxisLength": "PyRadiomics divides the covariance of voxel centres by n, the reference value by n - 1",
    "shape_MajorAxisLength": "PyRadiomics divides the covariance of voxel centres by n, the reference value by n - 1",
}
"""Features whose PyRadiomics definition is not IBSI's although the reference value exists, and how it differs."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference value of IBSI and by how much a value may differ, the rounding to three digits included."""

    value: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """One row of the conformance table.

    Parameters
    ----------
    feature : str
        Class and name, e.g. ``glcm_Idmn``.
    ibsi, tag : str
        IBSI's identifier and the key of the reference value; empty where IBSI has none.
    reference : Reference or None
    value : float or None
        What this package computes.
    agrees : bool
        Whether the value lies within the tolerance.
    reason : str
        Why it does not, or why there is no reference; empty where it agrees.
    """

    feature: str
    ibsi: str
    tag: str
    reference: Reference | None
    value: float | None
    agrees: bool
    reason: str


def ibsi_conformance(volume: Volume, mask: Mask, references: Mapping[str, Reference]) -> tuple[Agreement, ...]:
    """Return, feature by feature, reference and value for the IBSI-1 digital phantom.

    Parameters
    ----------
    volume, mask : Volume, Mask
        The digital phantom (https://github.com/theibsi/data_sets).
    references : mapping of str to Reference
        By IBSI's tag; `read_references` reads them.
    """
    found = extract(volume, mask, Protocol.load("ibsi-digital-phantom"))
    rows = []
    for name in (*found.values, *found.absent):
        group, short = name.split("_")[1:]
        feature = FEATURES[group][short]
        rows.append(_agreement(f"{group}_{short}", feature, found.values.get(name), references.get(feature.tag)))
    return tuple(rows)


def read_references(path: Path) -> dict[str, Reference]:
    """Read IBSI's reference values by tag from a file of columns ``reference value;tolerance;tag``.

    Raises
    ------
    UserError
        When the file is missing or laid out otherwise.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        return {
            row["tag"]: _reference(row["reference value"], row["tolerance"]) for row in rows if row["reference value"]
        }
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            f"{path} holds no IBSI reference values ({error}).", "It needs columns 'reference value;tolerance;tag'."
        ) from None


def _reference(value: str, tolerance: str) -> Reference:
    number = float(value)
    rounding = 0.5 * 10.0 ** (math.floor(math.log10(abs(number))) - 2) if number else 0.0  # three digits are given
    return Reference(number, float(tolerance) + rounding)


def _agreement(name: str, feature: Feature, value: float | None, reference: Reference | None) -> Agreement:
    def row(agrees: bool, reason: str) -> Agreement:
        return Agreement(name, feature.ibsi, feature.tag, reference, value, agrees, reason)

    if reference is None:
        return row(False, _NOT_IN_IBSI if not feature.tag else "no reference value is given")
    if value is not None and abs(value - reference.value) <= reference.tolerance * (1 + 1e-9):
        return row(True, "")
    return row(False, _OTHER_DEFINITIONS.get(name, "unexplained"))
