"""What every predictor can do. It sees scaled inputs only, and nothing of patients or tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Contributions:
    """How each input moved the output away from the typical patient's.

    Parameters
    ----------
    amounts : ndarray, shape (inputs,)
        Sum up to output minus `base`, on `scale`.
    base : float
        The typical patient's output, on `scale`.
    scale : str
        ``log-odds``, ``probability`` or ``value``.
    method : str
        ``exact (linear)``, ``TreeSHAP`` (its base is the training patients' mean output) or ``Shapley values against
        the typical patient`` (followed by the standard error where they were sampled).
    """

    amounts: np.ndarray
    base: float
    scale: str
    method: str


class Predictor(Protocol):
    """A trained function of scaled inputs, shape (rows, inputs), float64."""

    kind: str
    warnings: tuple[str, ...]
    """What a reader of any result must know, e.g. that another version of a library trained it."""

    def output(self, x: np.ndarray) -> np.ndarray:
        """Return the probability (or, of a threshold, the value), shape (rows,)."""

    def interval(self, x: np.ndarray) -> tuple[float, float] | None:
        """Return the 95 % interval of the output of one row, shape (inputs,), where the predictor knows one."""

    def contributions(self, x: np.ndarray, typical: np.ndarray) -> Contributions:
        """Return how each input of one row, shape (inputs,), moved the output away from that of `typical`."""

    def parts(self) -> tuple[dict[str, object], Mapping[str, bytes]]:
        """Return the JSON object ``predictor`` of model.json, with its ``kind``, and the weight files by name."""
