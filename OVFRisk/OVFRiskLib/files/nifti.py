"""NIfTI-1 and NIfTI-2 files.

Read here and not through ITK, which fills the missing voxels of a truncated NIfTI with zeros without an error (seen
with ITK 5.4), and refuses sheared matrices. Layout: https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields and
nifti2.h of the NIfTI-2 standard (2011).
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import UserError
from .stored_image import DAMAGED, StoredImage, check_size, readable, stem

_LAYOUTS = {  # header size -> field: (type, shape, offset)
    348: {
        "dim": ("i2", 8, 40),
        "datatype": ("i2", (), 70),
        "pixdim": ("f4", 8, 76),
        "vox_offset": ("f4", (), 108),
        "slope": ("f4", (), 112),
        "inter": ("f4", (), 116),
        "units": ("u1", (), 123),
        "qform": ("i2", (), 252),
        "sform": ("i2", (), 254),
        "quatern": ("f4", 6, 256),
        "srow": ("f4", (3, 4), 280),
    },
    540: {
        "dim": ("i8", 8, 16),
        "datatype": ("i2", (), 12),
        "pixdim": ("f8", 8, 104),
        "vox_offset": ("i8", (), 168),
        "slope": ("f8", (), 176),
        "inter": ("f8", (), 184),
        "units": ("i4", (), 500),
        "qform": ("i4", (), 344),
        "sform": ("i4", (), 348),
        "quatern": ("f8", 6, 352),
        "srow": ("f8", (3, 4), 400),
    },
}
_MAGIC = {348: (344, b"n+1"), 540: (4, b"n+2")}
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_UNIT_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # unknown is taken as mm, as every reader does
_FORMS_AGREE_MM = 1.0


def read_nifti(path: Path) -> StoredImage:
    """Read a NIfTI file, compressed or not; scale factors are applied.

    The sform places the image where it is set, else the qform (the order of the standard). A file with neither does
    not say which side is left.

    Raises
    ------
    UserError
        When the file is missing, truncated, damaged, no NIfTI, not 3-D, or has no orientation.
    """
    with readable(path), _opened(path) as stream:
        header, order, size = _header(stream, path)
        shape = _shape(header, path)
        array = _voxels(stream, header, order, size, shape, path)
    matrix, corrections = _matrix(header, shape, path)
    return StoredImage(array, matrix, stem(path), corrections=corrections)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            yield gzip.GzipFile(fileobj=raw) if packed else raw
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UserError(f"{path} ends too early or its compressed data are broken.", DAMAGED) from error


def _header(stream: BinaryIO, path: Path) -> tuple[np.void, str, int]:
    """Return the header, its byte order and its size."""
    raw = stream.read(540)
    for size in _LAYOUTS:
        for order in "<>":
            if raw[:4] == np.array(size, f"{order}i4").tobytes() and len(raw) >= size:
                _check_magic(raw, size, path)
                return np.frombuffer(raw[:size], _dtype(size, order))[0], order, size
    raise UserError(
        f"{path} is no NIfTI file, whatever its name says.", "Give a NIfTI, NRRD, MetaImage or DICOM image."
    )


def _dtype(size: int, order: str) -> np.dtype:
    fields = _LAYOUTS[size]
    formats = [(order + kind, shape) for kind, shape, _ in fields.values()]
    offsets = [offset for *_, offset in fields.values()]
    return np.dtype({"names": list(fields), "formats": formats, "offsets": offsets, "itemsize": size})


def _check_magic(raw: bytes, size: int, path: Path) -> None:
    place, magic = _MAGIC[size]
    if raw[place : place + 3] != magic:
        raise UserError(f"{path} is an Analyze or two-file NIfTI image.", "Save it as a single NIfTI file (.nii.gz).")


def _shape(header: np.void, path: Path) -> tuple[int, int, int]:
    rank = int(header["dim"][0])
    if not 1 <= rank <= 7:
        raise UserError(f"The header of {path} claims {rank} dimensions.", DAMAGED)
    shape = tuple(int(n) for n in header["dim"][1 : rank + 1])
    check_size(shape, str(path))
    return shape[:3]


def _voxels(stream: BinaryIO, header: np.void, order: str, size: int, shape: tuple, path: Path) -> np.ndarray:
    code = int(header["datatype"])
    if code not in _TYPES:
        raise UserError(
            f"{path} stores voxels of NIfTI type {code} (colour, complex or bits).",
            "Save it as integers or real numbers.",
        )
    offset = float(header["vox_offset"])
    if not size <= offset <= 1e8:
        raise UserError(f"The header of {path} places the voxels at byte {offset:.0f}.", DAMAGED)
    stream.seek(int(offset))
    array = np.empty(shape[::-1], np.dtype(order + _TYPES[code]))
    view, filled = memoryview(array).cast("B"), 0
    while filled < array.nbytes:
        count = stream.readinto(view[filled:])
        if not count:
            raise UserError(f"{path} ends after {filled / array.nbytes:.0%} of its voxels.", DAMAGED)
        filled += count
    stream.read(1)  # at the end of compressed data this compares the checksum
    return _scaled(array.astype(array.dtype.newbyteorder("="), copy=False), header)


def _scaled(array: np.ndarray, header: np.void) -> np.ndarray:
    slope, inter = float(header["slope"]), float(header["inter"])
    if slope == 0 or not np.isfinite([slope, inter]).all() or (slope, inter) == (1, 0):
        return array
    kind = np.result_type(array.dtype, np.float32)  # float64 for integers beyond 16 bits
    return array.astype(kind) * kind.type(slope) + kind.type(inter)


def _matrix(header: np.void, shape: tuple[int, int, int], path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    forms = [form(header) for form, code in ((_sform, "sform"), (_qform, "qform")) if header[code] > 0]
    if not forms:
        raise UserError(
            f"{path} does not say how it lies in the patient (sform and qform code are 0).",
            "Convert it again from the DICOM series, or save it with its orientation.",
        )
    scale = _UNIT_MM.get(int(header["units"]) & 7, 1.0)
    forms = [np.vstack([form * scale, (0, 0, 0, 1)]) for form in forms]
    corners = np.array([[i, j, k, 1] for i in (0, shape[0]) for j in (0, shape[1]) for k in (0, shape[2])])
    apart = float(np.abs(corners @ (forms[0] - forms[-1]).T).max())
    if apart <= _FORMS_AGREE_MM:
        return forms[0], ()
    return forms[0], (
        f"The two orientations in the header (sform, qform) differ by {apart:.0f} mm: the sform was used.",
    )


def _sform(header: np.void) -> np.ndarray:
    return header["srow"].astype(float)


def _qform(header: np.void) -> np.ndarray:
    b, c, d, *offset = header["quatern"].astype(float)
    a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    handed, *spacing = header["pixdim"][:4].astype(float)
    spacing[2] *= -1 if handed < 0 else 1
    return np.column_stack([rotation * spacing, offset])
