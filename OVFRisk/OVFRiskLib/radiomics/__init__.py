"""Radiomics: PyRadiomics' features, computed here (IBSI identifiers beside each)."""

from .extraction import Features, extract
from .protocol import Protocol, protocol_names

__all__ = ["Features", "Protocol", "extract", "protocol_names"]
