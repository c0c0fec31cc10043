"""``ovfrisk segment``: the vertebrae of a CT as a label map, with a picture and a judgement of each level."""

import json
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from ..analysis import image_record
from ..anatomy import Compartment
from ..ct_analysis import Report
from ..ct_segmentation import Segmentation, segment_ct
from ..errors import import_optional
from ..events import tell
from ..files.read_images import read_volume
from ..files.result_folder import result_folder
from ..files.segmentation_file import write_segmentation
from ..files.write_images import write_labels
from ..image import Modality, Volume
from ..jobs import Kind
from ..provenance import software
from ..results import progress_bar
from ..segmentation.compartments import PeelSettings, vertebra
from ..segmentation.level_quality import LevelQuality
from .options import Out, Overwrite, Segmenting, grouped


@grouped
def segment_command(
    out: Out,
    ct: Annotated[Path, typer.Option(help="CT: NIfTI, NRRD, MetaImage or a DICOM folder.")],
    how: Segmenting,
    compartments: Annotated[
        bool, typer.Option("--compartments", help="Split the bodies into cortical and cancellous bone.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Find the vertebrae on a CT, and write label maps, an overlay and the run manifest to OUT."""
    request = how.request()
    with result_folder(out, overwrite) as folder, progress_bar() as report:
        started = perf_counter()
        volume = read_volume(ct, Modality.CT)
        found = segment_ct(volume, how.engine, request, report, PeelSettings() if compartments else None)
        write_segmented(folder, volume, found, perf_counter() - started, report)
    _print_result(found, out)


def write_segmented(folder: Path, ct: Volume, found: Segmentation, seconds: float, report: Report) -> None:
    """Write ``segmentation.seg.nrrd``, ``labels.nii.gz``, ``overlay.png`` and ``run.json`` into an existing folder."""
    report(0.96, "Writing the label maps")
    write_segmentation(folder / "segmentation.seg.nrrd", found.labels)
    write_labels(folder / "labels.nii.gz", found.labels)
    report(0.98, "Drawing the overlay")
    _write_overlay(folder / "overlay.png", ct, found)
    manifest = {
        "software": software(),
        "segmentation": found.settings,
        "scheme": "ovfrisk",
        "image": image_record(ct),
        "label_map": found.labels.hash,
        "levels": [_judged(quality) for quality in found.levels],
        "corrections": found.labels.corrections,
        "seconds": round(seconds, 3),
    }
    (folder / "run.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    report(1.0, "Done")


def _judged(quality: LevelQuality) -> dict:
    return {
        "level": quality.level,
        "usable": quality.usable,
        "quality": round(quality.score, 3),
        "reasons": quality.reasons,
        "statements": quality.statements,
    }


def _write_overlay(path: Path, ct: Volume, found: Segmentation) -> None:
    import_optional("matplotlib", "Drawing the overlay")
    from ..files.figures.ct import ct_overview
    from ..files.figures.style import write_picture

    labels = found.labels
    vertebrae = labels.restricted(region for region in labels.regions if region.part in set(Compartment))
    drawn = ct_overview(ct, vertebrae, found.levels)
    write_picture(path, drawn.uri)


def _print_result(found: Segmentation, out: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("Level", "Volume mL", "Quality", "Remarks", title=f"Vertebrae ({found.settings['engine']})")
    for quality in found.levels:
        volume = vertebra(found.labels, quality.level).volume_mm3 / 1000
        state = f"{quality.score:.2f}" if quality.usable else "not measured"
        remarks = "; ".join(filter(None, (quality.note, *quality.statements)))
        table.add_row(quality.level, f"{volume:.1f}", state, remarks)
    console = Console()
    console.print(table)
    for text in found.labels.corrections:
        console.print(f"! {text}", highlight=False, markup=False)
        tell(Kind.WARNING, text=text)
    console.print(
        f"\nSegmentation: {out.absolute() / 'segmentation.seg.nrrd'}", highlight=False, markup=False, soft_wrap=True
    )
