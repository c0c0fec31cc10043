"""Stored pixel values of DICOM images, whatever their compression."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError, import_optional
from .dicom_headers import BROKEN, Slice, intact, read_header
from .stored_image import DAMAGED, silenced

_PIXEL_MODULE = (
    "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "NumberOfFrames", "PixelData",
)  # fmt: skip
_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_PYDICOM = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.5",
)


def stored_values(images: Iterable[Slice]) -> Iterable[np.ndarray]:
    """Yield the stored values of each image, shape (rows, columns), before rescaling.

    Raises
    ------
    UserError
        When pixels are missing, in colour, cut short, or in a compression that cannot be decoded.
    """
    opened, frames = None, np.empty(0)
    for image in images:
        if image.path != opened:
            opened, frames = image.path, _decoded(image.path)
        number = image.frame or 0
        if frames.shape[1:] != (image.rows, image.columns) or number >= len(frames):
            raise UserError(f"{image.path} holds fewer or more pixels than it states.", DAMAGED)
        yield frames[number]


def _decoded(path: Path) -> np.ndarray:
    """Return all frames of a file, shape (frames, rows, columns)."""
    dataset = read_header(path, pixels=True)
    with intact(path):
        if dataset.get("SamplesPerPixel", 1) != 1 or dataset.get("PhotometricInterpretation") != "MONOCHROME2":
            raise UserError(
                f"{path} is in colour or inverted (MONOCHROME1).", "Give the original images, not captures."
            )
        syntax = dataset.file_meta.TransferSyntaxUID
        try:
            frames = dataset.pixel_array if syntax in _PYDICOM else _through_gdcm(dataset)
        except (*BROKEN, RuntimeError) as error:
            raise UserError(f"The pixels of {path} cannot be decoded ({syntax.name}).", DAMAGED) from error
    return frames.reshape(-1, *frames.shape[-2:])


def _through_gdcm(dataset: Any) -> np.ndarray:
    """Decode with SimpleITK's GDCM a copy that holds the pixels only: nothing is rescaled, no patient data leave."""
    pydicom = import_optional("pydicom", "Reading DICOM")
    sitk = import_optional("SimpleITK", "Reading compressed DICOM images")
    copy = pydicom.Dataset()
    for key in _PIXEL_MODULE:
        if key in dataset:
            copy.add(dataset[key])
    copy.SOPClassUID, copy.SOPInstanceUID, copy.Modality = _CT_IMAGE, pydicom.uid.generate_uid(), "CT"
    copy.file_meta = pydicom.dataset.FileMetaDataset()
    copy.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    copy.file_meta.MediaStorageSOPClassUID, copy.file_meta.MediaStorageSOPInstanceUID = _CT_IMAGE, copy.SOPInstanceUID
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pixels.dcm")
        copy.save_as(file, enforce_file_format=True)
        with silenced():
            return sitk.GetArrayFromImage(sitk.ReadImage(str(file), imageIO="GDCMImageIO"))
