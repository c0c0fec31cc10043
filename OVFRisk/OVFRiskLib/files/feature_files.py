"""What ``ovfrisk features`` leaves behind: the table, and a manifest with what is needed to trust it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from ..image import Mask
from ..provenance import software
from .tables import feature_columns, feature_rows, write_csv, write_parquet

if TYPE_CHECKING:
    from ..radiomics import Features
    from ..region_features import RegionFeatures


class TableFormat(StrEnum):
    """The file that holds a table."""

    CSV = "csv"
    PARQUET = "parquet"


class Layout(StrEnum):
    """One row a region, or one row a value."""

    WIDE = "wide"
    LONG = "long"


_COLUMNS = {Layout.WIDE: feature_columns, Layout.LONG: feature_rows}
_WRITERS = {TableFormat.CSV: write_csv, TableFormat.PARQUET: write_parquet}


def write_feature_files(
    folder: Path, result: "RegionFeatures", table_format: TableFormat, layout: Layout, seconds: Mapping[str, float]
) -> None:
    """Write ``features.*`` (and ``features-pyradiomics.*`` where both engines ran) and ``run.json``.

    Parameters
    ----------
    seconds : mapping of str to float
        Wall time of what came before, for the manifest.

    Raises
    ------
    UserError
        When a file cannot be written or a package for it is missing.
    """
    tables = {"features": result.features, "features-pyradiomics": result.reference}
    written = {f"{name}.{table_format}": table for name, table in tables.items() if table}
    for name, table in written.items():
        _WRITERS[table_format](folder / name, _COLUMNS[layout](result.subject, table))
    manifest = feature_manifest(result) | {"tables": list(written), "layout": layout}
    manifest["seconds"] = {**seconds, **result.seconds}
    (folder / "run.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def feature_manifest(result: "RegionFeatures") -> dict[str, object]:
    """Return what `run.json` holds: versions, protocol, hashes, and what to know about each region's values."""
    volume, labels = result.volume, result.labels
    return {
        "software": software(),
        "subject": result.subject,
        "engine": result.engine,
        "pyradiomics": result.reference_version or None,
        "protocol": {"id": result.protocol.id, **result.protocol.to_dict()},
        "image": {
            "hash": volume.hash,
            "size_ijk": volume.array.shape[::-1],
            "spacing_mm": [round(float(s), 4) for s in volume.spacing],
            "orientation": volume.orientation,
            "type": str(volume.array.dtype),
        },
        "mask": {"hash": labels.hash, "labels": {value: str(region) for value, region in labels.labels.items()}},
        "notes": result.notes,
        "regions": {str(region): _region(labels.mask(region), found) for region, found in result.features.items()},
        "differences": [asdict(difference) for difference in result.differences],
    }


def _region(mask: Mask, features: "Features") -> dict[str, object]:
    return {
        "mask_hash": mask.hash,
        "values": len(features.values),
        "absent": dict(features.absent),
        "warnings": features.warnings,
        **features.diagnostics,
    }
