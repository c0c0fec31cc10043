"""A model's nomogram, and where a patient stands on it."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Literal

from ...errors import UserError, import_optional
from ...measurement import unit_text
from ...models.card import Combination, ModelCard
from ...models.nomogram import MOST_POINTS, Axis, Nomogram, Reading, points_of, pretty
from .scale import LEFT, LINE, Scale, write
from .style import BLUE, GREY, INK, VERMILLION, Illustration, data_uri, new_figure, outlined, styled, write_picture

_WIDTH, _RIGHT = 10.5, 10.3  # inches, as all lengths here
_ROW, _GAP = 0.52, 0.25
_KINDS = ("png", "svg")
_NAMES_OF_0_AND_1 = {"sex_male": ("female", "male")}
_POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_FIRST_LABELS = (0.5, 0.1, 0.9, 0.01, 0.99, 0.3, 0.7, 0.2, 0.8, 0.05, 0.95, 0.4, 0.6)
_SYNTHETIC = "Trained on simulated patients: shows how it works, says nothing about a real patient."
_READ = "Read the points above each value, add them up, and read the probability below the total; points are rounded."
_BEYOND = "Arrowhead: beyond the end of the scale; points and probability are the model's."
_IMPUTED = "Open circle: not measured, the model's own value stands for it"


@dataclass(frozen=True)
class _Patient:
    """Who is marked: every input's value by its title, which of them were not measured, and what they give."""

    values: Mapping[str, float]
    imputed: Collection[str]
    reading: Reading

    def outside(self, axis: Axis) -> bool:
        return not axis.minimum <= self.values[axis.title] <= axis.maximum


def nomogram_figure(
    nomogram: Nomogram,
    values: Mapping[str, float] | None = None,
    imputed: Collection[str] = (),
    kind: Literal["svg", "png"] = "svg",
) -> Illustration:
    """Draw a nomogram and, where there are `values`, the patient on it.

    Parameters
    ----------
    nomogram : Nomogram
    values : mapping of str to float, optional
        Every input's value by its title, in its unit, those that stand for missing values too.
    imputed : collection of str
        Titles of the inputs that were not measured.
    kind : str
        Of the image.

    Raises
    ------
    UserError
        When matplotlib is missing.
    """
    patient, card = _patient(nomogram, values, imputed), nomogram.card
    uri = _drawn(nomogram, patient, kind)
    caption = (
        "Each value has the points above it; below the total of the points stands the model's probability. Thick line: "
        f"range of the values the model was trained on. {card.name} {card.version}; no diagnosis."
    )
    caption += f" {_SYNTHETIC}" if card.synthetic else ""
    return Illustration("nomogram", f"Nomogram: {card.title}", caption, _alt(nomogram, patient), uri)


def write_nomogram(
    nomogram: Nomogram, path: Path, values: Mapping[str, float] | None = None, imputed: Collection[str] = ()
) -> None:
    """Write the drawing of `nomogram_figure` as ``.png`` or ``.svg``.

    Raises
    ------
    UserError
        When matplotlib is missing, the name ends otherwise, or the file cannot be written.
    """
    kind = path.suffix.removeprefix(".").lower()
    if kind not in _KINDS:
        raise UserError(f"A figure cannot be written as {path.name}.", "Choose a name that ends in .png or .svg.")
    write_picture(path, _drawn(nomogram, _patient(nomogram, values, imputed), kind))


def _patient(nomogram: Nomogram, values: Mapping[str, float] | None, imputed: Collection[str]) -> _Patient | None:
    return None if values is None else _Patient(values, imputed, points_of(nomogram, values))


