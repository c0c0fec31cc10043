"""The editable record: what has been measured, from which regions, and what an edit has made stale since.

A record has parts that are measured on their own: ``CT`` and ``VBQ``. What a row hangs on is said by the rules of
`dependence` (CT) or with the rows (VBQ). A row is stale while any region or image that it hangs on has another
fingerprint than at measuring: an edit that is taken back makes it current again.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..files.read_features import feature_measurements
from ..measurement import Measurement, MeasurementTable
from .dependence import Name, features_hang_on, hangs_of
from .view import RowState

if TYPE_CHECKING:
    from ..radiomics import Features

CT, VBQ = "CT", "VBQ"
Key = tuple[VertebralLevel | None, Compartment | Structure | None, str, str]


@dataclass(frozen=True)
class Part:
    """What was measured together.

    Parameters
    ----------
    table : MeasurementTable
    features : mapping of Region to Features
    fingerprints : mapping of Region or str to str
        Of every region and image (see `image_name`) when it was measured.
    hangs : mapping of str to tuple of Region or str, optional
        By `row_key`: what a row hangs on; None where the rules for CT say it. A row that is not named hangs on
        everything of the part.
    references : tuple of Structure
        What CT density was calibrated with in this scan.
    how : tuple of str
        The choices that it was measured with, as options of the command line.
    run : mapping
        The run manifest, as JSON values.
    """

    table: MeasurementTable = field(default_factory=MeasurementTable)
    features: Mapping[Region, "Features"] = field(default_factory=dict)
    fingerprints: Mapping[Name, str] = field(default_factory=dict)
    hangs: Mapping[str, tuple[Name, ...]] | None = None
    references: tuple[Structure, ...] = ()
    how: tuple[str, ...] = ()
    run: Mapping[str, object] = field(default_factory=dict)

    def watches(self, name: Name) -> bool:
        """Whether values of the part may hang on a region or image: on CT also on segments that are new."""
        return name in self.fingerprints or (self.hangs is None and isinstance(name, Region))

    def culprits(self, row: Measurement, changed: Collection[Name]) -> list[Name]:
        """Return those of the changed regions and images that a row hangs on."""
        if self.hangs is not None:
            own = self.hangs.get(row_key(row))
            return [name for name in changed if own is None or name in own]
        region = _region(row)
        of_features = region in self.features and row_key(row) not in self._keys
        hangs = features_hang_on(region) if of_features else hangs_of(row, self.references)
        return [name for name in changed if isinstance(name, str) or hangs.on(name)]

    def of_region(self, region: Region, changed: Collection[Name]) -> list[Name]:
        """Return those of the changed regions and images that the features of a region hang on."""
        hangs = features_hang_on(region)
        return [name for name in changed if isinstance(name, str) or hangs.on(name)]

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(map(row_key, self.table))


class Record:
    """What has been measured, and what has been edited since.

    Parameters
    ----------
    parts : mapping of str to Part
    now : mapping of Region or str to str, optional
        Fingerprints as they are now; "" is removed. What is not named is as it was at measuring.
    """

    def __init__(self, parts: Mapping[str, Part] | None = None, now: Mapping[Name, str] | None = None) -> None:
        self.parts = dict(parts or {})
        self.now = dict(now or {})

    @classmethod
    def of(
        cls,
        table: MeasurementTable,
        features: Mapping[Region, "Features"],
        fingerprints: Mapping[Name, str],
        images: Mapping[str, str],
        part: str = CT,
    ) -> "Record":
        """Return the record of one part.

        Parameters
        ----------
        table, features, fingerprints
            As of `Part`.
        images : mapping of str to str
            Hash of each image by modality.
        part : str
        """
        return cls({part: Part(table, features, {**fingerprints, **image_names(images)})})

    @cached_property
    def table(self) -> MeasurementTable:
        """All measurements, without the features."""
        return MeasurementTable(row for part in self.parts.values() for row in part.table)

    @cached_property
    def features(self) -> Mapping[Region, "Features"]:
        """All radiomics features."""
        return {region: found for part in self.parts.values() for region, found in part.features.items()}

    def edited(self, fingerprints: Mapping[Name, str]) -> frozenset[str]:
        """Take in fingerprints as they are now ("" is removed); return the keys of all rows that are stale then."""
        self.now |= fingerprints
        return frozenset(row_key(row) for row in self.table if self.state(row) is RowState.STALE)

    def replaced(self, name: str, part: Part, now: Mapping[Name, str] | None = None) -> "Record":
        """Return a record with one part measured anew, the others as they are.

        Parameters
        ----------
        name : str
            ``CT`` or ``VBQ``.
        part : Part
        now : mapping, optional
            Fingerprints as they are now, if there may have been an edit since `part`'s were taken.
        """
        return Record({**self.parts, name: part}, {**self.now, **(part.fingerprints if now is None else now)})

    def state(self, row: Measurement) -> RowState:
        """Return whether a measurement or feature is current, stale, or absent."""
        if self.culprits(row):
            return RowState.STALE
        return RowState.ABSENT if row.value is None else RowState.CURRENT

    def region_state(self, region: Region) -> RowState:
        """Return whether the features of a region are current."""
        return RowState.STALE if self.region_culprits(region) else RowState.CURRENT

    def culprits(self, row: Measurement) -> list[Name]:
        """Return the regions and images that have changed since the row was measured from them."""
        found = self._part_of(row)
        return found[1].culprits(row, self._changed(found[0])) if found else []

    def region_culprits(self, region: Region) -> list[Name]:
        """Return the regions and images that have changed since the features of `region` were extracted."""
        of = next((name for name, part in self.parts.items() if region in part.features), None)
        return self.parts[of].of_region(region, self._changed(of)) if of else []

    @property
    def changed(self) -> tuple[Name, ...]:
        """What has another fingerprint than at measuring."""
        return tuple(dict.fromkeys(name for part in self.parts for name in self._changed(part)))

    @property
    def stale_levels(self) -> tuple[VertebralLevel, ...]:
        """The levels whose segments have been edited since the CT was measured, from head to foot."""
        changed = self._changed(CT) if CT in self.parts else ()
        levels = {name.level for name in changed if isinstance(name, Region) and isinstance(name.part, Compartment)}
        return tuple(sorted(levels, key=lambda level: level.rank))

    @property
    def stale_rows(self) -> tuple[Measurement, ...]:
        """The measurements that are stale; features are not among them."""
        return tuple(row for row in self.table if self.state(row) is RowState.STALE)

    def stale_table(self, subject: str) -> MeasurementTable:
        """Return all that is stale, features too, as `Model.predict` takes it."""
        old = {region: found for region, found in self.features.items() if self.region_culprits(region)}
        return MeasurementTable(self.stale_rows) + feature_measurements(subject, old)

    def _changed(self, of: str) -> tuple[Name, ...]:
        """Return what has changed since a part was measured."""
        part = self.parts[of]
        return tuple(
            name for name, now in self.now.items() if part.watches(name) and now != part.fingerprints.get(name, "")
        )

    def _part_of(self, row: Measurement) -> tuple[str, Part] | None:
        return next(self._holding(row), None)

    def _holding(self, row: Measurement) -> Iterator[tuple[str, Part]]:
        key, region = row_key(row), _region(row)
        yield from ((name, part) for name, part in self.parts.items() if key in part._keys)
        yield from ((name, part) for name, part in self.parts.items() if region in part.features)


def row_key(row: Measurement) -> str:
    """Return what names a row within one subject."""
    return "|".join(str(field or "") for field in (row.level, row.compartment, row.name, row.protocol_id))


def image_name(modality: str) -> str:
    """Return the name that an image has among the fingerprints."""
    return f"image {modality}"


def image_names(images: Mapping[str, str]) -> dict[Name, str]:
    """Return the hashes of images by their names among the fingerprints."""
    return {image_name(modality): found for modality, found in images.items()}


def _region(row: Measurement) -> Region | None:
    whole_patient = row.level is None and isinstance(row.compartment, Compartment)
    return Region(row.compartment, row.level) if row.compartment and not whole_patient else None
