"""Shape in one slice: the outline halfway between pixels and the principal axes of the pixels (PyRadiomics only)."""

import numpy as np

from .feature import Feature
from .mesh import diameter, outermost
from .region import Region
from .shape import principal_axes


class Outline:
    """The outline of a 2-D mask, in mm; diagonal neighbours are apart.

    Every square of 2 x 2 pixel centres is cut by its number of inside corners: one is cut off, three leave one out,
    two are passed in parallel to a side or, on a diagonal, cut off both.
    """

    def __init__(self, mask: np.ndarray, spacing: np.ndarray) -> None:
        inside = np.pad(mask, 1)
        a, b, c, d = (inside[j : j - 1 or None, i : i - 1 or None] for j in (0, 1) for i in (0, 1))
        corners = a.astype(int) + b + c + d
        two = corners == 2
        across, down, crossed = (np.count_nonzero(two & (a == other)) for other in (b, c, d))
        cut_off = np.count_nonzero(corners % 2) + 2 * crossed
        self.perimeter = across * spacing[1] + down * spacing[0] + cut_off * np.hypot(*spacing) / 2
        pixels = np.array([0, 1 / 8, 1 / 2, 7 / 8, 1])[corners].sum() - crossed / 4
        self.area = pixels * np.prod(spacing)
        self.pixel_area = np.count_nonzero(mask) * np.prod(spacing)
        self.diameter = diameter(outermost(inside, 1), spacing)
        self.axes = principal_axes(mask, spacing)


def measure(region: Region, axis: int) -> Outline:
    """Return the outline of a region of one slice across `axis` (0 = k, 1 = j, 2 = i)."""
    return Outline(region.mask.squeeze(axis), np.delete(region.spacing, axis))


FEATURES = (
    Feature("Elongation", "", "", lambda s: s.axes[0] / s.axes[1]),
    Feature("MajorAxisLength", "", "", lambda s: s.axes[1]),
    Feature("MaximumDiameter", "", "", lambda s: s.diameter),
    Feature("MeshSurface", "", "", lambda s: s.area),
    Feature("MinorAxisLength", "", "", lambda s: s.axes[0]),
    Feature("Perimeter", "", "", lambda s: s.perimeter),
    Feature("PerimeterSurfaceRatio", "", "", lambda s: s.perimeter / s.area),
    Feature("PixelSurface", "", "", lambda s: s.pixel_area),
    Feature("Sphericity", "", "", lambda s: 2 * np.sqrt(np.pi * s.area) / s.perimeter),
    Feature("SphericalDisproportion", "", "", lambda s: s.perimeter / (2 * np.sqrt(np.pi * s.area)), optional=True),
)
