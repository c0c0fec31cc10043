"""Volumes and label maps as NIfTI, NRRD or MetaImage files."""

from pathlib import Path

import numpy as np

from ..errors import UserError, import_optional
from ..image import Grid, LabelMap, Volume

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0])
_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")
_ORTHOGONAL = 1e-4  # what the formats' direction cosines can hold


def write_volume(path: Path, volume: Volume) -> None:
    """Write an image with its values and its place in the patient.

    Parameters
    ----------
    path : Path
        Ends in .nii.gz, .nii, .nrrd or .mha; the folder exists.
    volume : Volume

    Raises
    ------
    UserError
        When the ending is another, the axes are not at right angles, or the file cannot be written.
    """
    _write(path, volume)


def write_labels(path: Path, labels: LabelMap) -> None:
    """Write the values of a label map, not their meaning (name the scheme beside it); raises as `write_volume`."""
    _write(path, labels)


def _write(path: Path, grid: Grid) -> None:
    if not path.name.lower().endswith(_ENDINGS):
        raise UserError(f"{path} has no image ending that can be written.", f"Use one of {', '.join(_ENDINGS)}.")
    directions = grid.ijk_to_ras[:3, :3] / grid.spacing
    if not np.allclose(directions.T @ directions, np.eye(3), atol=_ORTHOGONAL):
        raise UserError(f"The axes of the image for {path} are not at right angles.", "Resample it first.")
    sitk = import_optional("SimpleITK", "Writing images")
    image = sitk.GetImageFromArray(np.ascontiguousarray(grid.array))
    image.SetSpacing(grid.spacing.tolist())
    image.SetOrigin((_LPS_FROM_RAS @ grid.ijk_to_ras[:3, 3]).tolist())
    image.SetDirection((_LPS_FROM_RAS @ directions).ravel().tolist())
    try:
        sitk.WriteImage(image, str(path), True, 1)  # level 1: a CT in a second, a tenth larger than at level 6
    except RuntimeError as error:
        raise UserError(f"{path} cannot be written.", "Choose another folder or free some space.") from error
