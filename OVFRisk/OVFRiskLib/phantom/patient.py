"""One synthetic patient: images, label maps and the truth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..anatomy import VertebralLevel
from ..image import LabelMap, Modality, Volume
from ..level_frame import LevelFrame
from ..measurement import MeasurementTable
from .ct import ct_array, ct_raster, vertical_span
from .labels import mr_bodies_array, scheme_regions, structure_array, with_vertebrae
from .mr import mr_array, mr_raster
from .mr_changes import SEQUENCES
from .scene import Patterns, draw_scene
from .settings import PhantomSettings
from .spine import Spine, build_spine
from .table import CalibrationRod, calibration_rods, paint_table
from .trunk import Trunk
from .truth import truth_table

_CT = {"KVP": "120", "Manufacturer": "OVFRisk (synthetic)"}
_MR = {"MagneticFieldStrength": "1.5", "Manufacturer": "OVFRisk (synthetic)"}


@dataclass(frozen=True)
class Phantom:
    """A synthetic patient.

    Parameters
    ----------
    settings : PhantomSettings
    subject : str
        ``phantom-<seed>``.
    ct, t1, t2, stir : Volume
        Axial CT in HU; sagittal MR. All in one patient space.
    labels : LabelMap
        On the CT: whole vertebrae (T10, cut by the image's top, to L5) and structures.
    compartments : LabelMap
        On the CT: cortical, cancellous and posterior bone of each vertebra, and structures.
    mr_bodies : LabelMap
        On the MR: bodies, discs, spinal canal, and pure CSF.
    truth : MeasurementTable
        Everything that was set.
    frames : mapping of VertebralLevel to LevelFrame
        Where each whole level's body stands, RAS.
    """

    settings: PhantomSettings
    subject: str
    ct: Volume
    t1: Volume
    t2: Volume
    stir: Volume
    labels: LabelMap
    compartments: LabelMap
    mr_bodies: LabelMap
    truth: MeasurementTable
    frames: Mapping[VertebralLevel, LevelFrame]


def make_patient(settings: PhantomSettings) -> Phantom:
    """Make the patient of these settings; the same settings give the same bytes."""
    spine, patterns = build_spine(settings), Patterns.drawn(settings.seed)
    back = Trunk(settings, spine).bounds(np.linspace(*vertical_span(spine), 60))[1]
    rods = calibration_rods(settings, back)
    frames = {level: _placed(spine[level].frame, settings) for level in settings.levels[1:-1]}
    return Phantom(
        settings=settings,
        subject=settings.subject,
        **_ct_images(settings, spine, patterns, rods, back),
        **_mr_images(settings, spine, patterns),
        truth=truth_table(settings, spine, rods, patterns),
        frames=frames,
    )


def _placed(frame: LevelFrame, settings: PhantomSettings) -> LevelFrame:
    return LevelFrame(frame.origin + settings.position, frame.axes)


def _ct_images(
    settings: PhantomSettings, spine: Spine, patterns: Patterns, rods: list[CalibrationRod], back: float
) -> dict[str, Volume | LabelMap]:
    raster = ct_raster(settings, spine)
    scene = draw_scene(settings, spine, patterns, raster)
    paint_table(scene, back)
    matrix, regions = raster.ijk_to_ras(settings.position), scheme_regions()
    structures = structure_array(scene, rods, organs=settings.has_organs)
    labels, compartments = (
        raster.centres(with_vertebrae(structures, scene, divided=divided)) for divided in (False, True)
    )
    return {
        "ct": Volume(ct_array(scene, settings, rods), matrix, Modality.CT, settings.subject, acquisition=_CT),
        "labels": LabelMap(labels, matrix, regions),
        "compartments": LabelMap(compartments, matrix, regions),
    }


def _mr_images(settings: PhantomSettings, spine: Spine, patterns: Patterns) -> dict[str, Volume | LabelMap]:
    raster = mr_raster(settings, spine)
    scene = draw_scene(settings, spine, patterns, raster)
    matrix = raster.ijk_to_ras(settings.position)
    images: dict[str, Volume | LabelMap] = {
        name: Volume(
            mr_array(scene, settings, spine, name),
            matrix,
            Modality(name.upper()),
            settings.subject,
            acquisition={**_MR, **settings.mr_acquisition.get(name, {})},
        )
        for name in SEQUENCES
    }
    return {**images, "mr_bodies": LabelMap(mr_bodies_array(scene), matrix, scheme_regions())}
