"""Label maps from files, with the meaning of their labels."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..anatomy import RIBS, Region, Structure, VertebralLevel, label_scheme, label_schemes
from ..errors import UserError
from ..image import LabelMap, present_values
from .itk_files import ITK_ENDINGS, read_itk
from .nifti import read_nifti
from .segments import merged, region_of, segments
from .stored_image import StoredImage

_SIDES = (
    (Structure.PSOAS_LEFT, Structure.PSOAS_RIGHT),
    (Structure.ERECTOR_SPINAE_LEFT, Structure.ERECTOR_SPINAE_RIGHT),
)


def read_labels(path: Path, scheme: str | None) -> LabelMap:
    """Read a label map.

    Values that mean nothing in the scheme become background; `corrections` of the result lists them.

    Parameters
    ----------
    path : Path
        NIfTI, NRRD or MetaImage with whole numbers of any type; or ``.seg.nrrd``, whose segment names (or SNOMED CT
        codes) say what they are, whatever the scheme.
    scheme : str or None
        Name of the label scheme; None is enough for a ``.seg.nrrd`` only. Nothing is guessed.

    Returns
    -------
    LabelMap
        On the file's own grid (`geometry.on_grid_of` brings it onto the image's).

    Raises
    ------
    UserError
        When the file cannot be read, holds fractions or no known label, the scheme is unknown or plainly another one,
        or the labels lie upside down or side-swapped.
    """
    path = Path(path)
    known = label_scheme(scheme).regions if scheme is not None else None
    stored = read_stored(path, layers=True).squared(interpolate=False)
    named = segments(stored.header)
    if named:
        labels = _from_segments(stored, path)
    elif known is None:
        raise UserError(
            f"What the labels in {path.name} mean is not known.", f"Name their scheme: {', '.join(label_schemes())}."
        )
    else:
        labels = _from_values(stored, known, scheme, path)
    _check_place(labels, path)
    return labels


def read_stored(path: Path, layers: bool = False) -> StoredImage:
    """Read an image file by its ending; `layers` allows several values a voxel."""
    name = path.name.lower()
    if path.is_dir():
        raise UserError(f"{path} is a folder, not a label map or image file.", "Give the file itself.")
    if name.endswith((".nii", ".nii.gz")):
        return read_nifti(path)
    if name.endswith(ITK_ENDINGS):
        return read_itk(path, layers)
    if not path.exists():
        raise UserError(f"{path} does not exist.", "Check the path.")
    raise UserError(
        f"{path.name} is in no format that can be read.",
        "Give NIfTI (.nii, .nii.gz), NRRD (.nrrd) or MetaImage (.mha).",
    )


def _from_segments(stored: StoredImage, path: Path) -> LabelMap:
    found, unknown = {}, []
    for segment in segments(stored.header):
        layers = stored.array.shape[3] if stored.array.ndim == 4 else 1
        if not 0 <= segment.layer < layers:
            raise UserError(
                f"{path}: the segment '{segment.name}' has no voxels in the file.", "Save it again in 3D Slicer."
            )
        region = region_of(segment)
        if region is None:
            unknown.append(segment.name)
        elif region in found:
            raise UserError(
                f"{path}: the segments '{found[region].name}' and '{segment.name}' both mean {region}.",
                "Rename or remove one of them.",
            )
        else:
            found[region] = segment
    if not found:
        raise UserError(
            f"{path}: no segment is named as a vertebra ({', '.join(unknown[:10])}).",
            "Name segments L1, T12, 'L1 cortical'.",
        )
    note = (f"Segments of no known meaning were ignored: {', '.join(unknown)}.",) if unknown else ()
    return LabelMap(
        merged(stored, found),
        stored.ijk_to_ras,
        label_scheme("ovfrisk").regions,
        stored.name,
        stored.corrections + note,
    )


def _from_values(stored: StoredImage, known: Mapping[int, Region], scheme: str, path: Path) -> LabelMap:
    if stored.array.ndim != 3:
        raise UserError(f"{path} holds several values in each voxel.", "Save it as a plain label map.")
    array = whole_numbers(stored.array, path)
    present = sorted(present_values(array) - {0})
    unknown = [value for value in present if value not in known]
    _check_scheme(present, unknown, scheme, path)
    kept = np.isin(array, list(known))
    note = (f"Labels that the scheme '{scheme}' does not use here: {spans(unknown)}.",) if unknown else ()
    return LabelMap(
        np.where(kept, array, 0).astype(np.int16), stored.ijk_to_ras, known, stored.name, stored.corrections + note
    )


def whole_numbers(array: np.ndarray, path: Path) -> np.ndarray:
    """Return `array` as integers; fractions are a UserError that names `path`."""
    if array.dtype.kind in "iu":
        return array
    with np.errstate(invalid="ignore"):
        whole = bool(np.all(array == np.rint(array))) and bool(np.abs(array).max() < 2**31)
    if not whole:
        raise UserError(
            f"{path} holds fractions: it is an image, or a label map resampled with interpolation.",
            "Give a label map (nearest-neighbour interpolation keeps labels whole).",
        )
    return array.astype(np.int32)


def _check_scheme(present: list[int], unknown: list[int], scheme: str, path: Path) -> None:
    if not present:
        raise UserError(f"{path} is empty: every voxel is background.", "Give the label map of this image.")
    if len(unknown) == len(present):
        fitting = [s.name for s in label_schemes().values() if any(value in s.regions for value in present)]
        raise UserError(
            f"{path}: none of its labels ({spans(present)}) is known in the scheme '{scheme}'.",
            f"Schemes that know some of them: {', '.join(fitting) or 'none'}.",
        )
    better = [name for name in label_schemes() if unknown and _explains_more(name, scheme, present)]
    if better:
        raise UserError(
            f"{path}: its labels ({spans(present)}) are only partly known in the scheme '{scheme}', fully in"
            f" {' and '.join(repr(name) for name in better)}.",
            "Name the scheme that the map was made with.",
        )


def _explains_more(name: str, scheme: str, present: list[int]) -> bool:
    """Whether the scheme `name` knows every value, as an unbroken row of more levels than `scheme` finds."""
    regions = label_scheme(name).regions
    ranks = sorted(level.rank for level in _levels(regions, present))
    unbroken = bool(ranks) and all(b - a <= 2 for a, b in pairwise(ranks))  # T13 may be passed over
    fewer = len(_levels(label_scheme(scheme).regions, present))
    return unbroken and all(value in regions for value in present) and len(ranks) > fewer


def _levels(regions: Mapping[int, Region], present: Iterable[int]) -> set[VertebralLevel]:
    found = [regions[value] for value in present if value in regions]
    return {region.level for region in found if region.level and region.part not in RIBS}


def spans(values: Iterable[int]) -> str:
    """Return whole numbers as a short text, e.g. ``1-5, 8``."""
    rows: list[list[int]] = []
    for value in sorted(values):
        if rows and value == rows[-1][-1] + 1:
            rows[-1].append(value)
        else:
            rows.append([value])
    return ", ".join(
        str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" if r[0] >= 0 else f"{r[0]} to {r[-1]}" for r in rows
    )


def _check_place(labels: LabelMap, path: Path) -> None:
    """Refuse maps whose levels run upwards or whose left muscles lie on the right."""
    centres = _centres(labels)
    height: dict[VertebralLevel, list[float]] = {}
    for region, centre in centres.items():
        if region.level and region.part not in RIBS:
            height.setdefault(region.level, []).append(centre[2])
    ordered = [float(np.mean(height[level])) for level in labels.levels()]
    downwards = np.diff(ordered) < 0
    if downwards.size and np.count_nonzero(downwards) < np.count_nonzero(~downwards):
        raise UserError(
            f"{path}: {labels.levels()[-1]} lies above {labels.levels()[0]}.",
            "The map is stored upside down (export it again), or its labels belong to another scheme (name that one).",
        )
    for left, right in _SIDES:
        pair = centres.get(Region(left)), centres.get(Region(right))
        if all(centre is not None for centre in pair) and pair[0][0] > pair[1][0]:
            raise UserError(
                f"{path}: {left} lies on the patient's right.", "Left and right are swapped: export it again."
            )


def _centres(labels: LabelMap) -> dict[Region, np.ndarray]:
    """Mean RAS position of every region, mm."""
    flat = np.flatnonzero(labels.array)
    values = labels.array.ravel()[flat]
    kji = np.unravel_index(flat, labels.array.shape)
    count = np.bincount(values)
    mean = np.stack([np.bincount(values, axis) / np.maximum(count, 1) for axis in kji[::-1]], axis=-1)
    return {region: labels.to_ras(mean[value]) for value, region in labels.labels.items()}
