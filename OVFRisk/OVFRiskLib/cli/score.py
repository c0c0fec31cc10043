"""``ovfrisk score``: models applied to measurements and features that were exported before."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UserError
from ..files.figures.score_nomograms import write_score_nomograms
from ..files.read_features import read_features
from ..files.result_folder import result_folder
from ..files.score_table import score_columns
from ..files.tables import read_measurements, write_csv
from ..image import Modality
from ..measurement import MeasurementTable
from ..models.catalogue import model_of
from ..models.facts import Facts
from ..models.scoring import score
from ..provenance import software
from ..results import print_scores
from .options import Models, Out, Overwrite


def score_command(  # noqa: PLR0913, PLR0917 - one argument an option
    out: Out,
    model: Models = None,
    measurements: Annotated[Path | None, typer.Option(help="measurements.csv of one or more patients.")] = None,
    features: Annotated[Path | None, typer.Option(help="features.csv or .parquet.")] = None,
    run: Annotated[
        Path | None, typer.Option(help="run.json beside them: sex, age, phase and scanner as they were given there.")
    ] = None,
    sex: Annotated[str | None, typer.Option(help="F or M.")] = None,
    age: Annotated[float | None, typer.Option(help="Years.", min=0, max=120)] = None,
    phase: Annotated[str | None, typer.Option(help="Contrast phase of the CT.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Apply models to a patient's tables, and write scores.csv and the nomograms to OUT."""
    if not model:
        raise UserError("No model was named.", "Add --model with a bundle's file or a name of `ovfrisk models list`.")
    models = [model_of(name) for name in dict.fromkeys(model)]
    facts = _facts(run, sex, age, phase)
    with result_folder(out, overwrite) as folder:
        scores = score(models, _table(measurements, features), facts)
        write_csv(folder / "scores.csv", score_columns([scored.prediction for scored in scores]))
        nomograms = write_score_nomograms(folder, scores)
        manifest = {"software": software(), "models": [one.id for one in models], "nomograms": nomograms}
        (folder / "run.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    print_scores(scores)
    typer.echo(f"Result: {out.absolute()}")


def _table(measurements: Path | None, features: Path | None) -> MeasurementTable:
    if measurements is None and features is None:
        raise UserError("There is nothing to score.", "Add --measurements, --features or both.")
    table = read_measurements(measurements) if measurements else MeasurementTable()
    return table + read_features(features) if features else table


def _facts(run: Path | None, sex: str | None, age: float | None, phase: str | None) -> Facts:
    """Return what is known of the patient: from the run manifest, and what is given now counts first."""
    known = _manifest(run) if run else {}
    patient = known.get("patient") if isinstance(known.get("patient"), dict) else {}
    images = known.get("images") if isinstance(known.get("images"), dict) else {}
    statistic = _at(known, "settings", "vbq", "statistic") or _at(known, "settings", "statistic")
    return Facts(
        sex=sex or _text(patient.get("sex")),
        age=age if age is not None else _number(patient.get("age")),
        phase=phase or _text(patient.get("phase")),
        acquisitions={Modality(name): _acquisition(image) for name, image in images.items() if name in list(Modality)},
        settings={"vbq_statistic": statistic} if isinstance(statistic, str) else {},
        synthetic=patient.get("synthetic") is True,
    )


def _manifest(path: Path) -> dict:
    try:
        known = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {error}.", "Give the run.json of an analysis.") from error
    if not isinstance(known, dict):
        raise UserError(f"{path} is no run manifest.", "Give the run.json of an analysis.")
    return known


def _at(values: object, *keys: str) -> object:
    for key in keys:
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _acquisition(image: object) -> dict[str, str]:
    facts = _at(image, "acquisition")
    return {key: value for key, value in facts.items() if isinstance(value, str)} if isinstance(facts, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
