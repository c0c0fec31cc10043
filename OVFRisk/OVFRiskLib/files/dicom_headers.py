"""What is taken from a DICOM header, one record an image."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError, import_optional
from .dicom_words import image_type_words, words_in
from .stored_image import DAMAGED, readable

# Set by the scanner or computed; whatever a person types at the console (series and study descriptions, protocol name,
# comments, agents) may hold a name and is not here: of descriptions only words of a fixed list are kept.
ACQUISITION = (
    "Modality", "Manufacturer", "ManufacturerModelName", "MagneticFieldStrength", "KVP", "ConvolutionKernel",
    "SliceThickness", "GantryDetectorTilt", "RescaleType", "RepetitionTime", "EchoTime", "InversionTime", "FlipAngle",
    "EchoTrainLength", "PixelBandwidth", "ScanningSequence", "SequenceVariant", "ScanOptions", "MRAcquisitionType",
    "EchoPulseSequence", "InversionRecovery", "SpectrallySelectedSuppression", "MagnetizationTransfer",
    "AcquisitionContrast",
)  # fmt: skip
_NESTED = {  # names in multi-frame objects
    "EffectiveEchoTime": "EchoTime",
    "InversionTimes": "InversionTime",
    "RFEchoTrainLength": "EchoTrainLength",
}
_IMAGES = tuple(f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("2", "2.1", "4", "4.1"))  # CT, MR, and multi-frame ones
_DESCRIPTIONS = ("SeriesDescription", "ProtocolName", "BodyPartExamined")
_GE = "GEMS_ACQU_01"  # receive gains of GE's prescan: analogue 0019,xx8A, digital 0019,xx8B (pydicom's dictionary)
_NO_AGENT = ("", "NO", "NONE", "N", "OHNE", "SANS", "NIL", "0", "NATIV", "WITHOUT", "NO CONTRAST")
_MAX_TEXT = 64
BROKEN = (  # what pydicom's lazy parsing raises on damaged values
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    EOFError,
    OSError,
)


@dataclass(frozen=True)
class Slice:
    """One image of a series: its place, its size, and how its stored values become measured ones.

    Parameters
    ----------
    path : Path
    frame : int or None
        Within a multi-frame file.
    position : ndarray, shape (3,)
        Centre of the first pixel, LPS mm.
    along_row, along_column : ndarray, shape (3,)
        Unit directions in which the column (row) index grows, LPS.
    pixel_spacing : tuple of float
        Between rows, between columns, mm.
    """

    path: Path
    frame: int | None
    series_uid: str
    series_number: int
    modality: str
    image_type: tuple[str, ...]
    rows: int
    columns: int
    position: np.ndarray
    along_row: np.ndarray
    along_column: np.ndarray
    pixel_spacing: tuple[float, float]
    slope: float
    intercept: float
    rescale_type: str

    @property
    def is_localizer(self) -> bool:
        """Whether the header says localiser (PS3.3 C.8.2.1.1.1) or scout."""
        return any(word in ("LOCALIZER", "SCOUT", "LOCALISER", "TOPOGRAM") for word in self.image_type)

    @property
    def is_screenshot(self) -> bool:
        """Whether it is a picture of a screen (captures, dose sheets), not of a patient."""
        return any("SCREEN" in word or "DOSE" in word for word in self.image_type)

    @property
    def normal(self) -> np.ndarray:
        """Unit normal of the slice, LPS."""
        return np.cross(self.along_row, self.along_column)


@contextmanager
def intact(path: Path) -> Iterator[None]:
    """Turn what pydicom raises on damaged values, when they are first looked at, into a UserError."""
    odd_length = import_optional("pydicom", "Reading DICOM").errors.BytesLengthException
    try:
        yield
    except (*BROKEN, odd_length) as error:
        raise UserError(f"The DICOM file {path} is incomplete or damaged ({error}).", DAMAGED) from error


def slices_of(path: Path) -> list[Slice]:
    """Return the images of one DICOM file; none for objects without images in patient space (reports, captures).

    Raises
    ------
    UserError
        When the header is damaged.
    """
    header = read_header(path)
    with intact(path):
        if "Rows" not in header or "Columns" not in header:
            if _was_image(header):
                raise ValueError("it ends before its image")
            return []
        if "PerFrameFunctionalGroupsSequence" in header:
            frames = header.PerFrameFunctionalGroupsSequence
            return [_frame(header, path, frame, number) for number, frame in enumerate(frames)]
        return [_slice(header, path, None, (header,))] if _has_place(header) else []


def _was_image(header: Any) -> bool:
    """Whether a header without an image was cut off from one: it says that it is one, and no other modality."""
    stated = (header.get("SOPClassUID"), header.file_meta.get("MediaStorageSOPClassUID"))
    modality = str(header.get("Modality") or "")
    return any(kind in _IMAGES for kind in stated) and (len(modality) < 2 or modality in ("CT", "MR"))


def read_header(path: Path, pixels: bool = False) -> Any:
    """Return the dataset of `path` (pydicom), without pixel data unless asked for."""
    pydicom = import_optional("pydicom", "Reading DICOM")
    with readable(path), intact(path):
        try:
            return pydicom.dcmread(path, stop_before_pixels=not pixels)
        except pydicom.errors.InvalidDicomError as error:
            raise UserError(f"{path} is no valid DICOM file ({error}).", DAMAGED) from error


def acquisition(image: Slice) -> dict[str, str]:
    """Return the acquisition's technical facts by DICOM keyword, as text; no patient data and no free text.

    Of an MR image also ``DescriptionWords`` (words of a fixed list that its descriptions hold, see `dicom_words`),
    ``RescaleSlope``, ``ReceiverGain`` (GE: analogue/digital) and ``Session``: eight hexadecimal digits that are equal
    for images of one study; its UID cannot be computed from them.
    """
    header = read_header(image.path)
    facts: dict[str, str] = {}
    with intact(image.path):
        for element in (element for source in _sources(header, image.frame) for element in source):
            key = _NESTED.get(element.keyword, element.keyword)
            if key in ACQUISITION and key not in facts and (text := _text(element.value)):
                facts[key] = text
        if _has_agent(header):
            facts["ContrastBolusAgent"] = "stated"
        return facts | (_mr_facts(header, image) if image.modality == "MR" else {})


def _sources(header: Any, frame: int | None) -> Iterator[Any]:
    """Yield what describes an image: the header, then its functional groups, the frame's own before the shared ones.

    Other sequences tell of other images and machines (references, the workstation that sent the images).
    """
    yield header
    if frame is not None:
        shared = header.get("SharedFunctionalGroupsSequence") or ()
        for group in (header.PerFrameFunctionalGroupsSequence[frame], *shared):
            for sequence in group:
                yield from _items(sequence)


def _has_agent(header: Any) -> bool:
    agent = str(header.get("ContrastBolusAgent") or "").strip().upper()
    return agent not in _NO_AGENT or bool(header.get("ContrastBolusAgentSequence"))


def _mr_facts(header: Any, image: Slice) -> dict[str, str]:
    texts = [str(header.get(key) or "") for key in _DESCRIPTIONS]
    study = str(header.get("StudyInstanceUID") or "").strip()
    facts = {
        "DescriptionWords": "\\".join(sorted(words_in(*texts) | image_type_words(image.image_type))),
        "RescaleSlope": f"{image.slope:g}",
        "ReceiverGain": _receiver_gain(header),
        "Session": sha256(study.encode()).hexdigest()[:8] if study else "",
    }
    return {key: text for key, text in facts.items() if text}


def _receiver_gain(header: Any) -> str:
    try:
        block = header.private_block(0x0019, _GE)
        return "/".join(_text(block[offset].value) for offset in (0x8A, 0x8B))
    except KeyError:
        return ""


def _text(value: Any) -> str:
    values = [value] if isinstance(value, str | bytes) or not hasattr(value, "__iter__") else list(value)
    text = "\\".join("" if v is None else str(v) for v in values)
    return "".join(c for c in text if c.isprintable()).strip()[:_MAX_TEXT]


def _has_place(header: Any) -> bool:
    return all(header.get(key) for key in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"))


def _frame(header: Any, path: Path, frame: Any, number: int) -> Slice:
    """One frame of an enhanced (multi-frame) object; its attributes stand in functional groups (PS3.3 C.7.6.16)."""
    shared = header.get("SharedFunctionalGroupsSequence") or [{}]
    groups = [item for source in (frame, shared[0]) for sequence in source for item in _items(sequence)]
    return _slice(header, path, number, (*groups, header))


def _items(element: Any) -> list:
    return list(element.value or ()) if element.VR == "SQ" else []


def _slice(header: Any, path: Path, frame: int | None, sources: tuple) -> Slice:
    def first(key: str, default: Any = None) -> Any:
        found = next(
            (source[key].value for source in sources if key in source and source[key].value is not None), default
        )
        if found is None:
            raise KeyError(f"{key} is missing")
        return found

    direction = np.array([float(v) for v in first("ImageOrientationPatient")])
    along_row, along_column = (v / np.linalg.norm(v) for v in (direction[:3], direction[3:]))
    position = np.array([float(v) for v in first("ImagePositionPatient")])
    spacing = tuple(float(v) for v in first("PixelSpacing"))
    slope, intercept = float(first("RescaleSlope", 1.0)), float(first("RescaleIntercept", 0.0))
    numbers = np.array([*along_row, *along_column, *position, *spacing, slope, intercept])
    if numbers.size != 13 or not np.isfinite(numbers).all() or min(spacing) <= 0 or slope == 0:
        raise ValueError("position, direction, spacing or rescaling is impossible")
    return Slice(
        path, frame, str(header.get("SeriesInstanceUID") or ""), int(header.get("SeriesNumber") or 0),
        str(header.get("Modality") or "unknown"), _image_type(header), int(header.Rows), int(header.Columns), position,
        along_row, along_column, spacing, slope, intercept, str(first("RescaleType", "")).upper(),
    )  # fmt: skip


def _image_type(header: Mapping) -> tuple[str, ...]:
    value = header.get("ImageType") or ()
    return tuple(str(v).upper() for v in ([value] if isinstance(value, str) else value))
