"""Proposes what stays outside of a body's region: vessels, haemangiomas, sclerosis, Schmorl's nodes.

Huang et al., Global Spine J 2025, doi:10.1177/21925682251339995: "abnormal vertebral areas, such as hemangioma, venous
plexus, and sclerosis, were excluded". Oedema is not left out: it may be an acute fracture, which a reader must see.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from scipy import ndimage

from ..anatomy import Region, VertebralLevel
from ..image import Modality, Volume
from ..level_frame import spine_directions
from .exclusions_kinds import STIR, T1, T2, ExclusionKind, kind_of
from .exclusions_signal import Chart, Contrast, contrast, spread_of
from .motion import apply, centres
from .plane import floats
from .regions import Regions
from .roi import Roi, checked, parse_region
from .sampling import STEP_MM

_SEQUENCES = (T1, T2, STIR)
_EDGE = 0.4  # of the largest difference: half would be the edge of an even part
_SPREAD_OVER_OTHERS = 1.5  # a body may be this much more mottled than the others
_FEWEST_OTHERS = 2
_LOST = 0.5  # of a region: what is left hardly stands for the level


@dataclass(frozen=True)
class ExclusionSettings:
    """What is noticed.

    Parameters
    ----------
    least_change : float
        Share of the body's usual signal; marrow that is only mottled stays under it.
    spreads : float
        Robust standard deviations of the body's smoothed signal.
    least_mm2 : float
        A circle of 4 mm: smaller parts change a mean over a body by little.
    solidity : float
        Share of its convex outline that a part fills.
    margin_mm : float
        Left out around a part: the pixels that it shares.
    oedema_ratio : float
        A body's signal on STIR (over that on T1, where there is one) over that of the other bodies, from which it is
        spoken of as oedema.
    """

    least_change: float = 0.15
    spreads: float = 4.0
    least_mm2: float = 12.0
    solidity: float = 0.6
    margin_mm: float = 0.75
    oedema_ratio: float = 1.4


DEFAULT = ExclusionSettings()


@dataclass(frozen=True)
class Exclusion:
    """A part of a region that is left out of its mean.

    Parameters
    ----------
    region : Region
        The region that it is a part of.
    kind : ExclusionKind
    outline : tuple of tuples of float, shape (n, 2)
        Corners of the closed polygon in the plane of the region's ROI, mm.
    note : str

    Raises
    ------
    ValueError
        When the outline has no area or a number is not finite.
    """

    region: Region
    kind: ExclusionKind
    outline: tuple[tuple[float, float], ...]
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", ExclusionKind(self.kind))
        object.__setattr__(self, "outline", floats(self.outline, (None, 2)))
        u, v = np.array(self.outline).T
        if abs(np.sum(u * np.roll(v, -1) - np.roll(u, -1) * v)) <= 0:
            raise ValueError("the outline of an exclusion encloses an area")

    def as_roi(self, roi: Roi) -> Roi:
        """Return it as a region of the same plane and thickness as the region that it is a part of."""
        return replace(roi, outline=self.outline, note=self.note)

    def to_dict(self) -> dict:
        """Return plain data for JSON."""
        return {
            "region": str(self.region),
            "kind": str(self.kind),
            "outline": [list(corner) for corner in self.outline],
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> Self:
        """Return the exclusion that `to_dict` described.

        Raises
        ------
        UserError
            When something is missing or impossible.
        """
        return checked(
            data, lambda d: cls(parse_region(d["region"]), ExclusionKind(d["kind"]), d["outline"], str(d["note"]))
        )


@dataclass(frozen=True)
class ExclusionProposal:
    """What is proposed to be left out, and what a reader must look at.

    Parameters
    ----------
    exclusions : tuple of Exclusion
        From head to foot.
    remarks : mapping of Region to str
        Oedema and unknown parts, which stay in; regions that lose more than half.
    shares : mapping of Region to float
        Share of each region that is left out.
    """

    exclusions: tuple[Exclusion, ...] = ()
    remarks: Mapping[Region, str] = field(default_factory=dict)
    shares: Mapping[Region, float] = field(default_factory=dict)


def propose_exclusions(
    volumes: Mapping[Modality, Volume], regions: Regions, settings: ExclusionSettings = DEFAULT
) -> ExclusionProposal:
    """Propose what to leave out of the bodies' regions.

    In each region parts are looked for whose smoothed signal is far from that of the body's usual marrow, on any
    sequence. What they are is told by their place and by all sequences together.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        T1, T2 and STIR as far as there are.
    regions : Regions
        Trusted motions move the regions of their sequence.
    settings : ExclusionSettings
    """
    given = {sequence: volumes[sequence] for sequence in _SEQUENCES if sequence in volumes}
    charts = _charts(regions)
    signals = {
        (level, sequence): chart.signal(volume, _on(sequence, chart.roi, regions))
        for level, chart in charts.items()
        for sequence, volume in given.items()
    }
    spreads = {sequence: _usual_spread(charts, signals, sequence) for sequence in given}
    found, remarks, shares = [], defaultdict(list), {}
    for level, chart in charts.items():
        region, contrasts = chart.roi.region, {}
        for sequence, spread in spreads.items():
            shown = contrast(chart, sequence, signals[level, sequence], settings.least_change, spread, settings.spreads)
            contrasts |= {sequence: shown} if shown is not None else {}
        own, remarks[region] = _look(chart, contrasts, settings)
        found, shares[region] = found + own, _share(chart, own)
        if shares[region] > _LOST:
            remarks[region].append(f"{shares[region]:.0%} would be left out: leave out the level instead?")
    for level, remark in _oedema(charts, signals, settings):
        remarks[charts[level].roi.region].append(remark)
    return ExclusionProposal(tuple(found), {where: "; ".join(said) for where, said in remarks.items() if said}, shares)


def _charts(regions: Regions) -> dict[VertebralLevel, Chart]:
    bodies = regions.bodies
    ups = spine_directions(centres(bodies)) if bodies else {}
    in_plane = {level: np.array(roi.plane.axes) @ ups[level] for level, roi in bodies.items()}
    return {level: Chart(roi, in_plane[level] / np.linalg.norm(in_plane[level])) for level, roi in bodies.items()}


def _on(sequence: Modality, roi: Roi, regions: Regions) -> Roi:
    """Return where the region lies on a sequence."""
    motion = regions.motions.get(sequence)
    return apply(roi, motion) if motion is not None and motion.trusted else roi


Signals = Mapping[tuple[VertebralLevel, Modality], np.ndarray]


def _usual_spread(charts: Mapping[VertebralLevel, Chart], signals: Signals, sequence: Modality) -> float:
    """Return the largest spread that is taken for noise and texture: a body with a large lesion has more of it."""
    spreads = [spread_of(chart, signals[level, sequence]) for level, chart in charts.items()]
    known = [spread for spread in spreads if np.isfinite(spread)]
    return _SPREAD_OVER_OTHERS * float(np.median(known)) if known else np.inf


def _look(
    chart: Chart, contrasts: Mapping[Modality, Contrast], settings: ExclusionSettings
) -> tuple[list[Exclusion], list[str]]:
    """Return a body's exclusions and remarks; a part that is seen on several sequences is taken once."""
    found, said = [], []
    taken = np.zeros(chart.inside.shape, dtype=bool)
    candidates = [
        (float(np.abs(shown.excess[part]).sum()), part)
        for shown in contrasts.values()
        for sign in (1, -1)
        for part in chart.parts(sign * shown.excess >= 1, settings.least_mm2)
        for part in (_grown(sign * shown.excess, part),)
    ]
    for _, part in sorted(candidates, key=lambda candidate: -candidate[0]):
        if np.mean(taken[part]) > 0.5:
            continue
        hull = chart.hull(part, 0.0)
        if hull is None or np.count_nonzero(part) * STEP_MM**2 < settings.solidity * _area(hull):
            continue
        taken |= part
        kind, note = kind_of(chart, contrasts, part)
        if kind is None:
            said.append(note)
        else:
            found.append(Exclusion(chart.roi.region, kind, chart.hull(part, settings.margin_mm), note))
    return found, list(dict.fromkeys(said))