def _drawn(nomogram: Nomogram, patient: _Patient | None, kind: str) -> str:
    """Draw heading, scales and notes below each other; return the data URI."""
    import_optional("matplotlib", "Drawing a nomogram")
    card, notes = nomogram.card, _notes(nomogram, patient)
    heading, titles = _wrapped(card.title, 92, 3), [_wrapped(axis.title, 34, 4) for axis in nomogram.axes]
    rooms = [max(_ROW, LINE * (len(lines) + 1) + 0.12) for lines in titles]
    top = 0.85 + 0.19 * len(heading) + (_GAP if card.synthetic else 0.0)
    bottom = top + sum(rooms) + 2 * _ROW + 0.1
    with styled():
        figure = new_figure(_WIDTH, bottom + 0.45 + 0.16 * len(notes))
        figure.set_layout_engine("none")  # every place is given, in inches
        ax = figure.add_axes((0, 0, 1, 1), xlim=(0, _WIDTH), ylim=(figure.get_figheight(), 0))
        ax.set_axis_off()
        _heading(ax, card, heading)
        right = _RIGHT - (1.35 if patient else 0.0)
        _points_axis(Scale(ax, top, MOST_POINTS, right), patient)
        y = top + _ROW / 2
        for axis, lines, room in zip(nomogram.axes, titles, rooms):
            scale = Scale(ax, y + room / 2, MOST_POINTS, right)
            _input_axis(scale, axis, lines)
            if patient:
                _mark_input(scale, axis, patient, top)
            y += room
        _total_axes(Scale(ax, bottom - _ROW, nomogram.total_ticks[-1], right), nomogram, patient)
        for n, (note, color) in enumerate(notes):
            write(ax, LEFT, bottom + 0.45 + 0.16 * n, note, color=color, fontsize=7.5)
        return data_uri(figure, kind)


def _heading(ax, card: ModelCard, lines: Sequence[str]) -> None:
    y = 0.22
    for line in lines:
        write(ax, LEFT, y, line, fontsize=11, weight="bold")
        y += 0.19
    write(ax, LEFT, y, f"{card.name} {card.version} · no diagnosis", color=GREY)
    if card.synthetic:
        box = {"facecolor": VERMILLION, "edgecolor": "none", "boxstyle": "round,pad=0.3"}
        write(ax, LEFT + 0.05, y + _GAP, _SYNTHETIC, color="white", weight="bold", bbox=box)


def _points_axis(scale: Scale, patient: _Patient | None) -> None:
    scale.label(["Points"])
    marks = [(points, f"{points:g}") for points in pretty(0, MOST_POINTS)]
    scale.line(0, MOST_POINTS)
    scale.ticks(marks, range(len(marks)), up=True)
    scale.ticks([(points + 5, "") for points, _ in marks[:-1]], (), up=True)
    if patient:
        for n, line in enumerate(("This patient's", "points")):
            write(scale.ax, _RIGHT, scale.y + LINE * (n - 0.5), line, weight="bold", ha="right")


def _input_axis(scale: Scale, axis: Axis, lines: Sequence[str]) -> None:
    scale.label(lines, [_unit(axis)])
    marks = sorted(zip(axis.points, _tick_names(axis)))
    scale.line(marks[0][0], marks[-1][0])
    if not axis.binary:
        ends = axis.points_at(axis.minimum), axis.points_at(axis.maximum)
        scale.line(*ends, color=INK, linewidth=2.4)
    if not axis.per_unit:
        write(scale.ax, scale.x(0) + 0.1, scale.y, "no effect", color=GREY)
        return
    named = scale.evenly(marks)
    scale.ticks(marks, named)
    if not named:
        scale.end_names(marks)


def _total_axes(scale: Scale, nomogram: Nomogram, patient: _Patient | None) -> None:
    scale.label(["Total points"])
    marks = [(total, f"{total:g}") for total in nomogram.total_ticks]
    scale.line(0, scale.most)
    scale.ticks(marks, scale.evenly(marks))
    below = Scale(scale.ax, scale.y + _ROW, scale.most, scale.right)
    _probability_axis(below, nomogram)
    if patient:
        _mark_total(scale, below, nomogram, patient.reading)


def _probability_axis(scale: Scale, nomogram: Nomogram) -> None:
    card, found = nomogram.card, list(nomogram.probability_ticks)
    one = "" if card.combination is Combination.PATIENT else " (of one level)"
    scale.label(["Probability, %"], _wrapped(f"{card.outcome}{one}", 38, 2))
    scale.line(0, nomogram.highest)
    if len(found) < 3:  # a narrow range: its ends say more
        found = [(nomogram.probability(end), end) for end in (0.0, nomogram.highest)]
    marks = [(total, _percent(p).removesuffix(" %").removesuffix(".0")) for p, total in found]
    order = sorted(range(len(found)), key=lambda n: _rank(found[n][0]))
    scale.ticks(marks, scale.fitting(marks, order))


def _rank(probability: float) -> int:
    return _FIRST_LABELS.index(probability) if probability in _FIRST_LABELS else 0


