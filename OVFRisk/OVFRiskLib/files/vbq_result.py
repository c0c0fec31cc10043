"""What `ovfrisk vbq` leaves behind: the measurements, the regions, pictures of both, and the run manifest."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..analysis import image_record
from ..anatomy import Region, Structure
from ..errors import UserError, import_optional
from ..image import LabelMap, Modality, Volume
from ..models.catalogue import published_models
from ..models.facts import Facts
from ..models.scoring import Scored, score
from ..provenance import software
from ..vbq.comparability import acquisition_facts
from ..vbq.exam import VbqResult, VbqSettings
from ..vbq.score_places import Place, places_on
from .segmentation_file import write_segmentation
from .tables import write_measurements


@dataclass(frozen=True)
class VbqExam:
    """One measured exam with what is known of how it came about.

    Parameters
    ----------
    subject : str
        A code, never a name.
    images : mapping of Modality to Volume
        As they were read; `result.volumes` are those that were measured (without shading where that was asked for).
    settings : VbqSettings
    result : VbqResult
    told : mapping
        How the places of the bodies were told, and which series were taken; for the run manifest.
    caveats : tuple of str
        Of the images and of what was given.
    """

    subject: str
    images: Mapping[Modality, Volume]
    settings: VbqSettings
    result: VbqResult
    told: Mapping[str, object]
    caveats: tuple[str, ...] = ()

    @cached_property
    def scores(self) -> tuple[Scored, ...]:
        """The scores beside the published cut-offs."""
        facts = Facts(
            acquisitions={sequence: image.acquisition for sequence, image in self.result.volumes.items()},
            settings={"vbq_statistic": self.settings.statistic},
        )
        models = (model for model in published_models() if model.card.modality is not Modality.CT)
        return score(models, self.result.measurements, facts)

    @cached_property
    def all_caveats(self) -> tuple[str, ...]:
        """The caveats, with what reading and correcting changed in the images."""
        volumes = self.result.volumes
        changed = (f"{sequence}: {text}" for sequence, image in volumes.items() for text in image.corrections)
        return tuple(dict.fromkeys((*self.caveats, *changed)))

    @property
    def reference(self) -> Modality:
        """The first sequence that the regions lie on unmoved."""
        volumes, motions = self.result.volumes, self.result.regions.motions
        return next((sequence for sequence in volumes if sequence not in motions), next(iter(volumes)))

    def places(self, sequence: Modality) -> tuple[Place, ...]:
        """Return where the regions were measured on a sequence."""
        return places_on(sequence, self.result.regions, self.settings.exclude, self.settings.correct_motion)


def write_vbq_exam(folder: Path, exam: VbqExam, seconds: Callable[[], float]) -> None:
    """Write everything into an existing folder.

    ``measurements.csv``, ``regions.json`` (`Regions.to_dict` with the hashes of the images), ``regions.seg.nrrd`` (what
    was measured, on the reference sequence's grid), a picture of each sequence, ``positions.png`` (the scores among the
    published groups, where there are scores) and ``run.json``.

    Parameters
    ----------
    folder : Path
    exam : VbqExam
    seconds : function
        How long it took so far.

    Raises
    ------
    UserError
        When a file cannot be written, or matplotlib is missing.
    """
    write_measurements(folder / "measurements.csv", exam.result.measurements)
    _write_json(folder / "regions.json", _regions(exam))
    reference = exam.reference
    write_segmentation(folder / "regions.seg.nrrd", region_map(exam.result.volumes[reference], exam.places(reference)))
    _draw(folder, exam)
    _write_json(folder / "run.json", {**_manifest(exam), "seconds": round(seconds(), 3)})


def region_map(volume: Volume, places: tuple[Place, ...]) -> LabelMap:
    """Return the voxels of `volume` that are measured in each region; what is left out is background."""
    array = np.zeros(volume.array.shape, dtype=np.uint8)
    for number, place in enumerate(places, start=1):
        box = place.roi.box_on(volume)
        if box is None:
            continue
        inside = place.roi.covers(volume, box)
        for part in place.left_out:
            inside &= ~part.covers(volume, box)
        array[box][inside] = number
    labels = {number: _named(place.region) for number, place in enumerate(places, start=1)}
    return LabelMap(array, volume.ijk_to_ras, labels, "regions")


def _named(region: Region) -> Region:
    """Return a region as segment files name it: CSF has no level there."""
    return Region(Structure.CSF) if region.part is Structure.CSF else region


def _regions(exam: VbqExam) -> dict:
    hashes = {str(sequence): image.hash for sequence, image in exam.images.items()}
    return {"subject": exam.subject, "images": hashes, **exam.result.regions.to_dict()}


def _draw(folder: Path, exam: VbqExam) -> None:
    import_optional("matplotlib", "Drawing the regions")
    from .figures.charts import score_chart
    from .figures.mr import mr_sequence
    from .figures.style import write_picture

    for sequence, volume in exam.result.volumes.items():
        places = exam.places(sequence)
        if places:
            drawn = mr_sequence(sequence, volume, places, exam.subject)
            write_picture(folder / f"{sequence.lower()}.png", drawn.uri)
    positions = score_chart(exam.scores, "png")
    if positions is not None:
        write_picture(folder / "positions.png", positions.uri)


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    try:
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error


def _manifest(exam: VbqExam) -> dict[str, object]:
    """Return what `run.json` holds."""
    regions, settings = exam.result.regions, exam.settings
    return {
        "subject": exam.subject,
        "software": software(),
        "settings": {**asdict(settings), "regions": asdict(regions.settings)},
        "reference": str(exam.reference),
        "images": {
            str(sequence): image_record(image) | {"facts": acquisition_facts(image)}
            for sequence, image in exam.images.items()
        },
        **exam.told,
        "motions": {str(sequence): _motion(exam, sequence) for sequence in regions.motions},
        "exclusions": [
            {"region": str(e.region), "kind": str(e.kind), "note": e.note, "left_out": settings.exclude}
            for e in regions.exclusions
        ],
        "missing": {str(region): why for region, why in regions.missing.items()},
        "region_notes": {str(roi.region): roi.note for roi in regions if roi.note},
        "models": {scored.model.id: asdict(scored.prediction) for scored in exam.scores},
        "caveats": exam.all_caveats,
        "disclaimer": "Comparisons with published groups, no diagnosis.",
    }


def _motion(exam: VbqExam, sequence: Modality) -> dict[str, object]:
    motion = exam.result.regions.motions[sequence]
    return {
        "anterior_mm": round(motion.anterior_mm, 2),
        "up_mm": round(motion.up_mm, 2),
        "rotation_deg": round(motion.rotation_deg, 2),
        "largest_mm": round(motion.largest_mm, 2),
        "corrected": motion.trusted and exam.settings.correct_motion,
        "note": motion.note,
    }
