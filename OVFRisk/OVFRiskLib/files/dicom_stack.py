"""From the slices of one series to a volume."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import UserError
from .dicom_headers import Slice
from .dicom_pixels import stored_values
from .itk_files import LPS_TO_RAS
from .stored_image import StoredImage, check_size

_SAME_MM = 0.01  # slices nearer than this lie at one position
_DIRECTION = 1e-3  # largest difference of direction cosines within a series (rounding to 4 digits)
_UNEVEN = 0.1  # of the slice distance; larger deviations are no rounding
_NOTED = 0.02
_HU_TYPES = ("", "HU", "HU_MOD", "US")  # US: unspecified (PS3.3 C.11.1.1.2)


def stacked(images: Sequence[Slice], path: Path) -> StoredImage:
    """Return the series as one image; its third axis is not at right angles where the gantry was tilted.

    Raises
    ------
    UserError
        When a slice is missing, doubled or unlike the others, or the values are no HU.
    """
    check_size((images[0].columns, images[0].rows, len(images)), str(path))
    _check_alike(images, path)
    if images[0].modality == "CT" and images[0].rescale_type not in _HU_TYPES:
        raise UserError(f"{path} holds a CT in {images[0].rescale_type}, not in HU.", "Give the reconstruction in HU.")
    ordered = sorted(images, key=lambda image: float(image.position @ images[0].normal))
    ordered, notes = _without_copies(ordered, path)
    matrix, uneven = _matrix(ordered, path)
    return StoredImage(_values(ordered), matrix, str(path), corrections=(*notes, *uneven))


def _check_alike(images: Sequence[Slice], path: Path) -> None:
    first = images[0]
    for image in images:
        same = (
            ("size", (image.rows, image.columns) == (first.rows, first.columns)),
            ("direction", np.allclose(image.along_row, first.along_row, rtol=0, atol=_DIRECTION)),
            ("direction", np.allclose(image.along_column, first.along_column, rtol=0, atol=_DIRECTION)),
            ("pixel spacing", np.allclose(image.pixel_spacing, first.pixel_spacing, rtol=1e-3)),
            ("kind of values", image.rescale_type == first.rescale_type),
        )
        for what, alike in same:
            if not alike:
                raise UserError(
                    f"The images of {path} differ in {what} ({first.path.name}, {image.path.name}).",
                    "Give a folder that holds one series with parallel slices.",
                )


def _without_copies(ordered: list[Slice], path: Path) -> tuple[list[Slice], tuple[str, ...]]:
    """Drop images that repeat their neighbour in place and content."""
    kept, dropped = [ordered[0]], 0
    for image in ordered[1:]:
        other = kept[-1]
        if np.abs(image.position - other.position).max() > _SAME_MM:
            kept.append(image)
        elif _identical(image, other):
            dropped += 1
        else:
            raise UserError(
                f"{path} holds different images at one position ({_place(image)}: {other.path.name},"
                f" {image.path.name}): several echoes, phases or reconstructions in one series.",
                "Separate them, and give a folder with one of them.",
            )
    return kept, (f"{dropped} images that the folder holds twice were used once.",) if dropped else ()


def _identical(a: Slice, b: Slice) -> bool:
    if (a.slope, a.intercept) != (b.slope, b.intercept):
        return False
    values = [next(iter(stored_values([image]))) for image in (a, b)]
    return np.array_equal(*values)


def _matrix(ordered: Sequence[Slice], path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    first, positions = ordered[0], np.array([image.position for image in ordered])
    if len(ordered) < 2:
        raise UserError(f"{path} holds one slice only.", "Give the whole series.")
    depth = positions @ first.normal
    note = _check_even(depth, ordered, path)
    step = (positions[-1] - positions[0]) / (len(ordered) - 1)
    expected = positions[0] + np.arange(len(ordered))[:, None] * step
    inplane = (positions - expected) - np.outer((positions - expected) @ first.normal, first.normal)
    worst = int(np.abs(inplane).max(axis=1).argmax())
    if np.abs(inplane).max() > max(first.pixel_spacing):
        raise UserError(
            f"The slices of {path} are not in line: that at {_place(ordered[worst])} is shifted sideways.",
            "Give one series without a change of the field of view.",
        )
    matrix = np.eye(4)
    matrix[:3, 0] = first.along_row * first.pixel_spacing[1]
    matrix[:3, 1] = first.along_column * first.pixel_spacing[0]
    matrix[:3, 2] = step
    matrix[:3, 3] = positions[0]
    return LPS_TO_RAS @ matrix, note


def _check_even(depth: np.ndarray, ordered: Sequence[Slice], path: Path) -> tuple[str, ...]:
    gaps = np.diff(depth)
    usual = float(np.median(gaps))
    if usual <= _SAME_MM:
        raise UserError(f"Most slices of {path} lie at one position.", "Give one series of parallel slices.")
    worst = int(np.abs(gaps - usual).argmax())
    times = gaps[worst] / usual
    between = f"between {_place(ordered[worst])} and {_place(ordered[worst + 1])}"
    if round(times) > 1 and abs(times - round(times)) < _UNEVEN * round(times):
        missing = "1 slice is" if round(times) == 2 else f"{round(times) - 1} slices are"
        raise UserError(
            f"{path}: {missing} missing {between} (distance {gaps[worst]:.2f} mm, elsewhere {usual:.2f} mm).",
            "Export the series again, complete.",
        )
    if abs(times - 1) > _UNEVEN:
        raise UserError(
            f"{path}: the distance of slices changes {between} ({gaps[worst]:.2f} mm, elsewhere {usual:.2f} mm).",
            "Give a series with even slice distances.",
        )
    off = float(np.abs(depth - np.linspace(depth[0], depth[-1], depth.size)).max())
    if off > usual / 2:
        raise UserError(f"{path}: slice positions drift by {off:.2f} mm from even distances.", "Give an even series.")
    return (f"Slices up to {off:.2f} mm from even distances were taken as even.",) if off > _NOTED * usual else ()


def _place(image: Slice) -> str:
    """The slice's first pixel along the patient axis nearest to its normal, in RAS mm."""
    axis = int(np.abs(image.normal).argmax())
    return f"{'RAS'[axis]} {(LPS_TO_RAS[:3, :3] @ image.position)[axis]:.1f} mm"


def _values(ordered: Sequence[Slice]) -> np.ndarray:
    """Rescaled values; integers where slope and intercept of every slice are whole numbers, else float32."""
    whole = all(float(v).is_integer() for image in ordered for v in (image.slope, image.intercept))
    kind = np.int32 if whole else np.float32
    array = np.empty((len(ordered), ordered[0].rows, ordered[0].columns), kind)
    for n, (image, stored) in enumerate(zip(ordered, stored_values(ordered), strict=True)):
        if stored.dtype.kind == "f" and array.dtype.kind == "i":
            array = array.astype(np.float32)
        array[n] = stored * float(image.slope) + float(image.intercept)
    small = array.dtype.kind == "i" and np.iinfo(np.int16).min <= array.min() and array.max() <= np.iinfo(np.int16).max
    return array.astype(np.int16) if small else array
