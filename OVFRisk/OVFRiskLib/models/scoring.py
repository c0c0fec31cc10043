"""Models applied to a patient, and how their results are written for a reader."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..measurement import MeasurementTable, unit_text
from .card import Output, Performance, Rate, Threshold
from .facts import Facts
from .model import Model
from .prediction import Prediction

_OF_A_REGION = re.compile(r"[CTL]\d+ (body|csf): ")


@dataclass(frozen=True)
class Scored:
    """A model's result for one patient or level: a comparison or a probability, not a diagnosis."""

    model: Model
    prediction: Prediction

    @property
    def title(self) -> str:
        level = self.prediction.level
        return self.model.card.title if level is None else f"{self.model.card.title}, {level}"

    @property
    def written(self) -> str:
        """The value with its unit and interval; a dash where there is none."""
        found = self.prediction
        if found.value is None:
            return "—"
        if found.output is Output.PROBABILITY:
            return f"{found.value:.0%}" + span(found.interval, ".0%")
        unit = self.model.card.inputs[0].unit
        style, fine, suffix = (".3f", ".3f", "") if unit == "1" else (".0f", ".1f", f" {unit_text(unit)}")
        spread = "" if found.interval is None else f" ± {(found.interval[1] - found.interval[0]) / 2:{fine}}"
        return f"{found.value:{style}}{spread}{suffix}"

    @property
    def class_text(self) -> str:
        """The class; every class that a measured value's own plus or minus reaches."""
        found = self.prediction
        if found.output is Output.PROBABILITY or found.value is None or found.interval is None:
            return found.class_name
        low, high = (sum(one.is_above(end) for one in self.model.card.thresholds) for end in found.interval)
        names = [self.model.card.thresholds[0].below, *(one.above for one in self.model.card.thresholds)]
        reached = " or ".join(names[low : high + 1])
        return reached if low == high else f"{reached}: a bound lies within the error"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What lies outside the training range and the warnings, or why there is no value; not on single regions."""
        found = self.prediction
        return brief((found.reason,) if found.value is None else (*map(str, found.out_of_range), *found.warnings))


def score(models: Iterable[Model], table: MeasurementTable, facts: Facts) -> tuple[Scored, ...]:
    """Apply each model to a patient's measurements.

    Parameters
    ----------
    models : iterable of Model
    table : MeasurementTable
        Of one patient; radiomics features are rows of it, too.
    facts : Facts
    """
    return tuple(Scored(model, found) for model in models for found in model.predict(table, facts))


def numbered_remarks(scores: Sequence[Scored]) -> dict[str, str]:
    """Return each remark once, with the numbers of the results that it is about, e.g. ``1, 3``."""
    about: dict[str, list[str]] = {}
    for number, scored in enumerate(scores, start=1):
        for remark in scored.remarks:
            about.setdefault(remark, []).append(str(number))
    return {remark: ", ".join(numbers) for remark, numbers in about.items()}


def brief(texts: Iterable[str]) -> tuple[str, ...]:
    """Return remarks without those on single regions; how many of these there are."""
    known = dict.fromkeys(part for text in texts for part in text.split("; ") if part)
    general = [text for text in known if not _OF_A_REGION.match(text)]
    single = len(known) - len(general)
    if not single:
        return tuple(general)
    about = "1 remark on a single region stands" if single == 1 else f"{single} remarks on single regions stand"
    return (*general, f"{about} beside the signals")


def rates(threshold: Threshold) -> str:
    """Return sensitivity and specificity; nothing where they are not known."""
    known = (threshold.sensitivity, threshold.specificity)
    return "" if None in known else ", ".join(rate(found) for found in known)


def rate(found: Rate) -> str:
    return f"{found.value:.0%}{span(found.interval, '.0%')}"


def figure(found: Performance) -> str:
    """Return a figure of performance with its interval, and on which data."""
    return f"{found.metric} {found.value:.2f}{span(found.interval, '.2f')}, {found.data}"


def span(interval: tuple[float, float] | None, style: str) -> str:
    """Return an interval in brackets; nothing where there is none."""
    return "" if interval is None else f" ({interval[0]:{style}}–{interval[1]:{style}})"
