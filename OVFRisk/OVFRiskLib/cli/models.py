"""``ovfrisk models``: which there are, what is in one, and whether a file is a sound one."""

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..models.card import Input, ModelCard
from ..models.card_file import card_to_dict
from ..models.card_schema import model_schema
from ..models.catalogue import catalogued, model_names, model_of
from ..models.model import Model
from ..models.scoring import figure, rates
from ..results import plain_table

models = typer.Typer(help="Risk models: what they are for, what they need, how well they did.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="MODEL", help="A model that comes with OVFRisk, or a bundle's file.")]


class Form(StrEnum):
    """How a model is shown."""

    TABLE = "table"
    JSON = "json"


@models.command("list")
def list_command() -> None:
    """List the models that come with OVFRisk."""
    from rich.console import Console

    cards = [catalogued(name).card for name in model_names()]
    rows = [(card.name, str(card.origin), card.outcome, card.title) for card in cards]
    table = plain_table(("Name", "Numbers", "Outcome", "What it is"), rows)
    table.columns[0].no_wrap = True
    Console().print(table)


@models.command("show")
def show_command(
    model: Name,
    form: Annotated[Form, typer.Option("--format", help="To read, or the card as JSON.")] = Form.TABLE,
) -> None:
    """Show what a model is for, what it needs and how well it did."""
    found = model_of(model)
    if form is Form.JSON:
        typer.echo(json.dumps(card_to_dict(found.card), indent=1, ensure_ascii=False))
    else:
        _print_model(found)


@models.command("check")
def check_command(file: Annotated[Path, typer.Argument(metavar="FILE", help="A bundle.")]) -> None:
    """Check that a bundle is whole, safe and can be applied here; exit code 2 and the reason where it is not."""
    found = Model.load(file)
    kind = found.predictor.kind if found.predictor else "no predictor: nothing is published"
    typer.echo(f"{file.name} is sound: {found.title}, {kind}, {len(found.card.inputs)} inputs, id {found.id}.")


@models.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of model.json: editors check and complete a file whose "$schema" names it."""
    typer.echo(json.dumps(model_schema(), indent=1))


def _print_model(model: Model) -> None:
    from rich.console import Console

    console, card = Console(), model.card
    console.print(f"{card.title} ({model.title}, {card.origin})", style="bold", highlight=False, markup=False)
    if card.synthetic:
        console.print("Trained on SYNTHETIC patients: never for a real one.", style="bold red")
    for name, text in _facts(model).items():
        if text:
            console.print(f"{name}: {text}", highlight=False, markup=False)
    console.print(_input_table(card))
    if card.thresholds:
        console.print(_threshold_table(card))


def _facts(model: Model) -> dict[str, str]:
    card = model.card
    low, high = card.population.age
    return {
        "For": card.intended_use,
        "Not for": card.not_for,
        "Outcome": card.outcome,
        "Population": card.population.text,
        "Age": "" if low is None and high is None else f"{low or 0:g} to {'…' if high is None else f'{high:g}'} years",
        "Result": f"{card.output}, {_COMBINED[card.combination]}",
        "Predictor": model.predictor.kind if model.predictor else "none: the numbers are not published",
        "Holds": "support vectors: single training patients' values" if _holds_rows(model) else "",
        "Protocols": ", ".join(card.protocols),
        "Made with": ", ".join(f"{name} {value}" for name, value in card.settings.items()),
        "Performance": "; ".join(map(figure, card.performance)),
        "Validation": card.validation,
        "Training": ", ".join(f"{name}: {value}" for name, value in card.training.items()),
        "Licence": card.licence,
        "Source": card.citation,
        "Id": model.id,
    }


def _holds_rows(model: Model) -> bool:
    return getattr(model.predictor, "holds_training_rows", False)


_COMBINED = {
    "patient": "of the patient",
    "level": "of each level",
    "maximum": "the highest of the levels",
    "mean": "the mean of the levels",
}


def _input_table(card: ModelCard) -> object:
    titles = ("Input", "Measurement", "Unit", "Training range", "If missing")
    return plain_table(titles, (row for one in card.inputs for row in _input_rows(one, "")), "Inputs")


def _input_rows(one: Input, indent: str) -> Iterator[tuple[str, ...]]:
    where = " ".join(str(part) for part in (_levels(one), one.compartment, one.name) if part)
    seen = f"{one.training.minimum:.4g} to {one.training.maximum:.4g}" if one.training else "not stated"
    missing = "no result" if one.impute is None else f"{one.impute:.4g} is taken"
    yield indent + one.title, "sum of its terms" if one.terms else where, one.unit, seen, missing
    for term in one.terms:
        yield from _input_rows(term, indent + "  ")


def _levels(one: Input) -> str:
    names = ",".join(one.levels)
    return f"{one.statistic} of {names}" if one.statistic else names


def _threshold_table(card: ModelCard) -> object:
    titles = ("Threshold", "At", "Below", "Above", "Sensitivity, specificity")
    rows = ((one.name, f"{one.value:g}", one.below, one.above, rates(one)) for one in card.thresholds)
    return plain_table(titles, rows, "Classes (no diagnosis)")
