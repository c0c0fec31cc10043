"""What a feature is: its PyRadiomics name, its IBSI identifier and its formula."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

EPSILON = 2.0**-52
"""PyRadiomics adds this inside its logarithms and divisions; left out, its values differ in the ninth digit."""


class Undefined(Exception):
    """A feature, or a class of features, has no value for this region; the message says why."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a class.

    Parameters
    ----------
    name : str
        PyRadiomics' name within the class, e.g. ``Idmn``.
    ibsi : str
        Permanent identifier in the IBSI reference manual (Zwanenburg et al., Radiology 2020;295:328-338);
        empty where IBSI does not define the feature.
    tag : str
        Key of the reference value in IBSI's tables; empty as above.
    formula : callable
        What the class measured (matrix, mesh, intensities) to the value; raises Undefined where there is none.
    optional : bool
        Only when named in a protocol: PyRadiomics calls these deprecated.
    """

    name: str
    ibsi: str
    tag: str
    formula: Callable[[Any], float]
    optional: bool = False
