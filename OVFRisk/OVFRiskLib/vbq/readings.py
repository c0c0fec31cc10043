"""A reading: what one reader measured of one exam at one time, kept as a file so that readers can be compared."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from .. import __version__
from ..anatomy import Structure, VertebralLevel
from ..errors import UserError
from ..image import Modality, Volume
from ..measurement import Measurement, MeasurementTable
from .levels import choose_levels
from .proposal import SEQUENCES
from .reading_file import SCHEMA, from_plain, read_plain, to_plain, write_plain
from .regions import Regions

__all__ = ["SCHEMA", "STATISTICS", "SUFFIX", "Reading", "read_reading", "write_reading"]

SUFFIX = ".reading.json"
STATISTICS = ("mean", "median")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{16,64}")
_CODE_HELP = "Give a code of up to 64 letters, digits, dots, dashes and underscores; never a name."


@dataclass(frozen=True)
class Reading:
    """One exam measured once by one reader.

    Parameters
    ----------
    reader : str
        A code that the user gives.
    time : datetime
        When it was read; UTC.
    subject : str
        A code, never a patient's name.
    regions : Regions
        Where it was measured, RAS mm.
    measurements : MeasurementTable
        What `measure_vbq` gave: signal per sequence and region, scores per exam.
    statistic : str
        How the scores combine the levels: ``mean`` or ``median``.
    fractured : tuple of VertebralLevel
        Levels that the reader left out as fractured.
    images : mapping of Modality to str
        Hash of each sequence's image (`Volume.hash`).
    acquisition : mapping of Modality to mapping
        How each sequence was acquired, by DICOM keyword.
    software : str
        The version of OVFRisk that measured.

    Raises
    ------
    UserError
        When a code is none, the time is not in UTC, or the measurements are not of this subject and these images.
    """

    reader: str
    time: datetime
    subject: str
    regions: Regions
    measurements: MeasurementTable
    statistic: str
    fractured: tuple[VertebralLevel, ...]
    images: Mapping[Modality, str]
    acquisition: Mapping[Modality, Mapping[str, str]]
    software: str

    def __post_init__(self) -> None:
        for kind, code in (("reader", self.reader), ("subject", self.subject)):
            if not _CODE.fullmatch(code):
                raise UserError(f"'{code}' is no code for a {kind}.", _CODE_HELP)
        if self.time.utcoffset() != timedelta(0):
            raise UserError(f"The time of the reading, {self.time}, is not in UTC.", "Give a time in UTC.")
        if self.statistic not in STATISTICS:
            raise UserError(f"'{self.statistic}' is no way to combine levels.", f"Choose {' or '.join(STATISTICS)}.")
        if not self.images or not set(self.images) <= set(SEQUENCES) or set(self.acquisition) != set(self.images):
            raise UserError("A reading needs T1, T2 or STIR images, each with how it was acquired.", "Measure again.")
        if not all(_HASH.fullmatch(found) for found in self.images.values()):
            raise UserError("The hash of an image is not valid.", "Measure again.")
        _check_rows(self)

    @classmethod
    def from_measurements(
        cls,
        table: MeasurementTable,
        regions: Regions,
        volumes: Mapping[Modality, Volume],
        *,
        reader: str,
        statistic: str = "mean",
        fractured: Collection[VertebralLevel] = (),
        time: datetime | None = None,
    ) -> Self:
        """Return the reading of an exam that was just measured.

        Parameters
        ----------
        table : MeasurementTable
            What `measure_vbq` returned; its subject is the reading's.
        regions, volumes, statistic, fractured
            What `measure_vbq` was given.
        reader : str
            A code that the user gives.
        time : datetime, optional
            When it was read, with a time zone; now where it is not given.

        Raises
        ------
        UserError
            When nothing was measured, or a code or the time is not valid.
        """
        if not len(table):
            raise UserError("Nothing was measured: there is no reading to keep.", "Measure the exam first.")
        images = {sequence: volumes[sequence] for sequence in SEQUENCES if sequence in volumes}
        when = time or datetime.now(UTC)
        if when.utcoffset() is None:
            raise UserError(f"The time of the reading, {when}, has no time zone.", "Give a time in UTC.")
        return cls(
            reader=reader,
            time=when.astimezone(UTC),
            subject=table.rows[0].subject,
            regions=regions,
            measurements=table,
            statistic=statistic,
            fractured=tuple(sorted(set(fractured), key=lambda level: level.rank)),
            images={sequence: volume.hash for sequence, volume in images.items()},
            acquisition={sequence: dict(volume.acquisition) for sequence, volume in images.items()},
            software=__version__,
        )

    @property
    def file_name(self) -> str:
        """Name for its file: subject, reader and time."""
        return f"{self.subject}_{self.reader}_{self.time:%Y%m%dT%H%M%S%fZ}{SUFFIX}"

    def level_signals(self, sequence: Modality) -> dict[VertebralLevel, float]:
        """Return the signal of each body that has one on a sequence."""
        rows = self.measurements.where(name=f"{sequence.lower()}_signal_intensity")
        return {r.level: r.value for r in rows if r.compartment is not Structure.CSF and r.value is not None}

    def csf(self, sequence: Modality) -> Measurement | None:
        """Return the row of the signal of CSF on a sequence; None where there is no CSF region."""
        rows = self.measurements.where(name=f"{sequence.lower()}_signal_intensity", compartment=Structure.CSF).rows
        return rows[0] if rows else None

    def scored_levels(self, *sequences: Modality) -> tuple[VertebralLevel, ...]:
        """Return the levels that the score of these sequences is made of; empty where there is none."""
        measured = set.intersection(*(set(self.level_signals(sequence)) for sequence in sequences))
        return choose_levels(measured, self.fractured, {}).levels


def _check_rows(reading: Reading) -> None:
    subjects = {row.subject for row in reading.measurements}
    if subjects - {reading.subject}:
        raise UserError(f"The measurements are not all of {reading.subject}.", "Keep one reading for each subject.")
    known = {f"{sequence.lower()}_signal_intensity": found for sequence, found in reading.images.items()}
    for name in (f"{sequence.lower()}_signal_intensity" for sequence in SEQUENCES):
        rows = reading.measurements.where(name=name).rows
        if any(row.source.image != known.get(name) for row in rows):
            raise UserError(f"'{name}' was not measured on the images of the reading.", "Measure again.")


def write_reading(path: Path, reading: Reading, overwrite: bool = False) -> None:
    """Write a reading as JSON; half a file never appears.

    Parameters
    ----------
    path : Path
        ``*.reading.json`` is what `ovfrisk vbq agreement` looks for in a folder.
    reading : Reading
    overwrite : bool
        Whether an earlier file may be replaced.

    Raises
    ------
    UserError
        When the file exists and may not be replaced, or cannot be written.
    """
    fields = {name: getattr(reading, name) for name in Reading.__annotations__}
    write_plain(path, to_plain(fields), overwrite)


def read_reading(path: Path) -> Reading:
    """Read a reading that `write_reading` wrote.

    Raises
    ------
    UserError
        When the file cannot be read, is of another version, or an entry is missing, unknown or not valid.
    """
    data = read_plain(path)
    try:
        return Reading(**from_plain(data))
    except UserError as error:
        raise UserError(f"The reading {path} is not valid: {error.what}", error.what_to_do) from None
