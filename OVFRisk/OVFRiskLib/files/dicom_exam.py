"""A folder of DICOM files as an exam: its series, what each is, and the images of the one that is chosen.

Nothing that may identify a patient is kept (see `dicom`); of descriptions only words of a fixed list.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import UserError, import_optional
from ..image import Modality, Volume
from ..vbq.sequence_choice import Candidate
from .dicom import MIN_SLICES, quiet_pydicom, series_in, volume_images
from .dicom_headers import Slice, acquisition
from .dicom_stack import stacked
from .plausibility import check_intensities, check_weighting

_FEATURE = "Reading DICOM"
_LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
_MAX_SERIES = 500  # an exam has 5 to 50; more is an archive
_PARALLEL = 0.999  # cosine; 2.6 degrees
_SAME_MM = 0.01


@dataclass(frozen=True, eq=False)
class Series:
    """One series of an exam.

    Parameters
    ----------
    facts : Candidate
        How it was acquired, its plane, slices and place; `facts.key` names it, `facts.problem` says what is wrong.
    number : int
    modality : str
        DICOM's: ``MR``, ``CT``, …
    """

    facts: Candidate
    number: int
    modality: str
    images: tuple[Slice, ...] = field(repr=False)

    @property
    def key(self) -> str:
        """What to call it: ``series 5``."""
        return self.facts.key


@dataclass(frozen=True, eq=False)
class Exam:
    """What a folder holds.

    Parameters
    ----------
    series : tuple of Series
        By number; CT, localisers and others too.
    damaged : tuple of str
        What is wrong with files that could not be read, with their paths: for the screen, not for reports.
    """

    series: tuple[Series, ...]
    damaged: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report has to say: how many files could not be read."""
        return (f"{len(self.damaged)} damaged files of the folder were left out.",) if self.damaged else ()

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What `vbq.sequence_choice.propose_exam` takes: the MR series."""
        return tuple(one.facts for one in self.series if one.modality == "MR")

    def named(self, key: str) -> Series:
        """Return a series by its key (``series 5``) or number (``5``).

        Raises
        ------
        UserError
            When there is none, or several have the number.
        """
        found = [one for one in self.series if key.strip() in (one.key, str(one.number), f"series {one.number}")]
        if len(found) != 1:
            known = ", ".join(one.key for one in self.series)
            raise UserError(f"'{key}' names {len(found) or 'no'} series.", f"Choose one of: {known}.")
        return found[0]


def read_exam(path: Path) -> Exam:
    """Look through a folder (with its subfolders) or a multi-frame file; pixels are not read.

    Damaged files do not hide the others: they are told in `damaged`.

    Raises
    ------
    UserError
        When there are no DICOM images, or more files or series than any exam has.
    """
    import_optional("pydicom", _FEATURE)
    damaged: list[UserError] = []
    with quiet_pydicom():
        groups = [part for group in _groups(path, damaged) for part in _by_number(group)]
        if len(groups) > _MAX_SERIES:
            raise UserError(f"{path} holds {len(groups)} series, more than one exam.", "Give the folder of one exam.")
        keys = _keys(groups)
        series = tuple(_series(group, key, damaged) for group, key in zip(groups, keys))
    return Exam(series, tuple(error.what for error in damaged))


def read_series(exam: Exam, key: str, modality: Modality) -> Volume:
    """Read the pixels of one series.

    Parameters
    ----------
    exam : Exam
    key : str
        Key or number of the series.
    modality : Modality
        What the user says it is; header and intensities must not contradict it.

    Raises
    ------
    UserError
        When there is no such series, it is of another kind, or its images are no even stack.
    """
    one, modality = exam.named(key), Modality(modality)
    kind = "CT" if modality is Modality.CT else "MR"
    if modality is not Modality.OTHER and one.modality != kind:
        raise UserError(f"{one.key} is {one.modality}, not {kind}.", "Name another series.")
    if len(one.images) < MIN_SLICES:
        raise UserError(f"{one.key} is no volume: {one.facts.problem}.", "Name another series.")
    with quiet_pydicom():
        stored = stacked(one.images, Path(one.key)).squared(interpolate=True)
    facts = dict(one.facts.acquisition)
    if modality is not Modality.OTHER:
        check_weighting(facts, modality, one.key)
    corrections = (*stored.corrections, *exam.notes)
    volume = Volume(stored.array, stored.ijk_to_ras, modality, f"{modality} {one.key}", corrections, facts)
    check_intensities(volume, one.key)
    return volume


def _groups(path: Path, damaged: list[UserError]) -> list[list[Slice]]:
    try:
        return series_in(Path(path), damaged)
    except UserError as error:
        if damaged:
            raise UserError(
                f"{path} holds no DICOM image that can be read: {damaged[0].what}", error.what_to_do
            ) from None
        raise


def _by_number(group: list[Slice]) -> list[list[Slice]]:
    """Split what an anonymiser left without UIDs: by series number and folder."""
    if group[0].series_uid:
        return [group]
    parts: dict[tuple, list[Slice]] = {}
    for image in group:
        parts.setdefault((image.series_number, str(image.path.parent)), []).append(image)
    return [part for _, part in sorted(parts.items())]


def _keys(groups: Sequence[Sequence[Slice]]) -> list[str]:
    """Return ``series 5``; where several have the number, ``series 5 (1)``, ``series 5 (2)``, …."""
    numbers = [group[0].series_number for group in groups]
    place: Counter[int] = Counter()
    keys = []
    for number in numbers:
        place[number] += 1
        keys.append(f"series {number} ({place[number]})" if numbers.count(number) > 1 else f"series {number}")
    return keys


def _series(group: Sequence[Slice], key: str, damaged: list[UserError]) -> Series:
    images = tuple(volume_images(group))
    shown = images or tuple(group)
    first = shown[0]
    try:
        facts = acquisition(first)
    except UserError as error:  # the part of the header that was not looked at before
        damaged.append(error)
        facts = {"Modality": first.modality}
    candidate = Candidate(key, facts, *_geometry(shown), problem=_problem(images))
    return Series(candidate, first.series_number, first.modality, images)


def _geometry(images: Sequence[Slice]) -> tuple:
    """Return normal (RAS), number of places, spacing and span along S."""
    first = images[0]
    depth = np.unique(np.round([image.position @ first.normal for image in images], 2))
    gaps = np.diff(depth)
    between = float(np.median(gaps)) if gaps.size else max(first.pixel_spacing)
    edges = [(0.0, 0.0), (first.columns - 1.0, 0.0), (0.0, first.rows - 1.0), (first.columns - 1.0, first.rows - 1.0)]
    heights = [
        image.position[2]
        + along * image.pixel_spacing[1] * image.along_row[2]
        + down * image.pixel_spacing[0] * image.along_column[2]
        for image in images
        for along, down in edges
    ]
    normal = tuple(float(v) for v in first.normal * _LPS_TO_RAS)
    spacing = (first.pixel_spacing[1], first.pixel_spacing[0], between)
    return normal, depth.size, spacing, (float(min(heights)), float(max(heights)))


def _problem(images: Sequence[Slice]) -> str:
    """Return why a series is no volume; empty where it may be one."""
    if not images:
        return "localisers or captures of a screen"
    if len(images) < MIN_SLICES:
        return f"{len(images)} images only"
    first = images[0]
    if any(abs(image.normal @ first.normal) < _PARALLEL for image in images):
        return "slices in several directions"
    if any((image.rows, image.columns) != (first.rows, first.columns) for image in images):
        return "images of several sizes"
    depth = np.sort([image.position @ first.normal for image in images])
    if np.any(np.diff(depth) < _SAME_MM):
        return "several images at one place (echoes, phases, or copies)"
    return ""
