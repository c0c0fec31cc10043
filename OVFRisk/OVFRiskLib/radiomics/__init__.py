"""Radiomics: PyRadiomics' features, computed here (IBSI identifiers beside each)."""

from .extraction import Features, extract
from .protocol import Protocol, protocol_names
from .regions import LabelMasks, extract_regions, refused, try_regions

__all__ = [
    "Features",
    "LabelMasks",
    "Protocol",
    "extract",
    "extract_regions",
    "protocol_names",
    "refused",
    "try_regions",
]
