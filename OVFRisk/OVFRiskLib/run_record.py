"""What a run manifest says of an analysis: what it was made with and from."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from .calibration import DensityLine
from .ct_analysis import CtResult
from .fingerprints import named_fingerprints
from .image import Modality, Volume
from .provenance import software

if TYPE_CHECKING:
    from .analysis import Patient, Settings


def run_record(
    patient: "Patient",
    settings: "Settings",
    ct: CtResult,
    density: DensityLine | str,
    volumes: Mapping[Modality, Volume],
    seconds: Mapping[str, float],
) -> dict:
    """Return versions, what is known of the patient, settings, hashes of the inputs and timings."""
    return {
        "software": software(),
        "patient": {"sex": patient.sex, "age": patient.age, "phase": patient.phase, "synthetic": patient.synthetic},
        "calibration": density.as_dict() if isinstance(density, DensityLine) else None,
        "proposed_phase": {"phase": ct.phase.phase, "reason": ct.phase.reason} if ct.phase else None,
        "settings": settings_record(settings),
        "features_taken": [str(region) for region in ct.features_taken],
        "ct_regions": named_fingerprints(patient.ct_labels),
        "cortical_shells": {str(level): asdict(shell) for level, shell in ct.shells.items()},
        "segmentation": patient.segmentation,
        "images": {str(modality): image_record(volume) for modality, volume in volumes.items()},
        "label_maps": {
            name: labels.hash
            for name, labels in (
                ("CT", patient.ct_labels),
                ("CT structures", patient.structures),
                ("MR", patient.mr_labels),
            )
            if labels
        },
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
    }


def settings_record(settings: "Settings") -> dict:
    """Return what a run manifest says of the settings."""
    return {
        "protocol": {"name": settings.protocol.name, "id": settings.protocol.id},
        "levels": settings.levels,
        "parts": settings.parts,
        "vbq": asdict(settings.vbq),
        "compartments": asdict(settings.peel),
        "trabecular": asdict(settings.trabecular),
        "heights": asdict(settings.heights),
        "muscle": asdict(settings.muscle),
        "models": [model.id for model in settings.models],
        "phase_correction": asdict(settings.correction) if settings.correction else None,
    }


def image_record(volume: Volume) -> dict:
    """Return what a run manifest says of an image."""
    return {
        "hash": volume.hash,
        "size_ijk": volume.array.shape[::-1],
        "spacing_mm": [round(float(s), 4) for s in volume.spacing],
        "orientation": volume.orientation,
        "acquisition": dict(volume.acquisition),
        "corrections": volume.corrections,
    }
