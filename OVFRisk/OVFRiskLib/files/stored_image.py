"""An image as it lies in a file: voxels, geometry and header, before anything is known of what it shows."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import UserError
from .straighten import straightened

MAX_VOXELS = 1_000_000_000  # a CT of 512 x 512 x 3,800; a header that claims more is damaged or hostile
_SPACING_MM = (0.01, 30.0)  # from micro-CT to a coarse localiser
DAMAGED = "The file is damaged or its transfer was cut short: copy or export it again."


@dataclass(frozen=True)
class StoredImage:
    """What was read from one file or series.

    Parameters
    ----------
    array : ndarray, shape (nk, nj, ni) or (nk, nj, ni, layers)
    ijk_to_ras : ndarray, shape (4, 4)
        Voxel to RAS, mm.
    name : str
        What to call it in messages.
    header : mapping of str to str
    corrections : tuple of str
        What reading changed.
    """

    array: np.ndarray
    ijk_to_ras: np.ndarray
    name: str
    header: Mapping[str, str] = field(default_factory=dict)
    corrections: tuple[str, ...] = ()

    def squared(self, interpolate: bool) -> "StoredImage":
        """Return the image with its voxel axes at right angles.

        Parameters
        ----------
        interpolate : bool
            Linear interpolation where slices have to be moved (images); nearest neighbour otherwise (labels).

        Raises
        ------
        UserError
            When the voxel size is impossible, or a skewed grid cannot be put right by moving slices in their plane.
        """
        check_geometry(self.ijk_to_ras, self.name)
        array, matrix, note = straightened(self.array, self.ijk_to_ras, interpolate, self.name)
        corrections = (*self.corrections, note) if note else self.corrections
        return StoredImage(array, matrix, self.name, self.header, corrections)


def stem(path: Path) -> str:
    """Return the file's name without the endings of image formats."""
    name = path.name
    for ending in (".gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".seg"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return name


def check_size(shape: tuple[int, ...], name: str) -> None:
    """Raise a UserError unless `shape` (i, j, k, …) is that of one 3-D image of bearable size."""
    claimed = " x ".join(str(n) for n in shape)
    extra = shape[3:]
    if len(shape) < 3 or min(shape[:3]) < 2:
        raise UserError(f"{name} is no 3-D image ({claimed} voxels).", "Give a volume of several slices.")
    if any(n != 1 for n in extra):
        raise UserError(f"{name} holds several volumes ({claimed} voxels).", "Save the one to be used as a 3-D image.")
    if int(np.prod(shape, dtype=object)) > MAX_VOXELS:
        raise UserError(f"{name} claims {claimed} voxels, more than any scan has.", DAMAGED)


def check_geometry(ijk_to_ras: np.ndarray, name: str) -> None:
    """Raise a UserError unless the matrix gives voxels a possible size and place."""
    columns = ijk_to_ras[:3, :3]
    if not np.all(np.isfinite(ijk_to_ras)) or abs(np.linalg.det(columns)) < 1e-9:
        raise UserError(f"The voxel directions in the header of {name} are no valid geometry.", DAMAGED)
    spacing = np.linalg.norm(columns, axis=0)
    if spacing.min() < _SPACING_MM[0] or spacing.max() > _SPACING_MM[1]:
        size = " x ".join(f"{mm:.4g}" for mm in spacing)
        raise UserError(f"{name} states voxels of {size} mm.", "Correct the header: lengths have to be in mm.")
    if np.max(np.abs(ijk_to_ras[:3, 3])) > 1e5:  # 100 m
        raise UserError(f"{name} states a place far outside any scanner.", "Correct the header (origin, in mm).")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a UserError that names the file."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist.", "Check the path.") from error
    except PermissionError as error:
        raise UserError(f"{path} may not be read (permission denied).", "Change its permissions or copy it.") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder, not an image file.", "Give the file itself.") from error


@contextmanager
def silenced() -> Iterator[None]:
    """Keep what ITK's libraries print (on the file descriptors, past Python) from the user's terminal."""
    saved = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        for descriptor, copy in enumerate(saved, start=1):
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(nowhere)
