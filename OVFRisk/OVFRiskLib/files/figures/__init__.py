"""The report's figures: images with what was measured, and charts."""

from typing import TYPE_CHECKING

from ...errors import import_optional
from ...image import Modality
from .style import Illustration

if TYPE_CHECKING:
    from ...analysis import Analysis

__all__ = ["Illustration", "draw_figures"]


def draw_figures(analysis: "Analysis") -> dict[str, Illustration]:
    """Draw every figure that the analysis has values for, by key.

    Raises
    ------
    UserError
        When matplotlib is missing.
    """
    import_optional("matplotlib", "Drawing the report's figures")
    from . import charts, ct, mr

    drawn = []
    if analysis.compartments is not None and analysis.compartments.regions:
        scan = analysis.volumes[Modality.CT], analysis.compartments, analysis.levels
        drawn.append(ct.ct_overview(*scan))
        if any(quality.usable for quality in analysis.levels):
            drawn += [ct.ct_axial(*scan), charts.level_chart(analysis.measurements, analysis.levels)]
    rois = tuple(analysis.regions)
    if rois:
        drawn.append(mr.mr_regions(analysis.volumes, rois))
    if any(assessment.value is not None for assessment in analysis.assessments):
        drawn.append(charts.score_chart(analysis.assessments))
    return {illustration.key: illustration for illustration in drawn}
