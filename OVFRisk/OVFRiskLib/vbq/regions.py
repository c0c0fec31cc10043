"""The regions of one exam, and how they were proposed."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from .roi import Roi, checked, parse_region


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
    csf_radius_mm : float
        Largest radius of the CSF circle.
    csf_search_mm : float
        How far to both sides of the level's midline CSF is looked for.
    csf_adjacent_below_mm : float
        Under this radius at L3 an adjacent level with a larger one is taken.
    csf_least_radius_mm : float
        A smaller circle is no CSF region.
    parasagittal_beyond_mm : float
        A body whose midline lies further from the common plane gets a plane of its own (scoliosis).
    """

    inset_mm: float = 4.0
    half_thickness_mm: float = 1.5
    csf_band_mm: tuple[float, float] = (2.0, 24.0)
    csf_radius_mm: float = 5.0
    csf_search_mm: float = 2.0
    csf_adjacent_below_mm: float = 2.0
    csf_least_radius_mm: float = 1.5
    parasagittal_beyond_mm: float = 4.0


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
    """

    rois: tuple[Roi, ...]
    missing: Mapping[Region, str] = field(default_factory=dict)
    settings: RegionSettings = RegionSettings()

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
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> Self:
        """Return the regions that `to_dict` described.

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
            ),
        )
