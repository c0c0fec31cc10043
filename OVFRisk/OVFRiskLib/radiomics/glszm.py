"""Grey level size zone matrix (GLSZM, IBSI 9SAK)."""

from collections.abc import Mapping

from .discretisation import GreyLevels
from .feature import Feature
from .matrices import directions, zone_sizes
from .size_matrix import SizeMatrix


def measure(levels: GreyLevels, settings: Mapping[str, object]) -> SizeMatrix:
    """Return the zones of the region, i the grey level and j the number of voxels of a zone."""
    grid = levels.grid()
    counts, sizes = zone_sizes(grid, directions((1,), settings))
    return SizeMatrix(counts, grid.present, sizes)


FEATURES = (
    Feature("GrayLevelNonUniformity", "JNSA", "szm_glnu_3D", lambda m: m.non_uniformity("i")),
    Feature("GrayLevelNonUniformityNormalized", "Y1RO", "szm_glnu_norm_3D", lambda m: m.non_uniformity("i", 2)),
    Feature("GrayLevelVariance", "BYLV", "szm_gl_var_3D", lambda m: m.variance("i")),
    Feature("HighGrayLevelZoneEmphasis", "5GN9", "szm_hgze_3D", lambda m: m.mean(i=2)),
    Feature("LargeAreaEmphasis", "48P8", "szm_lze_3D", lambda m: m.mean(j=2)),
    Feature("LargeAreaHighGrayLevelEmphasis", "J17V", "szm_lzhge_3D", lambda m: m.mean(i=2, j=2)),
    Feature("LargeAreaLowGrayLevelEmphasis", "YH51", "szm_lzlge_3D", lambda m: m.mean(i=-2, j=2)),
    Feature("LowGrayLevelZoneEmphasis", "XMSY", "szm_lgze_3D", lambda m: m.mean(i=-2)),
    Feature("SizeZoneNonUniformity", "4JP3", "szm_zsnu_3D", lambda m: m.non_uniformity("j")),
    Feature("SizeZoneNonUniformityNormalized", "VB3A", "szm_zsnu_norm_3D", lambda m: m.non_uniformity("j", 2)),
    Feature("SmallAreaEmphasis", "5QRC", "szm_sze_3D", lambda m: m.mean(j=-2)),
    Feature("SmallAreaHighGrayLevelEmphasis", "HW1V", "szm_szhge_3D", lambda m: m.mean(i=2, j=-2)),
    Feature("SmallAreaLowGrayLevelEmphasis", "5RAI", "szm_szlge_3D", lambda m: m.mean(i=-2, j=-2)),
    Feature("ZoneEntropy", "GU8N", "szm_zs_entr_3D", lambda m: m.entropy()),
    Feature("ZonePercentage", "P30P", "szm_z_perc_3D", lambda m: m.percentage()),
    Feature("ZoneVariance", "3NSA", "szm_zs_var_3D", lambda m: m.variance("j")),
)