def _grown(excess: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return the part within its true edge: where it is 0.4 times as different as at its most different."""
    most = float(np.percentile(excess[part], 90))
    labels, _ = ndimage.label(excess >= min(max(1.0, _EDGE * most), most / 2))
    return np.isin(labels, np.setdiff1d(labels[part], 0))


def _area(corners: np.ndarray) -> float:
    u, v = corners.T
    return float(abs(np.sum(u * np.roll(v, -1) - np.roll(u, -1) * v)) / 2)


def _share(chart: Chart, exclusions: list[Exclusion]) -> float:
    """Return the share of the region that all of its exclusions cover together."""
    if not exclusions:
        return 0.0
    places = np.zeros(np.count_nonzero(chart.inside), dtype=bool)
    for exclusion in exclusions:
        places |= chart.covered(exclusion.outline)
    return float(places.mean())


def _oedema(
    charts: Mapping[VertebralLevel, Chart], signals: Signals, settings: ExclusionSettings
) -> Iterator[tuple[VertebralLevel, str]]:
    """Return the bodies that are as a whole brighter on STIR than the others, and not brighter on T1.

    With T1 there, the ratio of both is compared: oedema changes it twice, the coil's shading not at all.
    """
    usual = {key: float(np.median(signal[charts[key[0]].inside])) for key, signal in signals.items()}
    ratios = {level: usual[level, STIR] / usual.get((level, T1), 1.0) for level in charts if (level, STIR) in usual}
    named = "STIR over T1" if any(sequence is T1 for _, sequence in usual) else "STIR"
    for level, own in ratios.items():
        others = [ratio for other, ratio in ratios.items() if other != level and np.isfinite(ratio)]
        if len(others) >= _FEWEST_OTHERS and own >= settings.oedema_ratio * np.median(others):
            more = own / np.median(others) - 1
            yield level, f"{named} is {more:.0%} higher than in the other bodies: oedema, perhaps an acute fracture"
