"""All bones of a patient on one raster: how much of each sample is shell, and how much is cancellous bone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..anatomy import Compartment, VertebralLevel
from .posterior import Rod, canal_distance, far, merged, posterior_rods
from .raster import Box, Raster, covered
from .sacrum import sacral_rods, sacral_segments
from .spine import Vertebra

_GAP_MM = 1.1  # least joint space
_POSTERIOR_SHELL = 1.3  # thickness of the posterior elements' cortex against the body's
_FAR_MM = 99.0
_WHOLLY = 0.99  # share of a sample that is as good as all of it
INTERIOR_MM = 4.0  # where trabecular attenuation is read


@dataclass(frozen=True)
class BonePiece:
    """A piece of bone within a box of the raster; arrays are indexed (z, y, x).

    Parameters
    ----------
    level : VertebralLevel or None
        None for ribs and pelvis.
    part : Compartment
        BODY, POSTERIOR; WHOLE where not divided.
    box : tuple of slices
    outer, core : ndarray of float32
        Share of each sample that is bone, and that is cancellous bone.
    interior : ndarray of bool
        Where the pattern of the cancellous bone averages to zero: in bodies deeper than 4 mm below the surface.
    """

    level: VertebralLevel | None
    part: Compartment
    box: Box
    outer: np.ndarray
    core: np.ndarray
    interior: np.ndarray


class BonePainter:
    """Draws bones on one raster and keeps joint spaces between them.

    Parameters
    ----------
    raster : Raster
    shell : float
        Thickness of the bodies' cortex, mm.
    """

    def __init__(self, raster: Raster, shell: float) -> None:
        self.raster, self.shell = raster, shell
        self._bone = np.full(raster.shape, _FAR_MM, dtype=np.float32)

    def vertebra(self, vertebra: Vertebra) -> Iterator[BonePiece]:
        """Draw one vertebra: its body exactly, its posterior elements where no other bone is."""
        rods = posterior_rods(vertebra)
        box = self._box(vertebra, [rod.bounds(2.0) for rod in rods] + [_body_bounds(vertebra)])
        if _empty(box):
            return
        body = self._distance(vertebra, box, [_body_bounds(vertebra)], [vertebra.form.distance])
        arch = self._distance(vertebra, box, [rod.bounds(2.0) for rod in rods], [rod.distance for rod in rods])
        arch = np.maximum(arch, -canal_distance(vertebra, vertebra.local(self.raster.points(box))))
        arch = np.maximum(arch, np.float32(_GAP_MM) - self._bone[box])
        yield self._body(vertebra, box, body)
        yield self._arch(vertebra.level, Compartment.POSTERIOR, box, arch, body)
        np.minimum(self._bone[box], np.minimum(arch, body), out=self._bone[box])

    def sacrum(self, vertebra: Vertebra) -> Iterator[BonePiece]:
        """Draw the sacrum: the body of S1 and all that is fused with it."""
        rods = sacral_rods(vertebra)
        bounds = [rod.bounds(3.0) for rod in rods]
        box = self._box(vertebra, [*bounds, _body_bounds(vertebra)])
        if _empty(box):
            return
        body = self._distance(vertebra, box, [_body_bounds(vertebra)], [vertebra.form.distance])
        rest = self._distance(vertebra, box, bounds, [rod.distance for rod in rods])
        local = vertebra.local(self.raster.points(box))
        foramen = np.maximum(canal_distance(vertebra, local) + 1.5, -24 - local[2])
        rest = np.maximum(rest, -foramen)
        for segment in sacral_segments(vertebra):
            lower = self._distance(segment, box, [_body_bounds(segment)], [segment.form.distance])
            rest = merged(rest, lower)
        rest = np.maximum(rest, np.float32(_GAP_MM) - self._bone[box])
        yield self._body(vertebra, box, body)
        yield self._arch(vertebra.level, Compartment.WHOLE, box, rest, body)
        np.minimum(self._bone[box], np.minimum(rest, body), out=self._bone[box])

    def rods(self, rods: Sequence[Rod]) -> Iterator[BonePiece]:
        """Draw bones that are rods in patient space (ribs)."""
        for rod in rods:
            box = self.raster.box(*rod.bounds(1.0))
            if not _empty(box):
                yield self.shape(box, rod.distance(self.raster.points(box)))

    def shape(self, box: Box, distance: np.ndarray) -> BonePiece:
        """Draw a bone that is no vertebra, where no other bone is."""
        distance = np.maximum(distance, np.float32(_GAP_MM) - self._bone[box])
        np.minimum(self._bone[box], distance, out=self._bone[box])
        return self._arch(None, Compartment.WHOLE, box, distance, np.full_like(distance, _FAR_MM))

    def _box(self, vertebra: Vertebra, bounds: list) -> Box:
        low, high = np.min([b[0] for b in bounds], axis=0), np.max([b[1] for b in bounds], axis=0)
        return self.raster.box(*vertebra.corners(low, high))

    def _distance(self, vertebra: Vertebra, box: Box, bounds: list, shapes: list) -> np.ndarray:
        """Distance to the union of shapes of the vertebra's frame, each computed only within its own bounds."""
        total = far(tuple(s.stop - s.start for s in box))
        for bound, shape in zip(bounds, shapes, strict=True):
            part = _common(self.raster.box(*vertebra.corners(*bound)), box)
            if _empty(part):
                continue
            inside = _within(part, box)
            distance = shape(vertebra.local(self.raster.points(part))).astype(np.float32)
            total[inside] = merged(total[inside], distance)
        return total

    def _body(self, vertebra: Vertebra, box: Box, distance: np.ndarray) -> BonePiece:
        own = _common(self.raster.box(*vertebra.corners(*_body_bounds(vertebra))), box)
        distance = distance[_within(own, box)]
        pitch = self.raster.pitch
        outer, core = covered(distance, pitch), covered(distance + np.float32(self.shell), pitch)
        return BonePiece(vertebra.level, Compartment.BODY, own, outer, core, distance <= -INTERIOR_MM)

    def _arch(
        self, level: VertebralLevel | None, part: Compartment, box: Box, distance: np.ndarray, body: np.ndarray
    ) -> BonePiece:
        """Bone beside a body; the marrow of a pedicle runs up to the body's shell."""
        pitch, union = self.raster.pitch, np.minimum(distance, body)
        outer = np.clip(covered(union, pitch) - covered(body, pitch), 0, 1)
        core = np.minimum(covered(union + np.float32(self.shell * _POSTERIOR_SHELL), pitch), outer)
        return BonePiece(level, part, box, outer, core, core > _WHOLLY)


def _body_bounds(vertebra: Vertebra) -> tuple[np.ndarray, np.ndarray]:
    reach = np.array(vertebra.form.reach)
    return -reach, reach


def _common(a: Box, b: Box) -> Box:
    return tuple(slice(max(p.start, q.start), min(p.stop, q.stop)) for p, q in zip(a, b, strict=True))


def _within(part: Box, box: Box) -> Box:
    """Return `part` counted from the start of `box`."""
    return tuple(slice(p.start - b.start, p.stop - b.start) for p, b in zip(part, box, strict=True))


def _empty(box: Box) -> bool:
    return any(s.stop <= s.start for s in box)
