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
    from . import charts, mr, score_nomograms

    drawn = _ct_figures(analysis)
    if len(analysis.regions):
        drawn.append(mr.mr_regions(analysis.volumes, analysis.regions, *analysis.vbq_places))
    drawn += [chart for chart in (charts.score_chart(analysis.scores, "svg"),) if chart]
    drawn += score_nomograms.score_nomograms(analysis.scores)
    return {illustration.key: illustration for illustration in drawn}


def _ct_figures(analysis: "Analysis") -> list[Illustration]:
    from . import ct, muscle, profile

    labels, structures = analysis.compartments, analysis.structures
    if labels is None or not labels.regions:
        return []
    volume, table = analysis.volumes[Modality.CT], analysis.measurements
    drawn = [ct.ct_overview(volume, labels, analysis.levels, table, analysis.height_lines)]
    if any(quality.usable for quality in analysis.levels):
        drawn.append(profile.level_chart(table, analysis.levels))
        drawn.append(ct.ct_axial(volume, labels, analysis.levels))
    level = muscle.muscle_level(labels, structures) if structures is not None else None
    if level:
        drawn.append(muscle.muscle_section(volume, labels, structures, table, level))
    return drawn
