"""NRRD and MetaImage files, through SimpleITK."""

from pathlib import Path

import numpy as np

from ..errors import UserError, import_optional
from .stored_image import DAMAGED, StoredImage, check_size, readable, silenced, stem

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_HEADER_BYTES = 1 << 20
_IO = {".nrrd": "NrrdImageIO", ".nhdr": "NrrdImageIO", ".mha": "MetaImageIO", ".mhd": "MetaImageIO"}
ITK_ENDINGS = tuple(_IO)
_LINKS = ("data file", "datafile", "elementdatafile")  # header fields that name other files
_SPACES = ("left-posterior-superior", "right-anterior-superior", "left-anterior-superior", "lps", "ras", "las")


def read_itk(path: Path, layers: bool = False) -> StoredImage:
    """Read an NRRD or MetaImage file.

    Parameters
    ----------
    path : Path
    layers : bool
        Whether several values a voxel are allowed (segmentations with overlapping segments).

    Raises
    ------
    UserError
        When the file is missing, truncated, damaged, not 3-D, has no orientation, or refers to files in other folders.
    """
    with readable(path), path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    _check_links(head, path)
    sitk = import_optional("SimpleITK", "Reading NRRD and MetaImage files")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(_IO[path.suffix.lower()])
    try:
        with silenced():
            reader.ReadImageInformation()
            _check(reader, sitk, layers, path)
            image = reader.Execute()
    except RuntimeError as error:  # what every failure of ITK arrives as
        raise UserError(f"{path} cannot be read as {path.suffix.lower()[1:].upper()}.", DAMAGED) from error
    header = {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys() if key.isascii()}
    _check_space(header, path)
    array = sitk.GetArrayFromImage(image)
    if reader.GetDimension() > 3:  # a fourth axis of length one
        array = array.reshape(array.shape[-3:])
    return StoredImage(array, itk_matrix(reader), stem(path), header)


def itk_matrix(image: object) -> np.ndarray:
    """Return the ijk_to_ras matrix of a SimpleITK image or reader, mm."""
    rank = len(image.GetOrigin())
    matrix = np.eye(4)
    directions = np.array(image.GetDirection()).reshape(rank, rank)[:3, :3]
    matrix[:3, :3] = directions * np.array(image.GetSpacing())[:3]
    matrix[:3, 3] = image.GetOrigin()[:3]
    return LPS_TO_RAS @ matrix


def _check(reader: object, sitk: object, layers: bool, path: Path) -> None:
    check_size(tuple(reader.GetSize()), str(path))
    count = reader.GetNumberOfComponents()
    complex_types = (sitk.sitkComplexFloat32, sitk.sitkComplexFloat64)
    if reader.GetPixelID() in complex_types or (count > 1 and not layers):
        raise UserError(f"{path} holds several values in each voxel.", "Save the one to be used as a plain 3-D image.")
    check_size((*reader.GetSize()[:2], reader.GetSize()[2] * count), str(path))


def _check_links(head: bytes, path: Path) -> None:
    """Refuse a header that makes the reader open a file outside its own folder."""
    for line in head.decode("latin-1").splitlines():
        key, _, value = line.replace("=", ":", 1).partition(":")
        if not line.strip() and path.suffix.lower() in (".nrrd", ".nhdr"):
            return  # an empty line ends an NRRD header
        if key.strip().lower() not in _LINKS:
            continue
        target = value.strip(" =")
        if target.upper().startswith("LIST") or any(mark in target for mark in ("/", "\\", "..", "%")):
            raise UserError(
                f"The header of {path} refers to files elsewhere ({target}).",
                "Save the image as one file, data included.",
            )
        if path.suffix.lower() in (".mha", ".mhd"):
            return  # ElementDataFile is the last line of a MetaImage header


def _check_space(header: dict[str, str], path: Path) -> None:
    space = header.get("NRRD_space", "").lower().removesuffix("-time")
    if path.suffix.lower() in (".nrrd", ".nhdr") and space not in _SPACES:
        raise UserError(
            f"{path} does not say how it lies in the patient (NRRD space: {space or 'none'}).",
            "Save it again with its orientation, e.g. in 3D Slicer.",
        )
