"""``ovfrisk protocols``: what there is, what is in it, how two differ, and whether the values are IBSI's."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .. import __version__
from ..errors import UserError
from ..files.read_images import read_volume
from ..files.read_regions import read_regions
from ..image import Mask, Modality
from ..radiomics import Protocol, protocol_names
from ..radiomics.conformance import (
    COLUMNS,
    Agreement,
    cells,
    conformance_text,
    ibsi_conformance,
    read_references,
    recorded_conformance,
    summary,
    unexplained,
)
from ..radiomics.differences import differences
from ..radiomics.schema import protocol_schema

UNEXPLAINED = 1
"""Exit code where a value differs from IBSI's and no reason is known."""


class Form(StrEnum):
    """How a protocol is shown."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


protocols = typer.Typer(help="Radiomics protocols: everything that fixes a feature's value.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A bundled protocol, or a file.")]


@protocols.command("list")
def list_command() -> None:
    """List the bundled protocols."""
    from rich.console import Console
    from rich.table import Table

    table = Table("Name", "Features", "Image types", "What it is")
    table.columns[0].no_wrap = True
    for protocol in map(Protocol.load, protocol_names()):
        count = f"{len(protocol.feature_names):,}"
        table.add_row(protocol.name, count, ", ".join(protocol.image_type), protocol.title)
    Console().print(table)


@protocols.command("show")
def show_command(
    name: Name,
    form: Annotated[
        Form, typer.Option("--format", help="A table to read, or a file: JSON, or YAML for PyRadiomics.")
    ] = Form.TABLE,
) -> None:
    """Show what a protocol computes, and every setting."""
    protocol = Protocol.load(name)
    if form is Form.TABLE:
        _print_protocol(protocol)
    else:
        typer.echo(protocol.to_yaml() if form is Form.YAML else json.dumps(protocol.to_dict(), indent=2))


def _print_protocol(protocol: Protocol) -> None:
    from rich.console import Console

    console = Console()
    console.print(f"{protocol.title}\n{protocol.purpose}\nSource: {protocol.source}\n", highlight=False, markup=False)
    for table in (_settings_table(protocol), _image_type_table(protocol), _class_table(protocol)):
        console.print(table)
    total = f"\n{len(protocol.feature_names):,} features a region. Id: {protocol.id}"
    for text in (total, *(f"! {warning}" for warning in protocol.warnings)):
        console.print(text, highlight=False, markup=False)


@protocols.command("compare")
def compare_command(
    first: Annotated[str, typer.Argument(metavar="A", help="A bundled protocol, or a file.")],
    second: Annotated[str, typer.Argument(metavar="B", help="A bundled protocol, or a file.")],
) -> None:
    """Say which settings of two protocols differ, defaults included."""
    from rich.console import Console
    from rich.table import Table

    a, b = Protocol.load(first), Protocol.load(second)
    found = differences(a, b)
    if not found:
        typer.echo(f"{a.name} and {b.name} compute the same values under the same names.")
        return
    table = Table("Setting", first, second)
    for setting, ours, theirs in found:
        table.add_row(setting, _compared(setting, ours), _compared(setting, theirs))
    Console().print(table)


@protocols.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of protocol files: editors check and complete a file whose "$schema" names it."""
    typer.echo(json.dumps(protocol_schema(), indent=1))


@protocols.command("conformance")
def conformance_command(
    image: Annotated[Path | None, typer.Argument(metavar="IMAGE", help="The IBSI-1 digital phantom.")] = None,
    mask: Annotated[Path | None, typer.Argument(metavar="MASK", help="Its mask.")] = None,
    references: Annotated[
        Path | None, typer.Argument(metavar="REFERENCES", help="CSV: reference value;tolerance;tag.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compare every feature with its IBSI reference value on the digital phantom.

    Without arguments: the table that was made when this version was built. With them it is made again; image and mask
    are public (CC BY 4.0): github.com/theibsi/data_sets, ibsi_1_digital_phantom. The command ends with exit code 1
    where a value differs and no reason is known.
    """
    from rich.console import Console

    version, rows = _conformance(image, mask, references)
    if as_json:
        typer.echo(conformance_text(version, rows))
    else:
        Console().print(_conformance_table(rows))
        Console().print(f"{summary(rows)} Computed by OVFRisk {version}.", highlight=False)
    if unexplained(rows):
        Console(stderr=as_json).print(
            f"Different without a known reason: {', '.join(unexplained(rows))}.", highlight=False
        )
        raise typer.Exit(UNEXPLAINED)


def _conformance(*files: Path | None) -> tuple[str, tuple[Agreement, ...]]:
    """Return version and rows for IMAGE, MASK and REFERENCES; without any the recorded ones."""
    if None in files:
        if any(files):
            raise UserError("IMAGE, MASK or REFERENCES is missing.", "Give all three, or none to see the known table.")
        return recorded_conformance()
    image, mask, references = files
    volume = read_volume(image, Modality.OTHER)
    labels, _ = read_regions(mask, volume)
    region = Mask(labels.array != 0, labels.ijk_to_ras)
    return __version__, ibsi_conformance(volume, region, read_references(references))


def _settings_table(protocol: Protocol) -> object:
    from rich.table import Table

    table = Table("Setting", "Value", title="Settings")
    for name, value in protocol.setting.items():
        table.add_row(name, _shown(value))
    return table


def _image_type_table(protocol: Protocol) -> object:
    from rich.table import Table

    table = Table("Image type", "Own settings", title="Image types")
    for name, own in protocol.image_type.items():
        table.add_row(name, ", ".join(f"{key} {_shown(value)}" for key, value in own.items()))
    return table


def _class_table(protocol: Protocol) -> object:
    from rich.table import Table

    table = Table("Class", "", "Features", title="Feature classes")
    for name, features in protocol.feature_class.items():
        table.add_row(name, str(len(features)), ", ".join(features))
    return table


def _conformance_table(rows: tuple[Agreement, ...]) -> object:
    from rich.table import Table

    table = Table(*COLUMNS, title="IBSI-1 digital phantom")
    for row in rows:
        table.add_row(*cells(row))
    return table


def _shown(value: object) -> str:
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value)


def _compared(setting: str, value: object) -> str:
    """Return a value as text; of a class, a feature or a whole image type, whether it is there."""
    block, *rest = setting.split()
    being_there = block == "featureClass" or (block == "imageType" and len(rest) == 1)
    return ("yes" if value else "no") if being_there else _shown(value)
