"""What is known of the levels of a segmentation, and the table that shows it; kept with the scene."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from ..anatomy import Compartment, Region, VertebralLevel
from ..image import LabelMap
from ..segmentation.level_quality import LevelQuality
from .view import Cell, RowState, RowView, TableView
from .words import _

Prints = Mapping[str, str]  # region to fingerprint


@dataclass(frozen=True)
class Judged:
    """How far one level can be trusted.

    Parameters
    ----------
    level : VertebralLevel
    usable : bool
        False where a measurement would be false.
    quality : float
        0 to 1.
    remarks : tuple of str
    """

    level: VertebralLevel
    usable: bool
    quality: float
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: LevelQuality) -> "Judged":
        """Return what a check has found."""
        return cls(found.level, found.usable, found.score, (*found.reasons, *found.statements))


@dataclass(frozen=True)
class Check:
    """A check of all levels.

    Parameters
    ----------
    prints : mapping of str to str
        Fingerprint of each segment when it was made.
    judged : mapping of VertebralLevel to Judged
    volumes : mapping of VertebralLevel to float
        mL.
    """

    prints: Prints = field(default_factory=dict)
    judged: Mapping[VertebralLevel, Judged] = field(default_factory=dict)
    volumes: Mapping[VertebralLevel, float] = field(default_factory=dict)

    @classmethod
    def made(cls, prints: Prints, labels: LabelMap, judged: Iterable[Judged]) -> "Check":
        """Return the check of a label map."""
        return cls(prints, {found.level: found for found in judged}, volumes_ml(labels))

    def to_text(self) -> str:
        """Return the check as JSON, to be kept with the scene."""
        return json.dumps({
            "prints": dict(self.prints),
            "judged": [asdict(found) for found in self.judged.values()],
            "volumes": dict(self.volumes),
        })  # fmt: skip

    @classmethod
    def from_text(cls, text: str) -> "Check":
        """Read a check; what is no such thing is no check."""
        try:
            content = json.loads(text)
            judged = [_judged(entry) for entry in content["judged"]]
            volumes = {VertebralLevel(level): float(value) for level, value in content["volumes"].items()}
            prints = {str(name): str(value) for name, value in content["prints"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()
        return cls(prints, {found.level: found for found in judged}, volumes)


def _judged(entry: dict) -> Judged:
    quality = float(entry["quality"])
    if not 0 <= quality <= 1 or not isinstance(entry["usable"], bool):
        raise ValueError("a quality lies between 0 and 1")
    return Judged(VertebralLevel(entry["level"]), entry["usable"], quality, tuple(map(str, entry["remarks"])))


def volumes_ml(labels: LabelMap) -> dict[VertebralLevel, float]:
    """Return the volume of all parts of each level, mL."""
    counts = np.bincount(labels.array.ravel()[labels.array.ravel() > 0], minlength=max(labels.labels, default=0) + 1)
    found: dict[VertebralLevel, float] = {}
    for value, region in labels.labels.items():
        if isinstance(region.part, Compartment):
            found[region.level] = found.get(region.level, 0.0) + float(counts[value]) * labels.voxel_volume / 1000
    return found


def parts_by_level(regions: Iterable[Region]) -> dict[VertebralLevel, tuple[Compartment, ...]]:
    """Return the parts that are labelled of each vertebra, from head to foot."""
    found: dict[VertebralLevel, list[Compartment]] = {}
    for region in sorted(regions, key=lambda region: region.sort_key):
        if isinstance(region.part, Compartment):
            found.setdefault(region.level, []).append(region.part)
    return {level: tuple(parts) for level, parts in found.items()}


def level_table(parts: Mapping[VertebralLevel, tuple[Compartment, ...]], check: Check, prints: Prints) -> TableView:
    """Return the levels of a segmentation with what the last check says; stale where anything was edited since."""
    columns = (_("Level"), _("Quality"), _("Parts"), _("Volume mL"), _("Remarks"))
    tip = ""
    if not check.prints:
        tip = _("Not checked yet: press Check levels.")
    elif check.prints != prints:
        changed = sorted({name for name in {*check.prints, *prints} if check.prints.get(name) != prints.get(name)})
        tip = _("Edited since the check ({names}): press Check levels.").format(names=", ".join(changed))
    rows = (_row(level, has, check, tip) for level, has in parts.items())
    return TableView(_("Levels"), columns, tuple(rows))


def _row(level: VertebralLevel, parts: tuple[Compartment, ...], check: Check, tip: str) -> RowView:
    found, volume = check.judged.get(level), check.volumes.get(level)
    cells = (
        Cell(str(level), float(level.rank)),
        _quality(found),
        Cell(_("split") if Compartment.CORTICAL in parts else ", ".join(parts), tip=", ".join(parts)),
        Cell("" if volume is None else f"{volume:.1f}", volume),
        Cell("; ".join(found.remarks) if found else "", tip="\n".join(found.remarks) if found else ""),
    )
    return RowView(str(level), cells, RowState.STALE if tip else RowState.CURRENT, level, tip)


def _quality(found: Judged | None) -> Cell:
    if found is None:
        return Cell("", tip=_("Levels from T1 to L6 are judged."))
    if not found.usable:
        return Cell(_("not usable"), 0.0, _("A measurement of this level would be false."))
    return Cell(f"{found.quality:.2f}", found.quality)
