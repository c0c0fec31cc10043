"""Training cases: a folder each, with a CT and its cortical and cancellous bone."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...anatomy import Compartment, Region, VertebralLevel, label_schemes
from ...distance import depth_mm
from ...errors import UserError
from ...files.geometry import on_grid_of
from ...files.read_images import read_volume
from ...files.read_labels import read_labels
from ...image import LabelMap, Modality, Volume

PARTS = (Compartment.CORTICAL, Compartment.CANCELLOUS)
"""What channels 1 and 2 of the network mean; 0 is background."""

_LABEL_FILES = ("compartments.seg.nrrd", "compartments.nii.gz", "compartments.nrrd", "compartments.mha")
_LAYOUT = "A case is a folder with ct.nii.gz and compartments.nii.gz (or compartments.seg.nrrd), as `ovfrisk phantom`."


@dataclass(frozen=True)
class Case:
    """One patient to learn from or to be tested on.

    Parameters
    ----------
    name : str
        The folder's name.
    ct, labels : Path
    scheme : str or None
        What the labels mean; None for a ``.seg.nrrd``, which says it itself.
    synthetic : bool
        Made by `ovfrisk phantom`.
    """

    name: str
    ct: Path
    labels: Path
    scheme: str | None
    synthetic: bool

    def read(self) -> tuple[Volume, LabelMap]:
        """Return the CT and its label map on the CT's grid; raises UserError where either cannot be read."""
        volume = read_volume(self.ct, Modality.CT)
        return volume, on_grid_of(read_labels(self.labels, self.scheme), volume)[0]


def find_cases(folder: Path, scheme: str | None = None) -> tuple[Case, ...]:
    """Return the cases below `folder`, sorted by name.

    Parameters
    ----------
    folder : Path
        Holds a folder a case.
    scheme : str, optional
        Label scheme of the cases that do not name theirs (`phantom.json` does).

    Raises
    ------
    UserError
        When there is no case, one lacks a file, or the meaning of its labels is not known.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"The folder of cases {folder} does not exist.", _LAYOUT)
    cases = [_case(each, scheme) for each in sorted(folder.iterdir()) if each.is_dir() and _ct(each)]
    if not cases:
        raise UserError(f"{folder} holds no case.", _LAYOUT)
    return tuple(cases)


def parts_array(labels: LabelMap, shell_mm: float | None = None) -> np.ndarray:
    """Return what each voxel is: 0 background, 1 cortical, 2 cancellous; uint8, shape (k, j, i).

    Parameters
    ----------
    labels : LabelMap
    shell_mm : float, optional
        Draw the border anew at this depth below the surface of each body.
    """
    array = np.zeros(labels.array.shape, dtype=np.uint8)
    if shell_mm is None:
        for value, part in enumerate(PARTS, 1):
            array[labels.mask(*(Region(part, level) for level in VertebralLevel)).array] = value
        return array
    for level in labels.levels():
        body = labels.mask(*(Region(part, level) for part in (*PARTS, Compartment.BODY)))
        if body.array.any():
            box = body.box(margin=1)
            depth = depth_mm(body.array[box], labels.spacing)
            array[box][depth > 0] = 1
            array[box][depth >= shell_mm] = 2
    return array


def any_synthetic(cases: Iterable[Case]) -> bool:
    """Whether one of the cases is no real patient."""
    return any(case.synthetic for case in cases)


def _ct(folder: Path) -> Path | None:
    return next((p for name in ("ct.nii.gz", "ct.nii", "ct.nrrd", "ct.mha") if (p := folder / name).is_file()), None)


def _case(folder: Path, scheme: str | None) -> Case:
    labels = next((folder / name for name in _LABEL_FILES if (folder / name).is_file()), None)
    if labels is None:
        raise UserError(f"The case {folder} has no compartments.", _LAYOUT)
    about = _phantom(folder / "phantom.json")
    own = about.get("label_scheme", scheme)
    if own is None and not labels.name.endswith(".seg.nrrd"):
        raise UserError(
            f"What the labels in {labels} mean is not known.",
            f"Add --scheme with one of: {', '.join(label_schemes())}.",
        )
    return Case(folder.name, _ct(folder), labels, own, bool(about))


def _phantom(path: Path) -> dict:
    """Return what `ovfrisk phantom` says of its patient; nothing where it made none."""
    if not path.is_file():
        return {}
    try:
        about = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}).", "Make the synthetic patient again.") from error
    return about if isinstance(about, dict) else {}
