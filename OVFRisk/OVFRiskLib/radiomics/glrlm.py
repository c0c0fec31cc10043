"""Grey level run length matrix (GLRLM, IBSI TP0I): features averaged over directions."""

from collections.abc import Mapping

from .discretisation import GreyLevels
from .feature import Feature
from .matrices import directions, run_lengths
from .size_matrix import SizeMatrix
from .weighting import merged


def measure(levels: GreyLevels, settings: Mapping[str, object]) -> SizeMatrix:
    """Return the run lengths of the region, i the grey level and j the length of a run."""
    grid, steps = levels.grid(), directions((1,), settings)
    counts = run_lengths(grid, steps)
    return SizeMatrix(
        merged(counts, steps, levels.region.spacing, settings["weightingNorm"], lambda d: d), grid.present
    )


FEATURES = (
    Feature("GrayLevelNonUniformity", "R5YN", "rlm_glnu_3D_avg", lambda m: m.non_uniformity("i")),
    Feature("GrayLevelNonUniformityNormalized", "OVBL", "rlm_glnu_norm_3D_avg", lambda m: m.non_uniformity("i", 2)),
    Feature("GrayLevelVariance", "8CE5", "rlm_gl_var_3D_avg", lambda m: m.variance("i")),
    Feature("HighGrayLevelRunEmphasis", "G3QZ", "rlm_hgre_3D_avg", lambda m: m.mean(i=2)),
    Feature("LongRunEmphasis", "W4KF", "rlm_lre_3D_avg", lambda m: m.mean(j=2)),
    Feature("LongRunHighGrayLevelEmphasis", "3KUM", "rlm_lrhge_3D_avg", lambda m: m.mean(i=2, j=2)),
    Feature("LongRunLowGrayLevelEmphasis", "IVPO", "rlm_lrlge_3D_avg", lambda m: m.mean(i=-2, j=2)),
    Feature("LowGrayLevelRunEmphasis", "V3SW", "rlm_lgre_3D_avg", lambda m: m.mean(i=-2)),
    Feature("RunEntropy", "HJ9O", "rlm_rl_entr_3D_avg", lambda m: m.entropy()),
    Feature("RunLengthNonUniformity", "W92Y", "rlm_rlnu_3D_avg", lambda m: m.non_uniformity("j")),
    Feature("RunLengthNonUniformityNormalized", "IC23", "rlm_rlnu_norm_3D_avg", lambda m: m.non_uniformity("j", 2)),
    Feature("RunPercentage", "9ZK5", "rlm_r_perc_3D_avg", lambda m: m.percentage()),
    Feature("RunVariance", "SXLW", "rlm_rl_var_3D_avg", lambda m: m.variance("j")),
    Feature("ShortRunEmphasis", "22OV", "rlm_sre_3D_avg", lambda m: m.mean(j=-2)),
    Feature("ShortRunHighGrayLevelEmphasis", "GD3A", "rlm_srhge_3D_avg", lambda m: m.mean(i=2, j=-2)),
    Feature("ShortRunLowGrayLevelEmphasis", "HTZT", "rlm_srlge_3D_avg", lambda m: m.mean(i=-2, j=-2)),
)
