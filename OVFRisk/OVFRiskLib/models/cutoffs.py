"""Published cut-offs, applied to a patient's measurements with all that is needed to read them."""

import json
import re
from dataclasses import dataclass
from functools import cache

from ..image import Modality, Volume
from ..measurement import MeasurementTable, Quality
from ..resources import resource
from ..vbq.comparability import published_comparability

_OF_A_REGION = re.compile(r"[CTL]\d+ (body|csf): ")


@dataclass(frozen=True)
class Cutoff:
    """One published cut-off: higher values were more frequent in patients with the outcome.

    Parameters
    ----------
    name : str
        Name of the measurement.
    cutoff : float
    sensitivity, specificity : float
        Published, 0-1.
    auc : str
        Published, with its confidence interval.
    fracture, no_fracture : tuple of float
        Mean and SD of the published groups.
    outcome, population, source : str
    field_strength_tesla : float
        The only one the cut-off was found at.
    statistic : str
        How the published score combined the levels: mean or median.
    """

    name: str
    cutoff: float
    sensitivity: float
    specificity: float
    auc: str
    fracture: tuple[float, float]
    no_fracture: tuple[float, float]
    outcome: str
    population: str
    source: str
    field_strength_tesla: float
    statistic: str


@dataclass(frozen=True)
class Assessment:
    """A cut-off applied to one patient: a comparison with a published group, not a diagnosis.

    Parameters
    ----------
    name : str
        Name of the measurement.
    value : float or None
    cutoff : float
    above : bool or None
        Whether the value is above the cut-off; None where there is no value.
    outcome, population, source, auc : str
    sensitivity, specificity : float
        As published for the cut-off.
    note : str
        What to keep in mind, or why there is no value.
    uncertainty : float or None
        What other regions of the same bodies would change; None where it is not known.
    """

    name: str
    value: float | None
    cutoff: float
    above: bool | None
    outcome: str
    sensitivity: float
    specificity: float
    auc: str
    population: str
    source: str
    note: str
    uncertainty: float | None = None

    @property
    def brief(self) -> str:
        """The note without what is said of single regions; how often something is."""
        return brief(self.note)

    @property
    def written(self) -> str:
        """The value with its uncertainty."""
        spread = "" if self.uncertainty is None else f" ± {self.uncertainty:.3f}"
        return "—" if self.value is None else f"{self.value:.3f}{spread}"


def brief(note: str) -> str:
    """Return a score's note without what is said of single regions; how often something is."""
    texts = dict.fromkeys(note.split("; "))
    general = [text for text in texts if not _OF_A_REGION.match(text)]
    single = len(texts) - len(general)
    return "; ".join(general + ([f"{single} remarks on single regions stand beside the signals"] if single else []))


@cache
def vbq_cutoffs() -> tuple[Cutoff, ...]:
    """Return the cut-offs of Huang et al. (``Resources/Models/vbq-cutoffs-huang-2025.json``)."""
    paper = json.loads(resource("Models", "vbq-cutoffs-huang-2025.json").read_text("utf-8"))
    shared = {key: paper[key] for key in ("outcome", "population", "source", "field_strength_tesla", "statistic")}
    pairs = ("fracture", "no_fracture")
    return tuple(Cutoff(**{**entry, **{k: tuple(entry[k]) for k in pairs}}, **shared) for entry in paper["cutoffs"])


def assess(table: MeasurementTable, images: dict[str, Volume], statistic: str) -> tuple[Assessment, ...]:
    """Compare the VBQ scores in `table` with the published cut-offs.

    Parameters
    ----------
    table : MeasurementTable
    images : dict of str to Volume
        The images that each score was measured on, by the score's name; their scanner and field strength are compared
        with the publication's.
    statistic : str
        How the scores combined the levels.
    """
    return tuple(_assess(cutoff, table, images.get(cutoff.name), statistic) for cutoff in vbq_cutoffs())


def _assess(cutoff: Cutoff, table: MeasurementTable, image: Volume | None, statistic: str) -> Assessment:
    rows = table.where(name=cutoff.name).rows
    if not rows:
        return _assessment(cutoff, None, "not measured: the sequence was not given")
    row = rows[0]
    if row.quality is Quality.ABSENT:
        return _assessment(cutoff, None, row.note)
    notes = [row.note, *_comparison(cutoff, image)]
    if statistic != cutoff.statistic:
        notes.append(f"the cut-off was found with the {cutoff.statistic} of the levels, not their {statistic}")
    uncertainty = table.value(name=f"{cutoff.name}_uncertainty")
    return _assessment(cutoff, row.value, "; ".join(note for note in notes if note), uncertainty)


def _assessment(cutoff: Cutoff, value: float | None, note: str, uncertainty: float | None = None) -> Assessment:
    published = {name: getattr(cutoff, name) for name in _PUBLISHED}
    above = None if value is None else value > cutoff.cutoff
    return Assessment(value=value, above=above, note=note, uncertainty=uncertainty, **published)


_PUBLISHED = ("name", "cutoff", "outcome", "sensitivity", "specificity", "auc", "population", "source")


def _comparison(cutoff: Cutoff, image: Volume | None) -> tuple[str, ...]:
    """Return why a score is not to be compared with the cut-off; an image that is not there states nothing."""
    sequence = Modality(cutoff.name.split("_")[1].upper())
    found = published_comparability(image if image is not None else {}, sequence)
    return tuple(f"the cut-off: {warning.removeprefix(f'the cut-off of VBQ-{sequence}: ')}" for warning in found)
