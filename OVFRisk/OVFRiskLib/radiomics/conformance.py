"""How far the features agree with the reference values of the Image Biomarker Standardisation Initiative (IBSI)."""

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import UserError
from ..image import Mask, Volume
from ..resources import resource
from .classes import FEATURES
from .extraction import extract
from .feature import Feature
from .protocol import Protocol

COLUMNS = ("Feature", "IBSI", "Reference", "±", "Value", "", "Reason")
_SOURCE = "IBSI-1 digital phantom, github.com/theibsi/data_sets, CC BY 4.0 (Zwanenburg et al., Radiology 2020;295:328)"
_NOT_IN_IBSI = "IBSI does not define this feature"
_UNEXPLAINED = "unexplained"
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


def recorded_conformance() -> tuple[str, tuple[Agreement, ...]]:
    """Return the version that computed the table which OVFRisk brings along, and its rows.

    It holds what `ibsi_conformance` returns, so that the table can be shown where the phantom is not at hand.
    """
    recorded = json.loads(resource("Conformance", "ibsi-digital-phantom.json").read_text("utf-8"))
    rows = ({**row, "reference": row["reference"] and Reference(**row["reference"])} for row in recorded["rows"])
    return recorded["version"], tuple(Agreement(**row) for row in rows)


def conformance_text(version: str, rows: tuple[Agreement, ...]) -> str:
    """Return the table that `version` computed as JSON, as `recorded_conformance` reads it."""
    lines = ",\n".join(json.dumps(asdict(row)) for row in rows)
    head = {"version": version, "references": _SOURCE}
    return json.dumps(head, indent=1).removesuffix("\n}") + f',\n "rows": [\n{lines}\n]\n}}'


def summary(rows: tuple[Agreement, ...]) -> str:
    """Return how many features agree, in one sentence."""
    defined = [row for row in rows if row.reference is not None]
    agree, unknown = sum(row.agrees for row in defined), len(unexplained(rows))
    return (
        f"{agree} of {len(defined)} features with a reference value agree, {len(defined) - agree - unknown} are defined"
        f" otherwise by PyRadiomics; {len(rows) - len(defined)} more have none."
    )


def unexplained(rows: tuple[Agreement, ...]) -> tuple[str, ...]:
    """Return the features whose value differs and nobody knows why."""
    return tuple(row.feature for row in rows if row.reason == _UNEXPLAINED)


def cells(row: Agreement) -> tuple[str, ...]:
    """Return a row as text: feature, IBSI's identifier, reference, tolerance, value, agreement, reason."""
    reference = (f"{row.reference.value:g}", f"{row.reference.tolerance:.2g}") if row.reference else ("-", "-")
    value = "-" if row.value is None else f"{row.value:.5g}"
    return (row.feature, row.ibsi or "-", *reference, value, "agrees" if row.agrees else "", row.reason)


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
    return row(False, _OTHER_DEFINITIONS.get(name, _UNEXPLAINED))
