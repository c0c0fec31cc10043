"""One patient, everything: the main job of every front end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from time import perf_counter

import numpy as np

from .anatomy import Compartment, Region, VertebralLevel
from .attenuation import Phase, PhaseCorrection, TrabecularSettings, checked
from .calibration import CalibrationRequest, DensityLine, density_line
from .caveats import fracture_caveats, image_caveats, patient_caveats
from .ct_analysis import CtResult, Report, analyze_ct
from .ct_features import FEATURE_PARTS, EarlierFeatures, FeatureRequest
from .errors import UserError
from .files.read_features import feature_measurements
from .image import LabelMap, Modality, Volume
from .level_measurements import CtSettings
from .measurement import MeasurementTable
from .models.catalogue import published_models
from .models.facts import Facts
from .models.model import Model
from .models.scoring import Scored, score
from .morphometry import HeightSettings
from .muscle import MuscleSettings
from .radiomics import Features, Protocol
from .run_record import image_record, run_record  # noqa: F401 - others take image_record from here
from .segmentation.compartments import PeelSettings
from .segmentation.level_check import LevelQuality
from .segmentation.seeds import Seed
from .vbq import Regions
from .vbq.exam import VbqResult, VbqSettings, measure_exam


@dataclass(frozen=True)
class Patient:
    """What is known and was imaged of one patient.

    Parameters
    ----------
    subject : str
        A code, never a name.
    ct : Volume, optional
    ct_labels : LabelMap, optional
        Vertebrae on the CT; on any grid.
    mr : mapping of Modality to Volume
        T1, T2, STIR.
    mr_labels : LabelMap, optional
        Vertebral bodies on the MRI; in place of it
    mr_clicks : tuple of Seed
        a point in each body on the MRI.
    sex : str, optional
        ``F`` or ``M``; unknown stays unknown.
    age : float, optional
        Years.
    phase : Phase, optional
        Contrast phase of the CT; unknown stays unknown.
    calibration : CalibrationRequest, optional
        A scanner's line, the rods of a phantom in the scan, or the patient's own muscle and fat.
    structures : LabelMap, optional
        Muscles, vessels and rods on the CT; None where `ct_labels` holds them.
    synthetic : bool
        Whether the images were simulated.
    segmentation : mapping, optional
        How `ct_labels` were made, where an engine did it.
    """

    subject: str
    ct: Volume | None = None
    ct_labels: LabelMap | None = None
    mr: Mapping[Modality, Volume] = field(default_factory=dict)
    mr_labels: LabelMap | None = None
    mr_clicks: tuple[Seed, ...] = ()
    sex: str | None = None
    age: float | None = None
    phase: Phase | None = None
    calibration: CalibrationRequest | None = None
    structures: LabelMap | None = None
    synthetic: bool = False
    segmentation: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        if self.ct is None and not self.mr:
            raise UserError("There is no image to analyse.", "Give a CT, or a T1, T2 or STIR image.")
        if (self.ct is None) != (self.ct_labels is None):
            raise UserError("A CT needs a label map of its vertebrae, and a label map its CT.", "Give both.")
        if bool(self.mr) != (self.mr_labels is not None or bool(self.mr_clicks)):
            raise UserError(
                "MR images need a label map of the vertebral bodies or clicks in them, and these their images.",
                "Give both.",
            )


@dataclass(frozen=True)
class Settings:
    """How to analyse; every field is part of the result's provenance.

    Parameters
    ----------
    protocol : Protocol
        Of the radiomics features.
    levels : tuple of VertebralLevel, optional
        Which levels to measure; None for all from T1 to L6 that are labelled.
    vbq : VbqSettings
        How bone quality is measured on MRI, and which levels are fractured.
    peel, trabecular, heights, muscle, correction
        How each part of the CT is measured; a correction for contrast medium leaves the uncorrected value.
    models : tuple of Model
        Applied besides those that are published for these images.
    """

    protocol: Protocol
    levels: tuple[VertebralLevel, ...] | None = None
    vbq: VbqSettings = VbqSettings()
    peel: PeelSettings = PeelSettings()
    trabecular: TrabecularSettings = TrabecularSettings()
    heights: HeightSettings = HeightSettings()
    muscle: MuscleSettings = MuscleSettings()
    correction: PhaseCorrection | None = None
    models: tuple[Model, ...] = ()
    parts: tuple[Compartment, ...] = FEATURE_PARTS  # whose features are extracted


@dataclass(frozen=True)
class Analysis:
    """Everything that was found; what is written, shown and scored."""

    subject: str
    volumes: Mapping[Modality, Volume]
    compartments: LabelMap | None
    levels: tuple[LevelQuality, ...]
    regions: Regions
    measurements: MeasurementTable
    features: Mapping[Region, Features]
    scores: tuple[Scored, ...]
    caveats: tuple[str, ...]
    run: Mapping[str, object]
    structures: LabelMap | None = None  # on the CT's grid: muscles, vessels
    vbq_places: tuple[bool, bool] = (True, True)  # exclusions left out, motion corrected
    height_lines: Mapping[VertebralLevel, Mapping[str, np.ndarray]] = field(default_factory=dict)  # (2, 3) RAS mm
    feature_masks: Mapping[Region, str] = field(default_factory=dict)  # fingerprints of what the features describe


def analyze(patient: Patient, settings: Settings, report: Report, earlier: EarlierFeatures | None = None) -> Analysis:
    """Analyse one patient; from an earlier analysis the features of what is still the same are taken.

    Raises
    ------
    UserError
        When images and label maps do not fit each other, or nothing can be measured.
    """
    started = perf_counter()
    density = _density(patient)
    ct = _analyze_ct(patient, settings, density, report, earlier)
    after_ct = perf_counter()
    report(0.9, "Measuring vertebral bone quality on MRI")
    mr = _analyze_mr(patient, settings)
    volumes = {**({Modality.CT: patient.ct} if patient.ct else {}), **mr.volumes}
    measurements = ct.measurements + mr.measurements
    return Analysis(
        subject=patient.subject,
        volumes=volumes,
        compartments=ct.compartments,
        levels=ct.levels,
        regions=mr.regions,
        measurements=measurements,
        features=ct.features,
        scores=score(
            _models(patient, settings),
            measurements + feature_measurements(patient.subject, ct.features),
            _facts_of(patient, volumes, settings),
        ),
        caveats=(
            *patient_caveats(patient, ct, density),
            *image_caveats(patient, volumes),
            *ct.caveats,
            *fracture_caveats(ct, patient, settings),
        ),
        run=run_record(
            patient, settings, ct, density, volumes, {"ct": after_ct - started, "mr": perf_counter() - after_ct}
        ),
        structures=ct.structures,
        vbq_places=(settings.vbq.exclude, settings.vbq.correct_motion),
        height_lines=ct.height_lines,
        feature_masks=ct.feature_masks,
    )


def _density(patient: Patient) -> DensityLine | str:
    """Return the line from attenuation to density, or the reason why there is none."""
    if patient.ct is None:
        return "there is no CT"
    labels = patient.structures or patient.ct_labels
    return density_line(patient.calibration, patient.ct, labels, patient.phase, date.today())


def _analyze_ct(
    patient: Patient,
    settings: Settings,
    density: DensityLine | str,
    report: Report,
    earlier: EarlierFeatures | None,
) -> CtResult:
    if patient.ct is None:
        return CtResult()
    how = CtSettings(
        settings.peel,
        settings.trabecular,
        settings.heights,
        settings.muscle,
        patient.phase,
        checked(settings.correction, patient.phase) if settings.correction else None,
        density,
    )
    return analyze_ct(
        patient.subject,
        patient.ct,
        patient.ct_labels,
        settings.levels,
        how,
        FeatureRequest(settings.protocol, settings.parts, earlier),
        report,
        patient.structures,
    )


def _analyze_mr(patient: Patient, settings: Settings) -> VbqResult:
    if not patient.mr:
        return VbqResult({}, Regions(()), MeasurementTable())
    where = {"bodies": patient.mr_labels, "clicks": patient.mr_clicks}
    return measure_exam(patient.mr, settings.vbq, patient.subject, **where)


def _models(patient: Patient, settings: Settings) -> tuple[Model, ...]:
    """Return the published models of the modalities that were imaged, and those that were asked for."""
    imaged = {True: patient.ct is not None, False: bool(patient.mr)}
    published = [model for model in published_models() if imaged[model.card.modality is Modality.CT]]
    return tuple({model.id: model for model in (*published, *settings.models)}.values())


def _facts_of(patient: Patient, volumes: Mapping[Modality, Volume], settings: Settings) -> Facts:
    return Facts(
        sex=patient.sex,
        age=patient.age,
        phase=None if patient.phase is None else str(patient.phase),
        acquisitions={modality: volume.acquisition for modality, volume in volumes.items()},
        settings={"vbq_statistic": settings.vbq.statistic},
        synthetic=patient.synthetic,
    )
