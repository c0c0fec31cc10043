"""Draws lesions into bone: where each lies, and what it looks like on CT and MR."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..anatomy import Compartment, VertebralLevel
from ..errors import UserError
from .bones import BonePiece
from .lesions import MATRIX_HU, Lesion, LesionKind
from .painter import TissueMap
from .posterior import Rod, measures
from .raster import Box, Raster, covered
from .spine import Spine, Vertebra
from .tissues import Tissue

_PLACES = {  # share of the body's width, depth and mean height
    LesionKind.SCLEROSIS: (0.16, 0.10, 0.12),
    LesionKind.HAEMANGIOMA: (-0.14, 0.05, 0.0),
    LesionKind.CEMENT: (0.10, 0.12, -0.05),
    LesionKind.SCHMORL: (0.06, -0.06, 0.5),
}
_CEMENT_BALLS = ((0.0, 0.0, 0.0, 1.0), (0.9, -0.5, 0.4, 0.55), (-0.8, 0.3, -0.5, 0.6))  # in radii: centre, radius
_STRUT_MM, _STRUT_STEP_MM = 0.9, 4.5  # radius of a haemangioma's trabeculae, and their distance
_SIGNAL_VOID_MM = 3.0  # metal takes the signal around it too
_RIM_MM = 0.8  # Schmorl's node has a bony rim like an end plate
_LOOKS = {  # MR: share of the level's marrow signal on T1, T2, STIR
    LesionKind.SCLEROSIS: (0.18, 0.15, 0.2),
    LesionKind.HAEMANGIOMA: (1.45, 1.6, 1.7),
    LesionKind.CEMENT: (0.02, 0.02, 0.02),
    LesionKind.METAL: (0.0, 0.0, 0.0),
    LesionKind.BASIVERTEBRAL: (0.55, 1.45, 2.3),
}
_OUTSIDE_MM = 0.5  # a Schmorl's node starts at the surface
_SEQUENCES = ("t1", "t2", "stir")


@dataclass(frozen=True)
class Place:
    """A ball, or a shaft with its middle and radius: a part of a lesion.

    Parameters
    ----------
    name : str
        ``right`` or ``left`` of a screw; else empty.
    centre : ndarray, shape (3,)
        In patient coordinates, RAS mm.
    radius, length : float
        mm; the length of a ball is twice its radius.
    """

    name: str
    centre: np.ndarray
    radius: float
    length: float


@dataclass(frozen=True)
class DrawnLesion:
    """A lesion within a box of the raster.

    Parameters
    ----------
    lesion : Lesion
    box : tuple of slices
    distance : ndarray of float32
        Signed, mm, negative inside.
    bone : ndarray of float32
        Share of each sample that the lesion may take: cancellous bone; everything for metal.
    struts : ndarray of float32
        Share of each sample that is a haemangioma's trabecula; zero for all else.
    """

    lesion: Lesion
    box: Box
    distance: np.ndarray
    bone: np.ndarray
    struts: np.ndarray

    def paint(
        self,
        image: np.ndarray,
        pitch: Sequence[float],
        contrast: str,
        marrow: Mapping[VertebralLevel | None, float],
        values: np.ndarray,
    ) -> None:
        """Draw the lesion into the fine image of a contrast (``hu``, ``t1``, ``t2``, ``stir``), in place."""
        wider = _SIGNAL_VOID_MM if self.lesion.kind is LesionKind.METAL and contrast != "hu" else 0.0
        cover = covered(self.distance - np.float32(wider), pitch) * self.bone
        part = image[self.box]
        part += cover * (self._look(contrast, marrow, values) - part)

    def _look(
        self, contrast: str, marrow: Mapping[VertebralLevel | None, float], values: np.ndarray
    ) -> np.ndarray | np.float32:
        kind = self.lesion.kind
        if contrast != "hu":
            share = _LOOKS[kind][_SEQUENCES.index(contrast)] * marrow[self.lesion.level]
            return np.float32(share) * (1 - np.float32(0.6) * self.struts)
        if kind is LesionKind.BASIVERTEBRAL:
            return values[Tissue.VENA_CAVA]
        if kind is LesionKind.HAEMANGIOMA:
            return np.float32(MATRIX_HU) + self.struts * np.float32(self.lesion.attenuation - MATRIX_HU)
        return np.float32(self.lesion.attenuation)


def lesion_places(lesion: Lesion, vertebra: Vertebra) -> list[Place]:
    """Return where a lesion lies, for the truth.

    Raises
    ------
    UserError
        When a given centre lies outside the body.
    """
    if lesion.centre is not None and vertebra.form.distance(np.array(lesion.centre)[:, None])[0] > _OUTSIDE_MM:
        raise UserError(f"The {lesion.kind} at {lesion.level} lies outside the body.", "Move its centre.")
    named = [""] if lesion.kind is not LesionKind.METAL else ["right", "left"]
    places = []
    for name, (start, end, radius) in zip(named, _shafts(lesion, vertebra), strict=True):
        ends = vertebra.frame.to_ras(np.array([start, end]))
        length = float(np.linalg.norm(ends[1] - ends[0])) + 2 * radius
        places.append(Place(name, ends.mean(axis=0), radius, length))
    return places


def draw_lesions(
    lesions: Sequence[Lesion], spine: Spine, raster: Raster, bones: Sequence[BonePiece]
) -> Iterator[DrawnLesion]:
    """Draw all but Schmorl's nodes, which are no bone any more (see `notched`)."""
    bodies = {piece.level: piece for piece in bones if piece.part is Compartment.BODY}
    for lesion in lesions:
        if lesion.kind is LesionKind.SCHMORL:
            continue
        vertebra = spine[lesion.level]
        low, high = _bounds(lesion, vertebra)
        box = raster.box(*vertebra.corners(low, high))
        if any(s.stop <= s.start for s in box):
            continue
        local = vertebra.local(raster.points(box))
        bone = _bone(lesion, box, bodies[lesion.level])
        struts = np.zeros_like(bone)
        if lesion.kind is LesionKind.HAEMANGIOMA:
            struts = _struts(local, raster.pitch)
        yield DrawnLesion(lesion, box, _distance(lesion, vertebra, local), bone, struts)