def _mark_input(scale: Scale, axis: Axis, patient: _Patient, top: float) -> None:
    value, points = patient.values[axis.title], patient.reading.points[axis.title]
    color = VERMILLION if patient.outside(axis) else BLUE
    x = scale.dot(points, max(axis.points), color, hollow=axis.title in patient.imputed)
    scale.ax.plot([x, x], [top, scale.y], color=BLUE, linewidth=0.8, alpha=0.45, zorder=1)
    style = {"color": color, "weight": "bold", "path_effects": outlined("white", 3)}
    write(scale.ax, x, scale.y - 0.16, _named(axis, value), ha="center", **style)
    write(scale.ax, _RIGHT, scale.y, _points(points), ha="right", **style)


def _mark_total(scale: Scale, below: Scale, nomogram: Nomogram, reading: Reading) -> None:
    x = scale.dot(reading.total, scale.most)
    below.dot(reading.total, nomogram.highest)
    scale.ax.plot([x, x], [scale.y, below.y], color=BLUE, linewidth=1.4, zorder=1)
    rule = scale.y - 0.3
    scale.ax.plot([_RIGHT - 0.75, _RIGHT], [rule, rule], color=INK, linewidth=0.8)
    bold = {"ha": "right", "color": BLUE, "weight": "bold"}
    write(scale.ax, _RIGHT, scale.y, f"= {_points(reading.total)}", **bold)
    write(scale.ax, _RIGHT, below.y, _percent(reading.probability), fontsize=12, **bold)


def _wrapped(text: str, width: int, most: int) -> list[str]:
    return wrap(text, width, max_lines=most, placeholder=" …") or [""]


def _power(axis: Axis) -> int:
    """Return the power of ten that very large or small values are written in."""
    power = math.floor(math.log10(0.99 * max(map(abs, axis.ticks))))
    return power if not -3 <= power <= 4 else 0


def _unit(axis: Axis) -> str:
    power, unit = _power(axis), unit_text(axis.unit)
    return f"× 10{str(power).translate(_POWERS)} {unit}" if power else unit


def _tick_names(axis: Axis) -> Sequence[str]:
    if axis.binary:
        return _NAMES_OF_0_AND_1.get(axis.name, ("0", "1"))
    return [f"{tick / 10.0 ** _power(axis):.10g}" for tick in axis.ticks]


def _named(axis: Axis, value: float) -> str:
    """Return a value as the axis writes it, with one digit more than the ticks need."""
    if axis.binary and value in axis.ticks:
        return _tick_names(axis)[int(value)]
    power = _power(axis)
    step = (axis.ticks[1] - axis.ticks[0]) / 10.0**power
    digits = max(1, 1 - math.floor(math.log10(step)))
    return f"{round(value / 10.0**power, digits) + 0.0:.{digits}f}".rstrip("0").rstrip(".")


def _points(points: float) -> str:
    return f"{round(points, 1) + 0.0:.1f}"


def _percent(probability: float) -> str:
    if probability < 0.001:
        return "< 0.1 %"
    if probability > 0.999:
        return "> 99.9 %"
    return f"{100 * probability:.{1 if not 0.1 <= probability <= 0.9 else 0}f} %"


def _notes(nomogram: Nomogram, patient: _Patient | None) -> list[tuple[str, str]]:
    """Return the lines below the scales, each with its colour."""
    notes = [(_READ, GREY)]
    if patient:
        notes += [(f"{said}.", VERMILLION) for said in patient.reading.outside]
        if any(not 0 <= patient.reading.points[axis.title] <= max(axis.points) for axis in nomogram.axes):
            notes.append((_BEYOND, VERMILLION))
        if patient.imputed:
            notes.append((f"{_IMPUTED}: {', '.join(patient.imputed)}.", INK))
    return [(line, color) for note, color in notes for line in wrap(note, 140)]


def _alt(nomogram: Nomogram, patient: _Patient | None) -> str:
    inputs = ", ".join(axis.title for axis in nomogram.axes)
    what = f"Nomogram of {nomogram.card.name} with scales of {inputs}, total points and probability."
    if patient is None:
        return what
    found = patient.reading
    points = ", ".join(f"{title} {_points(given)}" for title, given in found.points.items())
    total = f"total {_points(found.total)}, probability {_percent(found.probability)}"
    return f"{what} This patient's points: {points}; {total}."
