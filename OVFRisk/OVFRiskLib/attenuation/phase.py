"""The contrast phase of a CT: an explicit input, never a silent default."""

from enum import StrEnum


class Phase(StrEnum):
    """Contrast phase of a CT."""

    NONE = "none"
    ARTERIAL = "arterial"
    PORTAL_VENOUS = "portal-venous"