def notched(lesions: Sequence[Lesion], spine: Spine, tissues: TissueMap, bones: Sequence[BonePiece]) -> list[BonePiece]:
    """Return the bones without their Schmorl's nodes, and paint disc there."""
    nodes = {lesion.level: lesion for lesion in lesions if lesion.kind is LesionKind.SCHMORL}
    return [
        _notched(piece, nodes[piece.level], spine[piece.level], tissues)
        if piece.part is Compartment.BODY and piece.level in nodes
        else piece
        for piece in bones
    ]


def _notched(piece: BonePiece, lesion: Lesion, vertebra: Vertebra, tissues: TissueMap) -> BonePiece:
    raster = tissues.raster
    distance = _distance(lesion, vertebra, vertebra.local(raster.points(piece.box)))
    tissues.fill(Tissue.NUCLEUS, piece.box, distance <= 0)
    left = 1 - covered(distance, raster.pitch)
    core = 1 - covered(distance - np.float32(_RIM_MM), raster.pitch)
    return replace(piece, outer=piece.outer * left, core=piece.core * core)


def _shafts(lesion: Lesion, vertebra: Vertebra) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Start and end (the same point of a ball) in the vertebra's frame, mm, and the radius."""
    form, radius = vertebra.form, lesion.radius_mm
    if lesion.kind is LesionKind.METAL:
        return [(rod.start, rod.end, radius) for rod in _screws(lesion, vertebra)]
    if lesion.kind is LesionKind.BASIVERTEBRAL:
        return [(np.array([0, -form.depth / 2, 0.0]), np.array([0, -0.08 * form.depth, 0.0]), radius)]
    centre = np.array(lesion.centre or _place(lesion.kind, vertebra), dtype=float)
    return [(centre, centre, radius)]


