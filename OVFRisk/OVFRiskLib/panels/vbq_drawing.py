"""Regions and exclusions that a reader adds: something near its place, to be dragged."""

import numpy as np

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..errors import UserError
from ..vbq.exclusions import Exclusion
from ..vbq.exclusions_kinds import ExclusionKind
from ..vbq.regions import Regions
from ..vbq.roi import Roi
from .words import _

_CORNERS = 24
_EXCLUSION_MM = 4.0  # radius
_CSF_MM = (3.0, 8.0)  # half width and half length
_BEHIND_MM = 10.0  # of the body's back wall: the middle of a usual sac
_STEP_MM = 34.0  # from body to body, where only one is known


def new_exclusion(roi: Roi) -> Exclusion:
    """Return a circle in the middle of a region."""
    outline = _ellipse(np.mean(roi.outline, axis=0), (_EXCLUSION_MM, _EXCLUSION_MM))
    return Exclusion(roi.region, ExclusionKind.OTHER, outline, _("drawn by the reader"))


def new_region(regions: Regions, region: Region) -> Roi:
    """Return a region near where it belongs, by those of its neighbours.

    Raises
    ------
    UserError
        When it is there already, or there is no body to place it by.
    """
    there = regions.csf if region.part is Structure.CSF else regions.bodies.get(region.level)
    if there is not None:
        raise UserError(_("{region} is there already.").format(region=there.region), _("Drag it."))
    if not regions.bodies:
        raise UserError(_("There is no body region to place it by."), _("Propose the regions again."))
    return _csf(regions, region) if region.part is Structure.CSF else _body(regions, region)


def _csf(regions: Regions, region: Region) -> Roi:
    body = _nearest(regions, region.level)[0]
    middle, back = np.mean(body.outline, axis=0), np.min(body.outline, axis=0)[0]
    centre = (back - regions.settings.inset_mm - _BEHIND_MM, middle[1])
    where = Region(Structure.CSF, body.region.level)
    return Roi(where, body.plane, _ellipse(centre, _CSF_MM), body.half_thickness_mm, _("drawn by the reader"))


def _body(regions: Regions, region: Region) -> Roi:
    """Return the nearest body's outline, as far from it as its own neighbour is on the other side."""
    body, *others = _nearest(regions, region.level)
    steps = body.region.level.rank - region.level.rank  # towards the head
    step = np.array([0.0, _STEP_MM])
    if others:
        apart = body.plane.from_ras(others[0].plane.to_ras(np.mean(others[0].outline, axis=0)))[:2]
        levels = others[0].region.level.rank - body.region.level.rank  # towards the feet
        step = (np.mean(body.outline, axis=0) - apart) / levels
    outline = np.array(body.outline) + steps * step
    where = Region(Compartment.BODY, region.level)
    return Roi(where, body.plane, tuple(map(tuple, outline)), body.half_thickness_mm, _("drawn by the reader"))


def _nearest(regions: Regions, level: VertebralLevel | None) -> list[Roi]:
    to = (level or VertebralLevel.L3).rank
    return sorted(regions.bodies.values(), key=lambda roi: abs(roi.region.level.rank - to))


def _ellipse(centre: object, half: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    points = np.column_stack([half[0] * np.cos(angles), half[1] * np.sin(angles)]) + np.asarray(centre)
    return tuple(map(tuple, points.tolist()))
