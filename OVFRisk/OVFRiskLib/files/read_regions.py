"""Regions of any mask or label map, on the grid of an image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..anatomy import Label
from ..errors import UserError
from ..image import LabelMap, Volume, present_values
from .geometry import on_grid_of
from .read_labels import read_labels, read_stored, spans, whole_numbers

MAX_LABELS = 500
"""More values than this are an image, not a label map."""


def read_regions(
    path: Path, volume: Volume, scheme: str | None = None, values: Sequence[int] = ()
) -> tuple[LabelMap, str]:
    """Read the regions of a mask or label map.

    Parameters
    ----------
    path : Path
        NIfTI, NRRD, MetaImage or ``.seg.nrrd``.
    volume : Volume
        The image that the regions are of.
    scheme : str, optional
        What the labels mean; a ``.seg.nrrd`` says so itself unless `values` are given.
    values : sequence of int
        The label values wanted, where no scheme is named; none for all there are.

    Returns
    -------
    labels : LabelMap
        On the image's grid; its regions are of the scheme, or `Label` for plain values.
    note : str
        What was done to bring it there; empty where the grids are the same.

    Raises
    ------
    UserError
        When the file cannot be read, a wanted label is absent (names those present), or image and mask do not overlap.
    """
    path = Path(path)
    if scheme is not None and values:
        raise UserError(
            f"--scheme {scheme} and --label {spans(values)} are both given.",
            "Give --scheme for all regions with their names, or --label for plain values.",
        )
    if scheme is not None or (path.name.endswith(".seg.nrrd") and not values):
        return on_grid_of(read_labels(path, scheme), volume)
    return on_grid_of(_plain_labels(path, values), volume)


def _plain_labels(path: Path, values: Sequence[int]) -> LabelMap:
    stored = read_stored(path).squared(interpolate=False)
    array = whole_numbers(stored.array, path)
    present = present_values(array) - {0}
    if not present:
        raise UserError(f"{path} is empty: every voxel is background.", "Give the mask of this image.")
    absent = sorted(set(values) - present)
    if absent:
        raise UserError(
            f"{path} holds no label {spans(absent)}.", f"Its labels are {_listed(present)}; 0 is background."
        )
    wanted = set(values) or present
    if len(wanted) > MAX_LABELS:
        raise UserError(
            f"{path} holds {len(wanted)} different values: it looks like an image, not like a mask.",
            "Give the mask, or name its labels with --label.",
        )
    kept = np.where(np.isin(array, list(wanted)), array, 0)
    labels = {value: Label(value) for value in wanted}
    return LabelMap(kept, stored.ijk_to_ras, labels, stored.name, stored.corrections)


def _listed(values: set[int]) -> str:
    text = spans(values)
    return text if len(text) < 200 else f"{text[:200]} …"
