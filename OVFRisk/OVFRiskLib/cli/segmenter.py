"""``ovfrisk segmenter``: train an own network for cortical and cancellous bone, and test it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..files.result_folder import result_folder
from ..provenance import software
from ..results import progress_bar
from ..segmentation.bundle_config import read_config
from ..segmentation.training.bundle import write_bundle
from ..segmentation.training.cases import PARTS, any_synthetic, find_cases
from ..segmentation.training.evaluate import Score, evaluate, write_scores
from ..segmentation.training.settings import TrainingSettings
from ..segmentation.training.train import Trained, train
from .options import Out, Overwrite

segmenter = typer.Typer(help="Train an own network that segments vertebrae, and test it.", no_args_is_help=True)

Cases = Annotated[Path, typer.Option(help="Folder with a folder a case: ct.nii.gz and compartments.nii.gz.")]
Scheme = Annotated[str | None, typer.Option(help="Label scheme of cases that do not name theirs.")]
Shell = Annotated[
    float | None, typer.Option(help="Take the outer shell of this depth, mm, as cortical bone; else as labelled.")
]
Device = Annotated[str, typer.Option(help="cpu, cuda, mps.")]
_DEFAULT = TrainingSettings()


@segmenter.command("train")
def train_command(  # noqa: PLR0913, PLR0917 - one argument an option
    cases: Cases,
    out: Annotated[Path, typer.Option(help="Folder for the MONAI bundle; made new.")],
    epochs: Annotated[int, typer.Option(help="At most.", min=1)] = _DEFAULT.epochs,
    steps: Annotated[int, typer.Option(help="Steps an epoch.", min=1)] = _DEFAULT.steps,
    batch: Annotated[int, typer.Option(help="Patches a step.", min=1)] = _DEFAULT.batch,
    patch: Annotated[int, typer.Option(help="Edge of a patch, voxels; a multiple of 8.")] = _DEFAULT.patch,
    spacing: Annotated[float, typer.Option(help="Voxel size the network works at, mm.")] = _DEFAULT.spacing_mm,
    width: Annotated[int, typer.Option(help="Channels of the first level.", min=4, max=64)] = _DEFAULT.width,
    learning_rate: Annotated[float, typer.Option(help="At the start.", min=1e-6, max=1)] = _DEFAULT.learning_rate,
    patience: Annotated[int, typer.Option(help="Epochs without a better Dice.", min=1)] = _DEFAULT.patience,
    shell: Shell = None,
    scheme: Scheme = None,
    resume: Annotated[
        Path | None, typer.Option(help="File that keeps the state after each epoch; an existing one is gone on from.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network.", min=0)] = _DEFAULT.seed,
    device: Device = "cpu",
    overwrite: Overwrite = False,
) -> None:
    """Train a 3-D U-Net on labelled CTs: cortical and cancellous bone, whatever the level."""
    settings = TrainingSettings(
        epochs=epochs,
        patch=patch,
        spacing_mm=spacing,
        width=width,
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        patience=patience,
        shell_mm=shell,
        seed=seed,
    )
    known = find_cases(cases, scheme)
    with result_folder(out, overwrite) as folder, progress_bar() as report:
        trained = train(known, settings, report, device, resume)
        write_bundle(folder, trained, known)
        (folder / "run.json").write_text(json.dumps({"software": software()}, indent=1) + "\n", "utf-8")
    _print_training(trained, any_synthetic(known), out)


@segmenter.command("evaluate")
def evaluate_command(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder of a MONAI bundle.")],
    out: Out,
    cases: Cases,
    shell: Shell = None,
    scheme: Scheme = None,
    device: Device = "cpu",
    overwrite: Overwrite = False,
) -> None:
    """Compare a bundle's cortical and cancellous bone with labelled CTs, and write scores.csv to OUT."""
    config, known = read_config(bundle), find_cases(cases, scheme)
    with result_folder(out, overwrite) as folder, progress_bar() as report:
        scores = evaluate(config, known, report, device, shell)
        write_scores(folder / "scores.csv", scores)
        about = {"bundle": config.name, "synthetic_cases": any_synthetic(known), "shell_mm": shell}
        (folder / "run.json").write_text(json.dumps(about | {"software": software()}, indent=1) + "\n", "utf-8")
    _print_scores(scores)


def _print_training(trained: Trained, synthetic: bool, out: Path) -> None:
    best = zip(PARTS, trained.dice[trained.best])
    typer.echo(f"Validation Dice: {', '.join(f'{part} {value:.3f}' for part, value in best)}")
    typer.echo(f"(epoch {trained.best + 1} of {len(trained.losses)}, cases {', '.join(trained.validated_on)})")
    if synthetic:
        typer.echo("! Trained on synthetic patients: not for real ones.")
    typer.echo(f"Bundle: {out.absolute()}")


def _print_scores(scores: Sequence[Score]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("Case", "Part", "Dice", "Mean surface distance mm", "95 % mm")
    for s in scores:
        numbers = (s.dice, s.surface_mm, s.surface_95_mm)
        table.add_row(s.case, s.part, *("-" if value is None else f"{value:.3f}" for value in numbers))
    Console().print(table)
