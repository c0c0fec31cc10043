"""The rows of the table that paraspinal muscles give."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..anatomy import Structure, VertebralLevel
from ..measurement import Measurement, Quality, Source
from .settings import SIDES

HU = "[hnsf'U]"  # UCUM
UNITS = {
    "muscle_volume": "cm3",
    "cross_section": "cm2",
    "mean_attenuation": HU,
    "mean_attenuation_sd": HU,
    "fat_infiltrated_fraction": "1",
    "lean_fraction": "1",
}
ASYMMETRIES = {"asymmetry_volume": "1", "asymmetry_attenuation": HU}
_OF = {"asymmetry_volume": "muscle_volume", "asymmetry_attenuation": "mean_attenuation"}
_COUNTED = ("fat_infiltrated_fraction", "lean_fraction")
_ATTENUATION = ("mean_attenuation", "mean_attenuation_sd", *_COUNTED, "asymmetry_attenuation")


@dataclass(frozen=True)
class Found:
    """The values of a muscle in a slab, by the rows' names, and what to keep in mind of them.

    Parameters
    ----------
    values : mapping of str to float
    notes, attenuation_notes, fraction_notes, volume_notes : tuple of str
        On all values, on what hangs on attenuation, on the shares of fat and lean muscle, and on the volume.
    """

    values: Mapping[str, float]
    notes: tuple[str, ...]
    attenuation_notes: tuple[str, ...]
    fraction_notes: tuple[str, ...]
    volume_notes: tuple[str, ...]

    def note(self, name: str) -> str:
        """Return the note of the row called `name`."""
        notes = self.notes
        notes += self.attenuation_notes if name in _ATTENUATION else ()
        notes += self.fraction_notes if name in _COUNTED else ()
        return "; ".join(notes + (self.volume_notes if name == "muscle_volume" else ()))


@dataclass(frozen=True)
class Rows:
    """Makes rows of one patient.

    Parameters
    ----------
    subject, protocol_id : str
    source : Source
    """

    subject: str
    protocol_id: str
    source: Source

    def muscle(self, level: VertebralLevel | None, part: Structure, found: Found | str) -> Iterator[Measurement]:
        """Yield the rows of one muscle or of one side of it; all absent where `found` is a reason."""
        for name in UNITS:
            if isinstance(found, str):
                yield self._row(level, part, name, None, found)
            else:
                yield self._row(level, part, name, found.values[name], found.note(name))

    def asymmetries(
        self, level: VertebralLevel | None, muscle: Structure, left: Found | str, right: Found | str
    ) -> Iterator[Measurement]:
        """Yield right less left: of the volume as a share of their mean, of the attenuation in HU."""
        for name, of in _OF.items():
            if isinstance(left, str) or isinstance(right, str):
                reasons = {"left": left, "right": right}
                yield self._row(level, muscle, name, None, joined_reasons(reasons))
                continue
            difference = right.values[of] - left.values[of]
            if name == "asymmetry_volume":
                difference *= 2 / (right.values[of] + left.values[of])
            notes = {side: note for side, found in (("left", left), ("right", right)) if (note := found.note(name))}
            yield self._row(level, muscle, name, difference, joined_reasons(notes))

    def absent(self, level: VertebralLevel | None, muscles: Iterable[Structure], reason: str) -> Iterator[Measurement]:
        """Yield all rows of muscles, of each side and of both, as absent."""
        for muscle in muscles:
            for part in (*SIDES[muscle], muscle):
                yield from self.muscle(level, part, reason)
            yield from self.asymmetries(level, muscle, reason, reason)

    def _row(
        self, level: VertebralLevel | None, part: Structure, name: str, value: float | None, note: str
    ) -> Measurement:
        quality = Quality.ABSENT if value is None else Quality.FLAGGED if note else Quality.OK
        where = (self.subject, level, part, name, value, (UNITS | ASYMMETRIES)[name], self.protocol_id)
        return Measurement(*where, source=self.source, quality=quality, note=note)


def joined_reasons(found: Mapping[str, Found | str]) -> str:
    """Return reasons and notes by side (what else was found is passed over); once where both sides have the same."""
    reasons = {side: reason for side, reason in found.items() if isinstance(reason, str)}
    if len(reasons) == 2 and len(set(reasons.values())) == 1:
        return next(iter(reasons.values()))
    return "; ".join(f"{side} side: {reason}" for side, reason in reasons.items())
