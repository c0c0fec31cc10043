"""Grey levels: intensities sorted into bins, from 1."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import UserError
from .kernels.binning import bin_numbers
from .matrices import LevelGrid
from .region import Region

MAX_LEVELS = 2000
"""More grey levels than this need gigabytes for co-occurrence matrices, and describe noise."""


@dataclass(frozen=True, eq=False)
class GreyLevels:
    """A region and its grey levels.

    Parameters
    ----------
    region : Region
    array : ndarray of int
        The grey level of each voxel of the bounding box (k, j, i), 0 outside the mask.
    counts : ndarray of int
        Voxels of each grey level that occurs, ascending by level.
    """

    region: Region
    array: np.ndarray
    counts: np.ndarray

    @cached_property
    def _grids(self) -> dict[int, LevelGrid]:
        return {}

    def grid(self, reach: int = 1) -> LevelGrid:
        """Return the grey levels prepared for walking in steps of up to `reach` voxels; one for all classes."""
        if reach not in self._grids:
            self._grids[reach] = LevelGrid(self.array, reach)
        return self._grids[reach]


def discretised(region: Region, settings: Mapping[str, object]) -> GreyLevels:
    """Return the grey levels of a region.

    Bins of fixed width start at a multiple of the width, not at the region's minimum: PyRadiomics' definition
    (``imageoperations.getBinEdges``), which is not IBSI's fixed bin size (Q3RU). A fixed number of bins (`binCount`) is
    IBSI's K15C.

    Raises
    ------
    UserError
        When the bins are too many or too fine for the intensities.
    """
    x = region.ascending
    edges = _edges(x, settings).astype(float)
    counts = np.diff(np.searchsorted(x, edges))
    counts = counts[counts > 0]
    if len(counts) > MAX_LEVELS:
        raise _too_fine(x, settings)
    levels = np.zeros(region.size, dtype=np.int32)
    bin_numbers(region.intensities.astype(float, copy=False), edges, region.places, levels.ravel())
    return GreyLevels(region, levels, counts)


def _edges(values: np.ndarray, settings: Mapping[str, object]) -> np.ndarray:
    count, width = settings["binCount"], settings["binWidth"]
    if count is not None:
        return _edges_of_count(values, count, settings)
    low, high = values[0], values[-1]
    steps = (float(high) - float(low)) / width
    if not steps < 1e6 or not low - width < low or not high + width > high:
        raise _too_fine(values, settings)
    return np.arange(low - low % width, high + 2 * width, width)


def _edges_of_count(values: np.ndarray, count: int, settings: Mapping[str, object]) -> np.ndarray:
    try:
        edges = np.histogram_bin_edges(values, count)
    except ValueError as error:  # numpy's "cannot create bins": they are finer than the numbers
        raise _too_fine(values, settings) from error
    edges[-1] += 1  # the maximum belongs to the last bin
    return edges


def _too_fine(values: np.ndarray, settings: Mapping[str, object]) -> UserError:
    bins = f"binCount {settings['binCount']}" if settings["binCount"] else f"binWidth {settings['binWidth']:g}"
    return UserError(
        f"The bins of the protocol ({bins}) are too fine for intensities from {values[0]:g} to {values[-1]:g}.",
        f"Use wider bins, or normalise the image: at most {MAX_LEVELS} grey levels are supported.",
    )