def _place(kind: LesionKind, vertebra: Vertebra) -> tuple[float, float, float]:
    form = vertebra.form
    height = (form.heights.anterior + form.heights.posterior) / 2
    x, y, z = np.array(_PLACES[kind]) * (form.width, form.depth, height)
    if kind is LesionKind.SCHMORL:
        z = float(form.plates(np.array([x]), np.array([y]))[0][0])
    return float(x), float(y), float(z)


def _screws(lesion: Lesion, vertebra: Vertebra) -> list[Rod]:
    """A screw through each pedicle, converging towards the front of the body."""
    s, wall, half, low = measures(vertebra)
    apart, top = (10.5 + 5.5 * low) * s, min(0.28 * half, 0.5 * vertebra.form.heights.posterior / 2)
    radius = lesion.radius_mm
    right = Rod(
        (apart + 5 * s, wall - 22 * s, top),
        (apart * 0.5 + s, wall + 0.72 * vertebra.form.depth, 0.4 * top),
        (radius,) * 2,
    )
    return [right, right.mirrored()]


def _bounds(lesion: Lesion, vertebra: Vertebra) -> tuple[np.ndarray, np.ndarray]:
    ends = np.array([point for start, end, _ in _shafts(lesion, vertebra) for point in (start, end)])
    reach = 2.2 * lesion.radius_mm + 2 + _SIGNAL_VOID_MM
    return ends.min(axis=0) - reach, ends.max(axis=0) + reach


def _distance(lesion: Lesion, vertebra: Vertebra, local: np.ndarray) -> np.ndarray:
    shapes = []
    for start, end, radius in _shafts(lesion, vertebra):
        if lesion.kind is LesionKind.CEMENT:
            shapes += [_ball(local, start + radius * np.array(ball[:3]), radius * ball[3]) for ball in _CEMENT_BALLS]
        elif lesion.kind is LesionKind.METAL:
            head = np.add(start, (0, -3, 0))
            shapes += [Rod(start, end, (radius, 0.7 * radius)).distance(local), _ball(local, head, 2.1 * radius)]
        elif lesion.kind is LesionKind.BASIVERTEBRAL:
            shapes.append(Rod(tuple(start), tuple(end), (1.2 * radius, 0.7 * radius)).distance(local))
        else:
            shapes.append(_ball(local, start, radius))
    return np.min(shapes, axis=0).astype(np.float32)


def _ball(local: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray:
    return np.sqrt(sum((local[n] - np.float32(centre[n])) ** 2 for n in range(3))) - np.float32(radius)


def _bone(lesion: Lesion, box: Box, body: BonePiece) -> np.ndarray:
    """Share of each sample of `box` that the lesion may take."""
    shape = tuple(s.stop - s.start for s in box)
    if lesion.kind is LesionKind.METAL:
        return np.ones(shape, dtype=np.float32)
    bone = np.zeros(shape, dtype=np.float32)
    common = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(box, body.box, strict=True)]
    if any(s.stop <= s.start for s in common):
        return bone
    here = tuple(slice(s.start - b.start, s.stop - b.start) for s, b in zip(common, box, strict=True))
    there = tuple(slice(s.start - b.start, s.stop - b.start) for s, b in zip(common, body.box, strict=True))
    # The vein leaves through a foramen in the posterior wall; all else lies within the cortex.
    bone[here] = (body.outer if lesion.kind is LesionKind.BASIVERTEBRAL else body.core)[there]
    return bone


def _struts(local: np.ndarray, pitch: Sequence[float]) -> np.ndarray:
    """Vertical trabeculae on a lattice of triangles, seen from above as polka dots."""
    row = np.round(local[1] / (_STRUT_STEP_MM * np.sqrt(3) / 2))
    x = local[0] - (row % 2) * _STRUT_STEP_MM / 2
    dx = x - np.round(x / _STRUT_STEP_MM) * _STRUT_STEP_MM
    dy = local[1] - row * _STRUT_STEP_MM * np.sqrt(3) / 2
    return covered((np.hypot(dx, dy) - _STRUT_MM).astype(np.float32), pitch)
