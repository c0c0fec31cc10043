"""Fingerprints of regions: equal where the same voxels of the same place in the patient belong to a region.

A fingerprint does not hang on how the region is stored (label value, extent of the array), so that an edit that was
taken back, or a scene that was saved and opened again, gives the same one.
"""

import hashlib
from collections.abc import Mapping

import numpy as np

from .anatomy import Label, Region
from .image import LabelMap, bounding_box

_STEPS_PER_MM = 1000
_OFF = 0.2371  # of a step: usual coordinates (1/16 mm, 0.001 mm) then never lie where rounding could go either way


class LabelFingerprints:
    """The fingerprints of the labels of one array; after an edit only what changed is looked at again."""

    def __init__(self) -> None:
        self._place = b""
        self._slices: list[bytes] = []
        self._present: list[frozenset[int]] = []
        self._found: dict[int, str] = {}

    def of(self, array: np.ndarray, ijk_to_ras: np.ndarray) -> Mapping[int, str]:
        """Return the fingerprint of each label value that occurs.

        Parameters
        ----------
        array : ndarray of int, shape (k, j, i)
            Zero is background.
        ijk_to_ras : ndarray, shape (4, 4)
            Voxel centre (i, j, k, 1) to RAS, mm.
        """
        place = repr(array.shape).encode() + _rounded(ijk_to_ras)
        if place != self._place:
            self._place, self._found = place, {}
            self._slices, self._present = [b""] * len(array), [frozenset()] * len(array)
        slices = [hashlib.sha256(np.ascontiguousarray(one)).digest() for one in array]
        changed = [k for k, (before, now) in enumerate(zip(self._slices, slices, strict=True)) if before != now]
        touched = {value for k in changed for value in self._present[k]}
        for k in changed:
            self._present[k] = frozenset(np.unique(array[k][array[k] != 0]).tolist())
            touched |= self._present[k]
        self._slices = slices
        for value in touched:
            self._look_at(value, array, ijk_to_ras)
        return dict(self._found)

    def _look_at(self, value: int, array: np.ndarray, ijk_to_ras: np.ndarray) -> None:
        planes = [k for k, present in enumerate(self._present) if value in present]
        if not planes:
            self._found.pop(value, None)
            return
        crop = array[planes[0] : planes[-1] + 1] == value
        self._found[value] = mask_fingerprint(crop, ijk_to_ras, planes[0])


def mask_fingerprint(mask: np.ndarray, ijk_to_ras: np.ndarray, first_slice: int = 0) -> str:
    """Return the fingerprint of a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (k, j, i)
        Not empty.
    ijk_to_ras : ndarray, shape (4, 4)
        Of the array that `mask` was cut from.
    first_slice : int
        Where along k it was cut.
    """
    box = bounding_box(mask)
    inside = np.ascontiguousarray(mask[box])
    place = np.array(ijk_to_ras, dtype=float)
    place[:3, 3] = (place @ (box[2].start, box[1].start, box[0].start + first_slice, 1))[:3]
    digest = hashlib.sha256(repr(inside.shape).encode() + _rounded(place))
    digest.update(np.packbits(inside).data)
    return digest.hexdigest()[:16]


def region_fingerprints(labels: LabelMap) -> dict[Region | Label, str]:
    """Return the fingerprint of every region of a label map."""
    found = LabelFingerprints().of(labels.array, labels.ijk_to_ras)
    return {region: found[value] for value, region in labels.labels.items()}


def named_fingerprints(labels: LabelMap | None) -> dict[str, str]:
    """Return the fingerprints by the regions' names, as a run manifest holds them; none without a label map."""
    return {str(region): found for region, found in region_fingerprints(labels).items()} if labels else {}


def _rounded(matrix: np.ndarray) -> bytes:
    """Return a matrix in thousandths: files keep fewer digits than memory does."""
    return np.floor(np.asarray(matrix)[:3] * _STEPS_PER_MM + _OFF + 0.5).astype(np.int64).tobytes()
