"""Proposes where vertebral bone quality is measured: a region in each body and one in the CSF, mid-sagittal.

Huang et al., Global Spine J 2025, doi:10.1177/21925682251339995: mid-sagittal slice, parasagittal in scoliosis; L1-L4,
T12 and L5 as substitutes; CSF at L3 or an adjacent level.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from scipy import ndimage

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..errors import UserError
from ..image import LabelMap, Modality, Volume
from .csf import propose_csf
from .regions import Regions, RegionSettings
from .roi import Roi
from .sampling import STEP_MM
from .sections import Section, find_sections

LEVELS = VertebralLevel.span("T12-L5")
SEQUENCES = (Modality.T1, Modality.T2, Modality.STIR)
DEFAULT = RegionSettings()
_RAYS = 60


def propose_regions(
    volumes: Mapping[Modality, Volume],
    bodies: LabelMap,
    levels: Iterable[VertebralLevel] = LEVELS,
    settings: RegionSettings = DEFAULT,
) -> Regions:
    """Propose the regions of one exam.

    The sagittal plane is the slice of the label map's own grid nearest to the median of the midlines of L1-L4: the
    technician laid those slices along the spine. A body whose midline is far from it gets a plane of its own.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        T1, T2 and STIR as far as there are; each on its own grid.
    bodies : LabelMap
        Vertebral bodies (or whole vertebrae, of which the part in front of the canal is taken); on any grid.
    levels : iterable of VertebralLevel
        Where body regions are wanted.
    settings : RegionSettings

    Raises
    ------
    UserError
        When there is no sequence, or no level of the label map is wanted.
    """
    _sequences(volumes)  # before the label map is looked at
    sections, reasons = find_sections(bodies.reoriented("RAS"), levels, settings)
    return propose_from_sections(volumes, sections, reasons, settings)


def propose_from_sections(
    volumes: Mapping[Modality, Volume],
    sections: Mapping[VertebralLevel, Section],
    missing: Mapping[VertebralLevel, str],
    settings: RegionSettings = DEFAULT,
) -> Regions:
    """Propose the regions of one exam from the sections of its bodies, however these were found.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        T1, T2 and STIR as far as there are; each on its own grid.
    sections : mapping of VertebralLevel to Section
        Each body on its sagittal plane.
    missing : mapping of VertebralLevel to str
        Why a level has no section.
    settings : RegionSettings

    Raises
    ------
    UserError
        When there is no sequence.
    """
    sequences = _sequences(volumes)
    rois = {level: _body_roi(section, settings) for level, section in sections.items()}
    reasons = {Region(Compartment.BODY, level): reason for level, reason in missing.items()}
    csf = propose_csf(sequences, sections, rois, settings)
    if isinstance(csf, str):
        return Regions(tuple(rois.values()), {**reasons, Region(Structure.CSF, VertebralLevel.L3): csf}, settings)
    return Regions((*rois.values(), csf), reasons, settings)


def _sequences(volumes: Mapping[Modality, Volume]) -> dict[Modality, Volume]:
    sequences = {sequence: volumes[sequence] for sequence in SEQUENCES if sequence in volumes}
    if not sequences:
        raise UserError("There is no T1, T2 or STIR image to measure bone quality on.", "Give at least one of them.")
    return sequences


def _body_roi(section: Section, settings: RegionSettings) -> Roi:
    """Return the outline of what lies deeper than the inset; in a flat body the inset is half its greatest depth."""
    depth = ndimage.distance_transform_edt(section.inside, sampling=STEP_MM)  # the samples reach beyond the body
    depth = np.where(section.inside, depth - STEP_MM / 2, 0.0)
    notes = list(section.notes)
    inset = settings.inset_mm
    if inset > depth.max() / 2:
        inset = float(depth.max() / 2)
        notes.append(f"a flat body: the region keeps {inset:.1f} mm from its edge instead of {settings.inset_mm:g} mm")
    outline = _outline(section, depth, inset)
    region = Region(Compartment.BODY, section.level)
    return Roi(region, section.plane, outline, settings.half_thickness_mm, "; ".join(notes))


def _outline(section: Section, depth: np.ndarray, inset: float) -> np.ndarray:
    """Return where rays from the deepest part first come nearer to the edge than the inset, shape (n, 2), mm."""
    deepest = np.argwhere(depth >= 0.98 * depth.max())
    centre = deepest[np.argmin(((deepest - deepest.mean(axis=0)) ** 2).sum(axis=1))]
    angles = np.linspace(0, 2 * np.pi, _RAYS, endpoint=False)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    along = np.arange(0, sum(depth.shape), 0.25)  # in samples
    rays = centre[:, None, None] + directions[:, :, None] * along
    values = ndimage.map_coordinates(depth, rays, order=1, mode="constant")
    reach = along[np.argmax(values < inset, axis=1) - 1]
    corners = centre[:, None] + directions * reach
    return np.array([section.u[0], section.v[0]]) + corners.T * STEP_MM
