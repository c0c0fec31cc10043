"""Finds the CSF of the thecal sac behind a lumbar body: the reference signal of vertebral bone quality.

Huang et al., Global Spine J 2025, doi:10.1177/21925682251339995: at L3, or adjacent levels where L3 displays stenosis.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..anatomy import Region, Structure, VertebralLevel
from ..image import Modality, Volume
from .csf_ellipse import Ellipse, largest_ellipse
from .csf_map import map_csf, posterior_wall, typical_marrow
from .regions import RegionSettings
from .roi import Roi
from .sections import Section
from .stenosis import sac_width, why_narrow

__all__ = ["posterior_wall", "propose_csf"]

_USUAL = VertebralLevel.L3
_ADJACENT = (VertebralLevel.L4, VertebralLevel.L2)
_OFFSET_COST = 0.1  # mm of the ellipse's worth that a mm of distance from the midline must gain


@dataclass(frozen=True)
class _Sac:
    """What was found behind one body."""

    ellipse: Ellipse | None
    width: float | None

    @property
    def half_width(self) -> float:
        return self.ellipse.half_width if self.ellipse else 0.0


def propose_csf(
    volumes: Mapping[Modality, Volume],
    sections: Mapping[VertebralLevel, Section],
    bodies: Mapping[VertebralLevel, Roi],
    settings: RegionSettings,
) -> Roi | str:
    """Return the CSF region at L3, or at L4 or L2 where L3's sac is too narrow; or the reason why there is none.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        The sequences of the exam; all that are given must agree that it is CSF.
    sections : mapping of VertebralLevel to Section
    bodies : mapping of VertebralLevel to Roi
        Their body regions: marrow is what CSF is compared with.
    settings : RegionSettings
        With a `csf_level` CSF is looked for there and nowhere else.
    """
    marrow = {sequence: typical_marrow(volume, bodies.values()) for sequence, volume in volumes.items()}
    wanted = (_USUAL, *_ADJACENT) if settings.csf_level is None else (settings.csf_level,)
    sacs = {level: _sac(volumes, marrow, sections[level], settings) for level in wanted if level in sections}
    level, notes = _chosen(sacs, settings)
    if level is None or sacs[level].half_width < settings.csf_least_radius_mm:
        return _not_found(volumes, wanted, sacs)
    if set(volumes) == {Modality.T1}:
        notes = (*notes, "CSF proposed on T1 alone, where nerve roots look like it: check the region")
    ellipse = sacs[level].ellipse
    region = Region(Structure.CSF, level)
    return Roi(region, ellipse.csf.plane, ellipse.outline(settings), settings.half_thickness_mm, "; ".join(notes))


def _sac(
    volumes: Mapping[Modality, Volume],
    marrow: Mapping[Modality, float],
    section: Section,
    settings: RegionSettings,
) -> _Sac:
    """Return the best ellipse of CSF on the planes near the level's midline, and the width of the sac on its plane."""
    wall = posterior_wall(section)
    best, most = None, -np.inf
    for offset in np.arange(-settings.csf_search_mm, settings.csf_search_mm + 0.5):
        csf = map_csf(volumes, marrow, section.plane.shifted(float(offset)), wall, settings.csf_band_mm)
        ellipse = largest_ellipse(csf, settings)
        worth = (ellipse.worth if ellipse else 0.0) - _OFFSET_COST * abs(offset)
        if ellipse and worth > most:
            best, most = ellipse, worth
    return _Sac(best, sac_width(best.csf) if best else None)


def _chosen(
    sacs: Mapping[VertebralLevel, _Sac], settings: RegionSettings
) -> tuple[VertebralLevel | None, tuple[str, ...]]:
    """Return the level of the CSF region and what has to be said about the choice."""
    widths = {level: sac.width for level, sac in sacs.items()}
    if settings.csf_level is not None:
        level = settings.csf_level if settings.csf_level in sacs else None
        said = () if level in (None, _USUAL) else (f"CSF taken at {level}, as was asked for",)
        return level, (*said, *_named(why_narrow(level, widths, settings) if level else ""))
    why = _why_not(_USUAL, sacs, widths, settings)
    if not why:
        return _USUAL, ()
    fit = [level for level in _ADJACENT if level in sacs and not _why_not(level, sacs, widths, settings)]
    candidates = fit or list(sacs)
    level = max(candidates, key=lambda where: sacs[where].half_width, default=None)
    if level is _USUAL:
        return level, (f"{why}, and the adjacent levels have no more room for CSF",)
    return level, (f"CSF taken at {level}: {why}",)


def _why_not(
    level: VertebralLevel,
    sacs: Mapping[VertebralLevel, _Sac],
    widths: Mapping[VertebralLevel, float | None],
    settings: RegionSettings,
) -> str:
    """Return why CSF should be taken elsewhere; empty where the level will do."""
    if level not in sacs:
        return f"there is no body at {level}"
    if sacs[level].half_width < settings.csf_adjacent_below_mm:
        wide = 2 * sacs[level].half_width
        narrow = why_narrow(level, widths, settings)
        return narrow or f"the CSF at {level} is only {wide:.1f} mm wide in front of the nerve roots"
    return why_narrow(level, widths, settings)


def _named(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _not_found(
    volumes: Mapping[Modality, Volume], wanted: tuple[VertebralLevel, ...], sacs: Mapping[VertebralLevel, _Sac]
) -> str:
    if not sacs:
        return f"no body at {_listed(wanted)} to look for CSF behind"
    reason = f"no CSF found on {' and '.join(volumes)} behind {', '.join(sorted(sacs))}"
    return reason if len(volumes) == 1 else f"{reason} alike: are the sequences swapped, or did the patient move?"


def _listed(levels: tuple[VertebralLevel, ...]) -> str:
    *first, last = levels
    return f"{', '.join(first)} or {last}" if first else str(last)
