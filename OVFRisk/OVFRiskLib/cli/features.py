"""``ovfrisk features``: the features of any region of any image, as a table."""

import re
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from ..files.feature_files import Layout, TableFormat, write_feature_files
from ..files.read_images import read_volume
from ..files.read_regions import read_regions
from ..files.result_folder import result_folder
from ..image import Modality
from ..radiomics import Features, Protocol
from ..radiomics.compare import Difference
from ..radiomics.extraction import FEW_LEVELS
from ..region_features import Engine, RegionFeatures, describe
from ..results import progress_bar
from .options import Out, Overwrite, Subject

NOTICEABLE = 1e-7
"""Relative difference from which the two values are shown."""


def features_command(  # noqa: PLR0913, PLR0917 - one argument an option
    out: Out,
    image: Annotated[Path, typer.Option(help="CT or MR image: NIfTI, NRRD, MetaImage or a DICOM folder.")],
    mask: Annotated[Path, typer.Option(help="Mask or label map: NIfTI, NRRD, MetaImage or Slicer's .seg.nrrd.")],
    protocol: Annotated[str, typer.Option(help="A name that `ovfrisk protocols list` shows, or a file.")],
    label: Annotated[list[int] | None, typer.Option(help="Label value to describe, again for more; else all.")] = None,
    scheme: Annotated[str | None, typer.Option(help="What the labels mean, for rows with level and part.")] = None,
    table_format: Annotated[TableFormat, typer.Option("--format", help="Of the table.")] = TableFormat.CSV,
    layout: Annotated[Layout, typer.Option(help="One row a region, or one row a value.")] = Layout.WIDE,
    engine: Annotated[Engine, typer.Option(help="What computes the table; both: and compares.")] = Engine.OVFRISK,
    subject: Subject = "patient",
    overwrite: Overwrite = False,
) -> None:
    """Extract the radiomics features of regions in an image, and write table and run manifest to OUT."""
    chosen = Protocol.load(protocol)
    with result_folder(out, overwrite) as folder, progress_bar() as report:
        started = perf_counter()
        volume = read_volume(image, Modality.OTHER)
        regions = read_regions(mask, volume, scheme, tuple(label or ()))
        read = perf_counter() - started
        result = describe(subject, volume, regions, chosen, engine, report)
        write_feature_files(folder, result, table_format, layout, {"read": round(read, 3)})
    _print_result(result, out / f"features.{table_format}")


def _print_result(result: RegionFeatures, table: Path) -> None:
    from rich.console import Console

    console = Console()
    console.print(_region_table(result))
    if result.differences:
        console.print(_difference_table(result))
    alone = [text for difference in result.differences for text in _alone(difference)]
    for text in (*result.notes, *result.protocol.warnings, *_remarks(result), *_few_levels(result), *alone):
        console.print(f"! {text}", highlight=False, markup=False)
    console.print(f"\nTable: {table.absolute()}", highlight=False, markup=False, soft_wrap=True)


def _region_table(result: RegionFeatures) -> object:
    from rich.table import Table

    table = Table("Region", "Voxels", "Described", "Values", "Absent", "Constant", title=result.protocol.id)
    for region, found in result.features.items():
        voxels = list(found.diagnostics["voxels"].values())
        described = str(voxels[-1]) if found.values else "-"
        counts = (len(found.values), len(found.absent), len(found.diagnostics.get("constant_features", ())))
        table.add_row(str(region), str(voxels[0]), described, *map(str, counts))
    return table


def _remarks(result: RegionFeatures) -> list[str]:
    """Return what to know about the values, once where several regions share it but for its numbers."""
    told: dict[str, list[tuple[str, str]]] = {}
    for region, found in result.features.items():
        reasons = dict.fromkeys(found.absent.values())
        for text in (*found.warnings, *(f"{_count(found, why)} values absent: {why}" for why in reasons)):
            if text not in result.notes and not text.startswith("The image type "):  # `_few_levels` sums these up
                told.setdefault(re.sub(r"\d+", "#", text), []).append((str(region), text))
    more = {key: f" (and {len(regions) - 1} more)" if len(regions) > 1 else "" for key, regions in told.items()}
    return [f"{regions[0][0]}{more[key]}: {regions[0][1]}" for key, regions in told.items()]


def _few_levels(result: RegionFeatures) -> list[str]:
    """Return one sentence on the image types with few grey levels: how many, from region to region."""
    levels: dict[str, list[int]] = {}
    for found in result.features.values():
        for image, count in found.diagnostics.get("grey_levels", {}).items():
            levels.setdefault(image, []).append(count)
    few = [
        f"{image} {min(counts)}" + (f"-{max(counts)}" if max(counts) > min(counts) else "")
        for image, counts in levels.items()
        if min(counts) < FEW_LEVELS
    ]
    return [f"Few grey levels, so that texture hardly tells regions apart: {', '.join(few)}."] if few else []


def _count(features: Features, reason: str) -> int:
    return sum(why == reason for why in features.absent.values())


def _difference_table(result: RegionFeatures) -> object:
    from rich.table import Table

    title = f"Largest relative difference to PyRadiomics {result.reference_version}"
    table = Table("Class", "Compared", "Largest", "Where", title=title)
    table.columns[-1].overflow = "fold"
    for d in result.differences:
        table.add_row(d.group, str(d.compared), f"{d.relative:.1e}" if d.compared else "-", _where(d))
    return table


def _alone(difference: Difference) -> list[str]:
    """Return how many values of a class one engine has alone."""
    sides = (("OVFRisk", difference.only_ours), ("PyRadiomics", difference.only_theirs))
    return [f"{difference.group}: {len(k)} values only {who} has, e.g. {k[0]}" for who, k in sides if k]


def _where(difference: Difference) -> str:
    """Return where two tables differ most, with the values where the eye could tell them apart."""
    if not difference.relative:
        return ""
    place = f"{difference.region}: {difference.feature}"
    apart = difference.relative > NOTICEABLE
    return place + f" ({difference.ours:.9g}, PyRadiomics {difference.theirs:.9g})" * apart
