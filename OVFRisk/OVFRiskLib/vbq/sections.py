"""The mid-sagittal plane of the spine, and the section of each vertebral body with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..anatomy import Compartment, Region, VertebralLevel
from ..errors import UserError
from ..image import LabelMap, Mask
from ..level_frame import spine_directions
from .plane import Plane
from .regions import RegionSettings
from .sampling import STEP_MM, interpolated

_DEPTH_LIMIT_MM = 55.0  # no vertebral body is deeper from front to back; a vertebra with its arch is
_CUT = "the body is cut off by the border of the label map"
_SMALLEST_PIECE = 0.25  # of the largest piece of a mask's section: smaller ones are crumbs


@dataclass(frozen=True)
class Section:
    """The body of one level on its sagittal plane.

    Parameters
    ----------
    level : VertebralLevel
    plane : Plane
    u, v : ndarray
        Sampling positions along the plane's axes, mm.
    inside : ndarray of bool, shape (len(u), len(v))
    up : ndarray, shape (2,)
        Direction of the spine towards the head, in the plane.
    notes : tuple of str
    """

    level: VertebralLevel
    plane: Plane
    u: np.ndarray
    v: np.ndarray
    inside: np.ndarray
    up: np.ndarray
    notes: tuple[str, ...]

    @property
    def points(self) -> np.ndarray:
        """In-plane positions inside the body, shape (n, 2), mm."""
        iu, iv = np.nonzero(self.inside)
        return np.column_stack([self.u[iu], self.v[iv]])


def find_sections(
    bodies: LabelMap, levels: Iterable[VertebralLevel], settings: RegionSettings
) -> tuple[dict[VertebralLevel, Section], dict[VertebralLevel, str]]:
    """Cut each body with its sagittal plane.

    Parameters
    ----------
    bodies : LabelMap
        In RAS order.
    levels : iterable of VertebralLevel
    settings : RegionSettings

    Returns
    -------
    tuple of dict
        The sections, and for the levels without one the reason.

    Raises
    ------
    UserError
        When the label map holds none of the levels.
    """
    wanted = tuple(levels)
    masks = {level: _body_mask(bodies, level) for level in wanted}
    masks = {level: mask for level, mask in masks.items() if mask.array.any()}
    if not masks:
        named = ", ".join(wanted)
        raise UserError(f"The label map of the bodies holds none of the levels {named}.", "Check the label scheme.")
    centres = {level: _centre(mask) for level, mask in masks.items()}
    ups = spine_directions(centres)
    common = _sagittal_plane(bodies, _typical(centres, bodies))
    cuts = {}
    for level, mask in masks.items():
        plane, note = _plane_of(bodies, common, centres[level], settings)
        cuts[level] = _section(level, mask, plane, ups[level], (note, _cut_note(mask)))
    sections = {level: cut for level, cut in cuts.items() if not isinstance(cut, str)}
    missing = {level: f"{level} is not in the label map" for level in wanted if level not in masks}
    missing |= {level: cut for level, cut in cuts.items() if isinstance(cut, str)}
    missing |= _fragments(sections)
    return {level: section for level, section in sections.items() if level not in missing}, missing


def _fragments(sections: Mapping[VertebralLevel, Section]) -> dict[VertebralLevel, str]:
    """Return the bodies that the border has left less than half of."""
    areas = {level: np.count_nonzero(section.inside) for level, section in sections.items()}
    usual = np.median(list(areas.values())) if areas else 0.0
    return {
        level: f"only a fragment of {level} is in the label map: its border cuts the body off"
        for level, section in sections.items()
        if _CUT in section.notes and areas[level] < usual / 2
    }


def _body_mask(bodies: LabelMap, level: VertebralLevel) -> Mask:
    """Return the body where it is labelled as such, else everything of the level."""
    body = bodies.mask(*(Region(p, level) for p in (Compartment.BODY, Compartment.CORTICAL, Compartment.CANCELLOUS)))
    return body if body.array.any() else bodies.mask(Region(Compartment.WHOLE, level))


def _centre(mask: Mask) -> np.ndarray:
    part = mask.cropped(mask.box())
    return part.to_ras(np.median(np.argwhere(part.array), axis=0)[::-1])


def _typical(centres: Mapping[VertebralLevel, np.ndarray], bodies: LabelMap) -> np.ndarray:
    """Return a point on the median midline of L1-L4, or of what there is, RAS mm."""
    scored = [centre for level, centre in centres.items() if level in VertebralLevel.span("L1-L4")]
    ijk = bodies.to_ijk(np.array(scored or list(centres.values())))
    return bodies.to_ras(np.median(ijk, axis=0))


def _sagittal_plane(bodies: LabelMap, point: np.ndarray) -> Plane:
    """Return the sagittal slice (of a map in RAS order) nearest to `point`, with axes towards anterior and cranial."""
    ijk = bodies.to_ijk(point)
    origin = bodies.to_ras([np.rint(ijk[0]), ijk[1], ijk[2]])
    forward = bodies.ijk_to_ras[:3, 1] / bodies.spacing[1]
    up = bodies.ijk_to_ras[:3, 2]
    up = up - (up @ forward) * forward
    return Plane(tuple(origin), (tuple(forward), tuple(up / np.linalg.norm(up))))


def _plane_of(bodies: LabelMap, common: Plane, centre: np.ndarray, settings: RegionSettings) -> tuple[Plane, str]:
    """Return the common plane, or the level's own where its midline lies too far from it, with a remark."""
    distance = float(common.from_ras(centre)[2])
    if abs(distance) <= settings.parasagittal_beyond_mm:
        return common, ""
    own = _sagittal_plane(bodies, np.array(common.origin) + distance * common.normal)
    side = "right" if distance > 0 else "left"
    return own, f"measured on a parasagittal plane {abs(distance):.0f} mm to the {side} (scoliosis?)"


