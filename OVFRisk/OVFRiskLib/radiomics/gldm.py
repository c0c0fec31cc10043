"""Grey level dependence matrix (GLDM; IBSI's neighbouring grey level dependence matrix, REK0)."""

from collections.abc import Mapping

from .discretisation import GreyLevels
from .feature import Feature
from .matrices import dependences, directions
from .size_matrix import SizeMatrix


def measure(levels: GreyLevels, settings: Mapping[str, object]) -> SizeMatrix:
    """Return the dependences of the region, i the grey level and j the dependent voxels, the voxel itself included."""
    grid = levels.grid(max(settings["distances"]))
    steps = directions(settings["distances"], settings)
    return SizeMatrix(dependences(grid, steps, settings["gldm_a"]), grid.present)


FEATURES = (
    Feature("DependenceEntropy", "FCBV", "ngl_dc_entr_3D", lambda m: m.entropy()),
    Feature("DependenceNonUniformity", "Z87G", "ngl_dcnu_3D", lambda m: m.non_uniformity("j")),
    Feature("DependenceNonUniformityNormalized", "OKJI", "ngl_dcnu_norm_3D", lambda m: m.non_uniformity("j", 2)),
    Feature("DependenceVariance", "DNX2", "ngl_dc_var_3D", lambda m: m.variance("j")),
    Feature("GrayLevelNonUniformity", "FP8K", "ngl_glnu_3D", lambda m: m.non_uniformity("i")),
    Feature("GrayLevelVariance", "1PFV", "ngl_gl_var_3D", lambda m: m.variance("i")),
    Feature("HighGrayLevelEmphasis", "OAE7", "ngl_hgce_3D", lambda m: m.mean(i=2)),
    Feature("LargeDependenceEmphasis", "IMOQ", "ngl_hde_3D", lambda m: m.mean(j=2)),
    Feature("LargeDependenceHighGrayLevelEmphasis", "9QMG", "ngl_hdhge_3D", lambda m: m.mean(i=2, j=2)),
    Feature("LargeDependenceLowGrayLevelEmphasis", "NBZI", "ngl_hdlge_3D", lambda m: m.mean(i=-2, j=2)),
    Feature("LowGrayLevelEmphasis", "TL9H", "ngl_lgce_3D", lambda m: m.mean(i=-2)),
    Feature("SmallDependenceEmphasis", "SODN", "ngl_lde_3D", lambda m: m.mean(j=-2)),
    Feature("SmallDependenceHighGrayLevelEmphasis", "JA6D", "ngl_ldhge_3D", lambda m: m.mean(i=2, j=-2)),
    Feature("SmallDependenceLowGrayLevelEmphasis", "EQ3F", "ngl_ldlge_3D", lambda m: m.mean(i=-2, j=-2)),
)
