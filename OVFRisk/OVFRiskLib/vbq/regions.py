"""The regions of one exam, and how they were proposed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Self

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..image import Modality
from .motion import Motion
from .roi import Roi, checked, parse_region

if TYPE_CHECKING:
    from .exclusions import Exclusion


@dataclass(frozen=True)
class RegionSettings:
    """How regions are proposed.

    Parameters
    ----------
    inset_mm : float
        Distance of a body region from the edge of the body's mask on the sagittal plane.
    half_thickness_mm : float
        Half thickness of every region: 1.5 is three slices of 1 mm.
    csf_band_mm : tuple of float
        Where behind the posterior wall CSF is looked for.
    csf_radius_mm, csf_half_length_mm : float
        Largest half width and half length of the CSF region, an ellipse along the posterior wall.
    csf_margin_mm : float
        Distance that the CSF region keeps from the edge of the CSF where there is room: readers differ by that much.
    csf_search_mm : float
        How far to both sides of the level's midline CSF is looked for.
    csf_adjacent_below_mm : float
        With CSF of less than this half width at L3 an adjacent level is taken.
    csf_least_radius_mm : float
        Half width of the narrowest CSF region.
    csf_narrow_share, csf_narrow_mm : float
        A sac narrower than this share of the adjacent levels' sacs, or than this, sends the CSF region to an adjacent
        level (`stenosis`).
    csf_level : VertebralLevel, optional
        Where a user wants the CSF region; None for L3, or an adjacent level where L3's sac is narrow.
    parasagittal_beyond_mm : float
        A body whose midline lies further from the common plane gets a plane of its own (scoliosis).
    """

    inset_mm: float = 4.0
    half_thickness_mm: float = 1.5
    csf_band_mm: tuple[float, float] = (2.0, 24.0)
    csf_radius_mm: float = 5.0
    csf_half_length_mm: float = 8.0
    csf_margin_mm: float = 2.0
    csf_search_mm: float = 2.0
    csf_adjacent_below_mm: float = 2.0
    csf_least_radius_mm: float = 1.5
    csf_narrow_share: float = 0.6
    csf_narrow_mm: float = 7.0
    csf_level: VertebralLevel | None = None
    parasagittal_beyond_mm: float = 4.0

    def __post_init__(self) -> None:
        if self.csf_level is not None:
            object.__setattr__(self, "csf_level", VertebralLevel(self.csf_level))


@dataclass(frozen=True)
class Regions:
    """The regions of one exam, the reasons for those that could not be proposed, and how they were proposed.

    Parameters
    ----------
    rois : tuple of Roi
        From head to foot, the CSF last.
    missing : mapping of Region to str
        Why a region is not there.
    settings : RegionSettings
    exclusions : tuple of Exclusion
        Parts of the regions that are no healthy marrow, each in the plane of its region.
    motions : mapping of Modality to Motion
        How the patient moved before a sequence, against the one that the regions were drawn on.
    """

    rois: tuple[Roi, ...]
    missing: Mapping[Region, str] = field(default_factory=dict)
    settings: RegionSettings = RegionSettings()
    exclusions: tuple["Exclusion", ...] = ()
    motions: Mapping[Modality, Motion] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len({roi.region for roi in self.rois}) != len(self.rois):
            raise ValueError("two outlines of one region")
        if len([roi for roi in self.rois if roi.region.part is Structure.CSF]) > 1:
            raise ValueError("two CSF regions: which one is the reference?")

    def __iter__(self) -> Iterator[Roi]:
        return iter(self.rois)

    def __len__(self) -> int:
        return len(self.rois)

    @property
    def bodies(self) -> dict[VertebralLevel, Roi]:
        """The body regions by level."""
        return {roi.region.level: roi for roi in self.rois if isinstance(roi.region.part, Compartment)}

    @property
    def csf(self) -> Roi | None:
        """The CSF region."""
        return next((roi for roi in self.rois if roi.region.part is Structure.CSF), None)

    @property
    def why_no_csf(self) -> str:
        """Why there is no CSF region."""
        reasons = [why for region, why in self.missing.items() if region.part is Structure.CSF]
        return "; ".join(reasons) or "there is no CSF region"

    def to_dict(self) -> dict:
        """Return plain data for JSON."""
        return {
            "rois": [roi.to_dict() for roi in self.rois],
            "missing": {str(region): reason for region, reason in self.missing.items()},
            "settings": {**asdict(self.settings), "csf_band_mm": list(self.settings.csf_band_mm)},
            "exclusions": [exclusion.to_dict() for exclusion in self.exclusions],
            "motions": {str(sequence): motion.to_dict() for sequence, motion in self.motions.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> Self:
        """Return the regions that `to_dict` described; files from before exclusions and motions are read, too.

        Raises
        ------
        UserError
            When something is missing or impossible.
        """
        return checked(
            data,
            lambda d: cls(
                tuple(Roi.from_dict(roi) for roi in d["rois"]),
                {parse_region(text): str(reason) for text, reason in d["missing"].items()},
                RegionSettings(**{**d["settings"], "csf_band_mm": tuple(d["settings"]["csf_band_mm"])}),
                _exclusions(d.get("exclusions", ())),
                {Modality(name): Motion.from_dict(entry) for name, entry in d.get("motions", {}).items()},
            ),
        )


def _exclusions(entries: Iterable[Mapping]) -> tuple["Exclusion", ...]:
    if not entries:
        return ()
    from .exclusions import Exclusion

    return tuple(Exclusion.from_dict(entry) for entry in entries)
