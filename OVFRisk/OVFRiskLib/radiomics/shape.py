"""Shape in 3-D (IBSI HCUG): the mesh of the mask and the principal axes of its voxels."""

import numpy as np

from .feature import Feature
from .mesh import Mesh, diameter, diameter_within_planes, mesh, outermost
from .region import Region


class Shape:
    """A mask's surface and principal axes, in mm."""

    def __init__(self, mask: np.ndarray, spacing: np.ndarray) -> None:
        self.spacing = spacing
        self.mesh: Mesh = mesh(mask, spacing)
        self.outermost = {axis: outermost(np.pad(mask, 1), axis) for axis in (1, 2)}
        self.axes = principal_axes(mask, spacing)
        self.voxel_volume = np.count_nonzero(mask) * np.prod(spacing)

    @property
    def sphere_area(self) -> float:
        """Area of the sphere of the same volume, mm²."""
        return float(np.cbrt(36 * np.pi * self.mesh.volume**2))

    def widest(self, axis: int) -> float:
        """Return the largest diameter within a plane across `axis` (0 = k, 1 = j, 2 = i), mm."""
        return diameter_within_planes(self.outermost[2 if axis < 2 else 1], self.spacing, axis)


def principal_axes(mask: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Return four standard deviations of the voxel centres along their principal axes, mm, ascending."""
    centres = np.argwhere(mask) * spacing
    variances = np.linalg.eigvalsh(np.cov(centres.T, bias=True))
    variances[variances < 1e-12 * variances[-1]] = 0  # rounding of a flat region
    return 4 * np.sqrt(variances)


def measure(region: Region) -> Shape:
    """Return the shape of the region."""
    return Shape(region.mask, region.spacing)


def _compactness(shape: Shape) -> float:
    return 36 * np.pi * shape.mesh.volume**2 / shape.mesh.area**3


FEATURES = (
    Feature("Compactness1", "SKGS", "morph_comp_1", lambda s: _compactness(s) ** 0.5 / (6 * np.pi), optional=True),
    Feature("Compactness2", "BQWJ", "morph_comp_2", _compactness, optional=True),
    Feature("Elongation", "Q3CK", "morph_pca_elongation", lambda s: s.axes[1] / s.axes[2]),
    Feature("Flatness", "N17B", "morph_pca_flatness", lambda s: s.axes[0] / s.axes[2]),
    Feature("LeastAxisLength", "7J51", "morph_pca_least_axis", lambda s: s.axes[0]),
    Feature("MajorAxisLength", "TDIC", "morph_pca_maj_axis", lambda s: s.axes[2]),
    Feature("Maximum2DDiameterColumn", "", "", lambda s: s.widest(1)),
    Feature("Maximum2DDiameterRow", "", "", lambda s: s.widest(2)),
    Feature("Maximum2DDiameterSlice", "", "", lambda s: s.widest(0)),
    Feature("Maximum3DDiameter", "L0JK", "morph_diam", lambda s: diameter(s.outermost[2], s.spacing)),
    Feature("MeshVolume", "RNU0", "morph_volume", lambda s: s.mesh.volume),
    Feature("MinorAxisLength", "P9VJ", "morph_pca_min_axis", lambda s: s.axes[1]),
    Feature("Sphericity", "QCFX", "morph_sphericity", lambda s: s.sphere_area / s.mesh.area),
    Feature("SphericalDisproportion", "KRCK", "morph_sph_dispr", lambda s: s.mesh.area / s.sphere_area, optional=True),
    Feature("SurfaceArea", "C0JK", "morph_area_mesh", lambda s: s.mesh.area),
    Feature("SurfaceVolumeRatio", "2PR5", "morph_av", lambda s: s.mesh.area / s.mesh.volume),
    Feature("VoxelVolume", "YEKZ", "morph_vol_approx", lambda s: s.voxel_volume),
)
