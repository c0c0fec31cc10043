"""Whole vertebra to body and posterior elements; body to cortical shell and cancellous bone."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from scipy import ndimage

from ..anatomy import Compartment, Region, VertebralLevel, label_scheme
from ..body_shape import BodyShape, body_shape
from ..distance import depth_mm
from ..errors import UserError
from ..image import LabelMap, Mask
from ..level_frame import anterior_direction, spine_directions, thickest_point
from ..measurement import protocol_id

SPLIT = (Compartment.CORTICAL, Compartment.CANCELLOUS, Compartment.POSTERIOR)


@dataclass(frozen=True)
class PeelSettings:
    """How a body is split.

    Parameters
    ----------
    cortical_depth_mm : float
        The shell is what lies less deep than this. A true cortex (0.3-1 mm) is below CT resolution. A voxel belongs to
        the part that holds its centre, and so at least half of it; the outermost voxels always belong to the shell (two
        voxels at 1 mm, one at 3 mm). `shell_thickness` tells what was achieved.
    cortical_depth_voxels : int, optional
        In place of the depth in mm: the shell is what so many erosions by one voxel (over faces) take away, as other
        programs peel. It is thicker where voxels are larger.
    """

    cortical_depth_mm: float = 2.0
    cortical_depth_voxels: int | None = None

    def __post_init__(self) -> None:
        if not self.cortical_depth_mm > 0 or (
            self.cortical_depth_voxels is not None and self.cortical_depth_voxels < 1
        ):
            raise UserError("A cortical shell needs a depth.", "Give a depth above 0 mm, or at least one voxel.")

    @property
    def protocol_id(self) -> str:
        """Identifies the split in every value measured on it."""
        return protocol_id("peel", asdict(self))


@dataclass(frozen=True, slots=True)
class Shell:
    """Achieved thickness of a cortical shell, mean over its inner surface: mm, and voxels across it."""

    mm: float
    voxels: float


def body_shapes(labels: LabelMap, levels: Iterable[VertebralLevel]) -> dict[VertebralLevel, BodyShape | str]:
    """Return each level's body in its own frame, or the reason why it has none."""
    masks = {level: vertebra(labels, level) for level in levels}
    if not masks:
        return {}
    forward = anterior_direction(masks.values())
    up = spine_directions({level: thickest_point(mask, forward) for level, mask in masks.items()})
    return {level: _shape_or_reason(mask, up[level], forward) for level, mask in masks.items()}


def vertebra(labels: LabelMap, level: VertebralLevel) -> Mask:
    """Return everything labelled as a part of `level`."""
    return labels.mask(*(Region(part, level) for part in Compartment))


def split_compartments(
    labels: LabelMap, shapes: Mapping[VertebralLevel, BodyShape], settings: PeelSettings
) -> LabelMap:
    """Split the vertebrae of `shapes` into cortical, cancellous and posterior bone.

    Compartments that `labels` already names are kept as they are (a reader may have corrected them). Vertebrae without
    a shape keep their label.

    Returns
    -------
    LabelMap
        On the same grid, with the label values of the scheme ``ovfrisk``.
    """
    values = {region: value for value, region in label_scheme("ovfrisk").regions.items()}
    array = np.zeros(labels.array.shape, dtype=np.int16)
    for level in labels.levels():
        parts = _parts(labels, level, shapes.get(level), settings)
        for part, (box, mask) in parts.items():
            array[box][mask] = values[Region(part, level)]
    return LabelMap(array, labels.ijk_to_ras, {value: region for region, value in values.items()})


def shell_thickness(compartments: LabelMap, level: VertebralLevel) -> Shell:
    """Measure how thick the shell around the cancellous bone of a level is.

    Each face between a cancellous and a cortical voxel lies at the mean depth of both below the body's surface.

    Raises
    ------
    ValueError
        When the level has no cancellous bone within cortical bone.
    """
    cancellous = compartments.mask(Region(Compartment.CANCELLOUS, level)).array
    body = cancellous | compartments.mask(Region(Compartment.CORTICAL, level)).array
    depth, sampling = depth_mm(body, compartments.spacing), compartments.spacing[::-1]
    faces = [_inner_faces(cancellous, body, depth, axis) for axis in range(3)]
    if not sum(map(len, faces)):
        raise ValueError("there is no cancellous bone within a cortical shell")
    in_voxels = [found / size for found, size in zip(faces, sampling, strict=True)]
    return Shell(float(np.concatenate(faces).mean()), float(np.concatenate(in_voxels).mean()))


def _inner_faces(cancellous: np.ndarray, body: np.ndarray, depth: np.ndarray, axis: int) -> np.ndarray:
    """Return the depth, mm, of each face across `axis` between cancellous and cortical bone."""
    one, other = (tuple(np.delete(a, end, axis) for a in (cancellous, body, depth)) for end in (-1, 0))
    between = (one[0] != other[0]) & one[1] & other[1]
    return (one[2][between] + other[2][between]) / 2


def _shape_or_reason(mask: Mask, up: np.ndarray, forward: np.ndarray) -> BodyShape | str:
    try:
        return body_shape(mask, up, forward)
    except ValueError as error:
        return str(error)


def _parts(labels: LabelMap, level: VertebralLevel, shape: BodyShape | None, settings: PeelSettings) -> dict:
    """Return compartment -> (box, mask within the box) of one level."""
    whole = vertebra(labels, level)
    box = whole.box(margin=1)
    crop = labels.cropped(box)
    inside = whole.array[box]
    given = {part: crop.mask(Region(part, level)).array for part in Compartment}
    if shape is None:
        return {Compartment.WHOLE: (box, inside)}
    if given[Compartment.CORTICAL].any() or given[Compartment.CANCELLOUS].any():
        body = given[Compartment.CORTICAL] | given[Compartment.CANCELLOUS]
        cancellous = given[Compartment.CANCELLOUS]
    else:
        body = given[Compartment.BODY] if given[Compartment.BODY].any() else _body(crop, inside, shape)
        cancellous = _peeled(body, labels.spacing, settings)
    return {
        Compartment.CORTICAL: (box, body & ~cancellous),
        Compartment.CANCELLOUS: (box, cancellous),
        Compartment.POSTERIOR: (box, inside & ~body),
    }


def _peeled(body: np.ndarray, spacing: np.ndarray, settings: PeelSettings) -> np.ndarray:
    if settings.cortical_depth_voxels is not None:
        return ndimage.binary_erosion(body, iterations=settings.cortical_depth_voxels)
    return depth_mm(body, spacing) >= settings.cortical_depth_mm


def _body(crop: LabelMap, inside: np.ndarray, shape: BodyShape) -> np.ndarray:
    """Return the part of a vertebra in front of its posterior wall; all of it where the mask has no arch."""
    if not shape.has_arch:
        return inside
    kji = np.argwhere(inside)
    points = shape.frame.from_ras(crop.to_ras(kji[:, ::-1]))
    body = np.zeros_like(inside)
    front = points[:, 1] >= shape.wall_at(points[:, 2])
    body[tuple(kji[front].T)] = True
    pieces, _ = ndimage.label(body)
    return pieces == np.argmax(np.bincount(pieces.ravel())[1:]) + 1
