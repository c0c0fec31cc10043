"""Regions of bone quality as they lie in the scene, and after an edit there."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

import slicer

from ..anatomy import Structure
from ..errors import UserError
from ..scene import regions as curves
from ..vbq.exclusions import Exclusion
from ..vbq.regions import Regions
from ..vbq.roi import Roi, parse_region
from .words import _

_Kind = TypeVar("_Kind", Roi, Exclusion)


def regions_in(head: slicer.vtkMRMLTextNode) -> Regions:
    """Return the regions of a scene, from head to foot, the CSF last.

    Raises
    ------
    UserError
        When the scene was changed so that they cannot be read.
    """
    regions = Regions.from_dict(curves.regions_of(head))
    rois = sorted(regions.rois, key=lambda roi: (roi.region.part is Structure.CSF, roi.region.sort_key))
    return replace(regions, rois=tuple(rois))


def edited_regions(
    head: slicer.vtkMRMLTextNode, regions: Regions, edited: Iterable[slicer.vtkMRMLMarkupsClosedCurveNode]
) -> Regions:
    """Return the regions with those of edited curves as they lie now; only these are read.

    A region whose curve was deleted is missing from then on, also in the saved scene.

    Raises
    ------
    UserError
        When an outline has become none.
    """
    rois = {roi.region: roi for roi in regions}
    missing, again = dict(regions.missing), False
    for node in edited:
        data = curves.kept(node)
        region = parse_region(data["region"])
        if "kind" in data:
            again = True
        elif node.GetScene() is None:
            rois.pop(region, None)
            missing[region] = _("its curve was deleted")
        else:
            rois[region] = _read(Roi, node)
    if missing != regions.missing:
        curves.set_missing(head, {str(region): why for region, why in missing.items()})
    regions = replace(regions, rois=tuple(rois.values()), missing=missing)
    return replace(regions, exclusions=_exclusions(head)) if again else regions


def _exclusions(head: slicer.vtkMRMLTextNode) -> tuple[Exclusion, ...]:
    nodes = (node for node in curves.exclusion_nodes(head) if not curves.is_left_in(node))
    return tuple(_read(Exclusion, node) for node in nodes)


def _read(kind: type[_Kind], node: slicer.vtkMRMLMarkupsClosedCurveNode) -> _Kind:
    try:
        return kind.from_dict(curves.curve_data(node))
    except UserError as error:
        what = _("'{name}' encloses no area any more: it is measured as it was before.")
        what_to_do = _("Move its points apart, or delete the curve.")
        raise UserError(what.format(name=node.GetName()), what_to_do) from error