def _cut_note(mask: Mask) -> str:
    """Whether the body reaches the upper, lower, front or back border; sagittal stacks often end inside it sideways."""
    array = mask.array
    edges = (array[0], array[-1], array[:, 0], array[:, -1])
    return _CUT if any(edge.any() for edge in edges) else ""


def _section(level: VertebralLevel, mask: Mask, plane: Plane, up: np.ndarray, notes: tuple[str, ...]) -> Section | str:
    """Return the body's section with the plane, or the reason why there is none."""
    part = mask.cropped(mask.box(margin=1))
    ras = part.to_ras(np.argwhere(part.array)[:, ::-1])
    places = plane.from_ras(ras)[:, :2]
    margin = float(mask.spacing.max()) + STEP_MM / 2  # surfaces of whole-mm voxels then lie between samples
    u, v = (np.arange(places[:, n].min() - margin, places[:, n].max() + margin, STEP_MM) for n in range(2))
    inside = interpolated(part, plane.to_ras(np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1)))
    body = _foremost_piece(inside)
    if not body.any():
        return f"{level} does not reach the sagittal plane"
    used = u[body.any(axis=1)]
    if used[-1] - used[0] > _DEPTH_LIMIT_MM:
        return f"body and arch of {level} are one piece on the sagittal plane: label the vertebral bodies alone"
    in_plane = np.array(plane.axes) @ up
    kept = tuple(note for note in notes if note)
    return Section(level, plane, u, v, body, in_plane / np.linalg.norm(in_plane), kept)


def _foremost_piece(inside: np.ndarray) -> np.ndarray:
    """Return the piece furthest in front: on the midline the canal parts the body from the spinous process."""
    pieces, count = ndimage.label(inside)
    if count == 0:
        return inside
    sizes = np.bincount(pieces.ravel())[1:]
    large = np.flatnonzero(sizes >= _SMALLEST_PIECE * sizes.max()) + 1
    forward = ndimage.mean(np.indices(inside.shape)[0], pieces, large)
    return pieces == large[int(np.argmax(forward))]
