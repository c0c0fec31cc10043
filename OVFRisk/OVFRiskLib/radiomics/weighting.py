"""Merging the matrices of several directions with weights by their length in mm."""

from collections.abc import Callable

import numpy as np

NORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "manhattan": lambda steps: steps.sum(axis=1),
    "euclidean": lambda steps: np.sqrt((steps**2).sum(axis=1)),
    "infinity": lambda steps: steps.max(axis=1),
    "no_weighting": lambda steps: np.ones(len(steps)),
}
"""Length of steps (|k|, |j|, |i|) in mm, by PyRadiomics' name of the norm."""


def merged(
    counts: np.ndarray,
    steps: np.ndarray,
    spacing: np.ndarray,
    norm: str | None,
    weight: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return `counts` as they are, or their sum weighted by the length of each step.

    Parameters
    ----------
    counts : ndarray, shape (directions, levels, levels or sizes)
    steps : ndarray of int, shape (directions, 3)
    spacing : ndarray, shape (3,)
        Voxel size along k, j, i in mm.
    norm : str or None
        Name of the norm that measures a step; None keeps the directions apart.
    weight : callable
        Length in mm to weight; ``no_weighting`` weighs every direction 1.

    Returns
    -------
    ndarray, shape (directions or 1, ...)
    """
    if norm is None:
        return counts
    lengths = NORMS[norm](np.abs(steps) * spacing)
    weights = lengths if norm == "no_weighting" else weight(lengths)
    return np.tensordot(weights, counts, axes=1)[None]
