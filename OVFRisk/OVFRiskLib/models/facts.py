"""What is known of a patient besides the measurements, for scoring."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..image import Modality


@dataclass(frozen=True)
class Facts:
    """What was given, never assumed.

    Parameters
    ----------
    sex : str or None
        ``F`` or ``M``.
    age : float or None
        Years.
    phase : str or None
        Contrast phase of the CT.
    acquisitions : mapping of Modality to mapping of str to str
        How the images were acquired, by DICOM keyword; a modality that is not there is not known.
    settings : mapping of str to str
        How the measurements were made, e.g. ``{"vbq_statistic": "mean"}``; what is not there is not known.
    synthetic : bool
        Whether the images were simulated.
    """

    sex: str | None = None
    age: float | None = None
    phase: str | None = None
    acquisitions: Mapping[Modality, Mapping[str, str]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    synthetic: bool = False
