"""Images from files and DICOM folders."""

from pathlib import Path

from ..image import Modality, Volume
from .dicom import is_dicom, read_dicom
from .plausibility import check_intensities
from .read_labels import read_stored


def read_volume(path: Path, modality: Modality, series: str | None = None) -> Volume:
    """Read a CT or MR image.

    Parameters
    ----------
    path : Path
        NIfTI, NRRD or MetaImage file, DICOM file (multi-frame), or folder with a DICOM series.
    modality : Modality
        What the image is meant to be; intensities and DICOM header must not contradict it.
    series : str, optional
        Series number or series instance UID, where a folder holds several.

    Returns
    -------
    Volume
        On its own grid, oblique axes kept. `corrections` tells what reading changed.

    Raises
    ------
    UserError
        When the file or folder cannot be read as one 3-D image, or plainly shows something else than `modality`.
    """
    path, modality = Path(path), Modality(modality)
    if path.is_dir() or is_dicom(path):
        volume = read_dicom(path, modality, series)
    else:
        stored = read_stored(path).squared(interpolate=True)
        volume = Volume(stored.array, stored.ijk_to_ras, modality, stored.name, stored.corrections)
    check_intensities(volume, str(path))
    return volume
