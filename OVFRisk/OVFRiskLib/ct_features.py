"""Radiomics features of the parts of a CT's vertebrae; after an edit only of those that have changed.

An update gives what a fresh analysis gives. Bone, heights and muscle are measured again, on every level: the frames of
all levels follow from all of them together. The features of a region hang on image, mask and protocol alone, so those
that are still the same are taken from the earlier analysis.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from .anatomy import Compartment, Region, VertebralLevel
from .errors import UserError
from .fingerprints import region_fingerprints
from .image import LabelMap, Volume
from .level_measurements import PARTS
from .radiomics import Features, LabelMasks, Protocol, refused, try_regions

Report = Callable[[float, str], None]  # share done (0-1), what is being done

FEATURE_PARTS = (Compartment.WHOLE, Compartment.CORTICAL, Compartment.CANCELLOUS)


@dataclass(frozen=True)
class EarlierFeatures:
    """Features of an earlier analysis, to be taken over where image, mask and protocol are the same.

    Parameters
    ----------
    image : str
        Hash of the CT.
    features : mapping of Region to Features
    masks : mapping of Region to str
        Fingerprint of what each describes.
    """

    image: str
    features: Mapping[Region, Features]
    masks: Mapping[Region, str]

    def of(self, region: Region, image: str, mask: str, protocol_id: str) -> Features | None:
        """Return the features of a region; None where they would be others now."""
        found = self.features.get(region)
        same = found and (self.image, self.masks.get(region), found.protocol_id) == (image, mask, protocol_id)
        return found if same else None


@dataclass(frozen=True)
class FeatureRequest:
    """Which features to extract.

    Parameters
    ----------
    protocol : Protocol
    parts : collection of Compartment
    earlier : EarlierFeatures, optional
        To be taken over where they would be the same.
    """

    protocol: Protocol
    parts: Collection[Compartment] = FEATURE_PARTS
    earlier: EarlierFeatures | None = None


@dataclass(frozen=True)
class Described:
    """Features of every region, the fingerprints of what they describe, and those that were taken over."""

    features: Mapping[Region, Features]
    masks: Mapping[Region, str]
    taken: tuple[Region, ...]


def extract_features(
    request: FeatureRequest, levels: Iterable[VertebralLevel], ct: Volume, compartments: LabelMap, report: Report
) -> Described:
    """Return the features of the parts of some levels; a region that cannot be described has them absent."""
    masks = _feature_masks(levels, request.parts, compartments)
    taken = _taken(request.earlier, ct.hash, masks, request.protocol)
    features = _features(masks, taken, ct, compartments, request.protocol, report)
    return Described(features, masks, tuple(taken))


def _feature_masks(
    levels: Iterable[VertebralLevel], parts: Collection[Compartment], compartments: LabelMap
) -> dict[Region, str]:
    """Return the regions to describe, each with the fingerprint of its mask."""
    known = region_fingerprints(compartments)
    regions = [Region(part, level) for level in levels for part in parts]
    return {region: "+".join(known[part] for part in _parts(region) if part in known) for region in regions}


def _parts(region: Region) -> tuple[Region, ...]:
    return tuple(Region(part, region.level) for part in PARTS[region.part])


def _taken(
    earlier: EarlierFeatures | None, image: str, masks: Mapping[Region, str], protocol: Protocol
) -> dict[Region, Features]:
    """Return the features that an earlier analysis has of the same masks."""
    if earlier is None:
        return {}
    same = {region: earlier.of(region, image, mask, protocol.id) for region, mask in masks.items()}
    return {region: features for region, features in same.items() if features}


def _features(
    regions: Collection[Region],
    taken: Mapping[Region, Features],
    ct: Volume,
    compartments: LabelMap,
    protocol: Protocol,
    report: Report,
) -> dict[Region, Features]:
    """Return the features of all regions, those that were not taken over extracted."""
    left = {region: _parts(region) for region in regions if region not in taken}
    if not left:
        return dict(taken)
    masks = LabelMasks(compartments, left)
    found = try_regions(ct, masks, protocol, lambda share, what: report(0.3 + 0.6 * share, what))
    told = {
        region: refused(features, protocol) if isinstance(features, UserError) else features
        for region, features in found.items()
    }
    return {region: taken.get(region) or told[region] for region in regions}
