"""DICOM: from a folder of files to the one series that was meant.

Nothing that may identify a patient is kept: names, dates, UIDs and every free text stay in the files.
"""

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError, import_optional
from ..image import Modality, Volume
from .dicom_headers import Slice, acquisition, slices_of
from .dicom_stack import stacked
from .plausibility import check_weighting
from .stored_image import readable

_MAX_FILES = 50_000
_MAX_ENTRIES = 500_000  # files of any kind: a folder with more is a whole disc
MIN_SLICES = 3
_FEATURE = "Reading DICOM"
_KINDS = {Modality.CT: "CT", Modality.T1: "MR", Modality.T2: "MR", Modality.STIR: "MR"}
_PREAMBLE = 128


def is_dicom(path: Path) -> bool:
    """Whether `path` is a file that begins as DICOM files do."""
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            return False
        with path.open("rb") as file:
            return file.read(_PREAMBLE + 4)[_PREAMBLE:] == b"DICM"
    except OSError:
        return False


def read_dicom(path: Path, modality: Modality, series: str | None = None) -> Volume:
    """Read one series of a folder (searched with its subfolders) or a multi-frame file.

    Series of another modality, localisers and single derived pictures do not count; what was left out is recorded.
    Slices are ordered by their position along their normal, whatever their numbers. Rescale slope and intercept are
    applied slice by slice. A gantry tilt is removed.

    Parameters
    ----------
    path : Path
    modality : Modality
    series : str, optional
        Series number or series instance UID.

    Raises
    ------
    UserError
        When there is no such series or more than one, a slice is missing, doubled or of another size or direction,
        pixels cannot be decoded, or the header contradicts `modality`.
    """
    import_optional("pydicom", _FEATURE)
    with quiet_pydicom():
        groups = series_in(path)
        chosen, left_out = _choose(groups, modality, series, path)
        stored = stacked(chosen, path).squared(interpolate=True)
        facts = acquisition(chosen[0])
    if modality in _KINDS:
        check_weighting(facts, modality, str(path))
    corrections = (*left_out, *stored.corrections)
    return Volume(stored.array, stored.ijk_to_ras, modality, f"{modality} series", corrections, facts)


def series_in(path: Path, damaged: list[UserError] | None = None) -> list[list[Slice]]:
    """Return the images of every series below `path`, by series number.

    Parameters
    ----------
    path : Path
    damaged : list of UserError, optional
        Collects what is wrong with files that cannot be read; without it the first one is raised.

    Raises
    ------
    UserError
        When there are no DICOM images, or a file is damaged.
    """
    groups: dict[str, list[Slice]] = {}
    for file in dicom_files(path):
        for image in _images_of(file, damaged):
            groups.setdefault(image.series_uid, []).append(image)
    if not groups:
        raise UserError(
            f"{path} holds no DICOM images.{_other_images(path)}", "Give the folder of one CT or MR series."
        )
    return sorted(groups.values(), key=lambda images: (images[0].series_number, images[0].series_uid))


def dicom_files(path: Path) -> Iterator[Path]:
    """Yield `path` itself, or the DICOM files below it in the order of their names.

    Raises
    ------
    UserError
        When the folder cannot be read, or is far larger than any exam.
    """
    if path.is_file():
        yield path
        return
    count = entries = 0
    with readable(path):
        for folder, subfolders, names in os.walk(path, onerror=_refused):
            subfolders.sort()
            entries += len(names)
            if entries > _MAX_ENTRIES:
                raise UserError(f"{path} holds more than {_MAX_ENTRIES} files.", "Give the folder of one exam.")
            for name in sorted(names):
                if is_dicom(file := Path(folder, name)):
                    count += 1
                    if count > _MAX_FILES:
                        raise UserError(f"{path} holds more than {_MAX_FILES} DICOM files.", "Give one series' folder.")
                    yield file


def _images_of(file: Path, damaged: list[UserError] | None) -> list[Slice]:
    try:
        return slices_of(file)
    except UserError as error:
        if damaged is None:
            raise
        damaged.append(error)
        return []


def _refused(error: OSError) -> None:
    raise error


def _other_images(path: Path) -> str:
    if path.is_file():
        return ""
    names = [p.name for p in path.iterdir() if p.name.lower().endswith((".nii", ".nii.gz", ".nrrd", ".mha", ".mhd"))]
    return f" It holds {len(names)} other image files: give one of them itself." if names else ""


def _choose(
    groups: list[list[Slice]], modality: Modality, series: str | None, path: Path
) -> tuple[list[Slice], tuple[str, ...]]:
    """Return the images of the wanted series, and notes on what was left out."""
    if series is not None:
        return _named(groups, series, modality, path), ()
    volumes = [(group, volume_images(group)) for group in groups]
    volumes = [(group, images) for group, images in volumes if len(images) >= MIN_SLICES]
    if not volumes:
        raise UserError(
            f"{path} holds no series of {MIN_SLICES} or more slices: {_list(groups)}.", "Give a whole series."
        )
    fitting = [(group, images) for group, images in volumes if _fits(images[0], modality)]
    if not fitting:
        raise UserError(
            f"{path} is given as {modality}, but holds {_list([images for _, images in volumes])}.",
            f"Give a folder with {_article(_KINDS[modality])} series.",
        )
    if len(fitting) > 1:
        raise UserError(
            f"{path} holds {len(fitting)} series that could be meant: {_list([images for _, images in fitting])}.",
            "Name one by its number (or UID), or give a folder that holds only that series.",
        )
    group, images = fitting[0]
    rest = [other for other in groups if other is not group]
    notes = [f"Other series of the folder were left out: {_list(rest)}."] if rest else []
    if len(images) < len(group):
        notes.append(f"{len(group) - len(images)} localiser or secondary images of the series were left out.")
    return images, tuple(notes)


def _named(groups: list[list[Slice]], series: str, modality: Modality, path: Path) -> list[Slice]:
    found = [group for group in groups if series in (str(group[0].series_number), group[0].series_uid)]
    if len(found) != 1:
        known = "several series" if found else "no series"
        raise UserError(f"{path} holds {known} '{series}': {_list(found or groups, uid=True)}.", "Name one of these.")
    images = volume_images(found[0]) or found[0]
    if not _fits(images[0], modality):
        raise UserError(f"Series {series} is {images[0].modality}, not {_KINDS[modality]}.", "Name another series.")
    return images


def _fits(image: Slice, modality: Modality) -> bool:
    return modality not in _KINDS or image.modality == _KINDS[modality]


def volume_images(group: Sequence[Slice]) -> list[Slice]:
    """Return the images of a series without localisers and captures of screens."""
    return [image for image in group if not image.is_localizer and not image.is_screenshot]


def _list(groups: Sequence[Sequence[Slice]], uid: bool = False) -> str:
    """Describe series without their descriptions, in which names have been found."""
    numbers = [group[0].series_number for group in groups]
    return "; ".join(_describe(group, uid or numbers.count(group[0].series_number) > 1) for group in groups)


def _describe(group: Sequence[Slice], uid: bool) -> str:
    first = group[0]
    kind = " localiser" if first.is_localizer else ""
    text = (
        f"series {first.series_number}: {first.modality}{kind}, {len(group)} images of {first.columns} x {first.rows}"
    )
    return f"{text} (UID {first.series_uid or 'none'})" if uid else text


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "MR" else f"a {kind}"


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom's remarks on odd values from the terminal: what matters is checked here."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
