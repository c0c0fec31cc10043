"""The value itself, to be compared with cut-offs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Contributions
from .reading import check_keys, check_parts, refused, row_of, rows_of


@dataclass(frozen=True)
class ThresholdPredictor:
    """The single input, unscaled."""

    kind: ClassVar[str] = "threshold"
    warnings: ClassVar[tuple[str, ...]] = ()

    def output(self, x: np.ndarray) -> np.ndarray:
        """Return the value, shape (rows,)."""
        return rows_of(x, 1)[:, 0]

    def interval(self, x: np.ndarray) -> None:
        """Return None: the uncertainty is the measurement's, which a predictor does not see."""

    def contributions(self, x: np.ndarray, typical: np.ndarray) -> Contributions:
        """Return how far the value lies from the typical one."""
        value, base = row_of(x, 1), row_of(typical, 1)
        return Contributions(value - base, float(base[0]), "value", "exact (linear)")

    def parts(self) -> tuple[dict[str, object], Mapping[str, bytes]]:
        """Return the JSON object, and no weight files."""
        return {"kind": self.kind}, {}


def read(spec: Mapping, parts: Mapping[str, bytes], inputs: int) -> ThresholdPredictor:
    """Return the predictor of a checked `spec`."""
    check_keys(spec, ("kind",))
    check_parts(parts, ())
    if inputs != 1:
        raise refused(f"a threshold compares one input, the model has {inputs}")
    return ThresholdPredictor()
