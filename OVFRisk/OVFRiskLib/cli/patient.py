"""The command that analyses a patient."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ..analysis import Analysis, Patient, Settings, analyze
from ..anatomy import VertebralLevel, label_schemes
from ..ct_analysis import Report
from ..ct_features import EarlierFeatures
from ..ct_segmentation import segment_ct
from ..errors import UserError
from ..files.read_images import read_volume
from ..files.read_labels import read_labels
from ..files.read_seeds import read_seeds
from ..files.result_folder import result_folder
from ..image import LabelMap, Modality, Volume
from ..models.catalogue import model_of
from ..radiomics import Protocol
from ..results import print_summary, progress_bar, write_analysis
from .ct_facts import CtFacts
from .options import Models, Out, Overwrite, Segmenting, Subject, grouped
from .update import Update, earlier_features
from .vbq_inputs import How

DEFAULT_PROTOCOL = "ct-original"
GIVEN = Segmenting()
"""No engine: the label map is given."""
NOTHING_KNOWN = CtFacts()
AS_USUAL = How()
ALL_ANEW = Update()


@grouped
def analyze_command(  # noqa: PLR0913, PLR0917 - one argument an option
    out: Out,
    ct: Annotated[Path | None, typer.Option(help="CT: NIfTI, NRRD, MetaImage or a DICOM folder.")] = None,
    how: Segmenting = GIVEN,
    labels: Annotated[Path | None, typer.Option(help="Label map of the vertebrae on the CT; else --engine.")] = None,
    scheme: Annotated[str | None, typer.Option(help="What the labels mean: see the README.")] = None,
    t1: Annotated[Path | None, typer.Option(help="Sagittal T1.")] = None,
    t2: Annotated[Path | None, typer.Option(help="Sagittal T2.")] = None,
    stir: Annotated[Path | None, typer.Option(help="Sagittal STIR.")] = None,
    mr_labels: Annotated[Path | None, typer.Option(help="Label map of the vertebral bodies on the MRI.")] = None,
    mr_scheme: Annotated[str | None, typer.Option(help="Label scheme of --mr-labels; else as --scheme.")] = None,
    levels: Annotated[str | None, typer.Option(help="Levels to measure, e.g. T11-L2 or L1,L3.")] = None,
    mr_clicks: Annotated[
        Path | None, typer.Option(help="Points in the vertebral bodies on the MRI, in place of --mr-labels.")
    ] = None,
    vbq: How = AS_USUAL,
    protocol: Annotated[str, typer.Option(help="Radiomics protocol: a name or a JSON file.")] = DEFAULT_PROTOCOL,
    known: CtFacts = NOTHING_KNOWN,
    model: Models = None,
    sex: Annotated[str | None, typer.Option(help="F or M.")] = None,
    age: Annotated[float | None, typer.Option(help="Years.", min=0, max=120)] = None,
    again: Update = ALL_ANEW,
    subject: Subject = "patient",
    overwrite: Overwrite = False,
) -> None:
    """Analyse one patient's CT, MRI or both, and write tables, segmentation, scene and report to OUT."""
    settings = Settings(
        protocol=Protocol.load(protocol),
        levels=VertebralLevel.span(levels) if levels else None,
        vbq=vbq.settings(edited=False),
        trabecular=known.trabecular,
        correction=known.correction(),
        models=tuple(model_of(name) for name in dict.fromkeys(model or ())),
        parts=known.measured_parts,
    )
    with result_folder(out, overwrite) as folder, progress_bar() as report:
        sequences = {Modality.T1: t1, Modality.T2: t2, Modality.STIR: stir}
        volume = known.acquired(read_volume(ct, Modality.CT)) if ct else None
        vertebrae, made, left = _vertebrae(volume, _labels(labels, scheme, "--scheme"), how, report)
        patient = Patient(
            subject=subject,
            ct=volume,
            ct_labels=vertebrae,
            mr={modality: read_volume(path, modality) for modality, path in sequences.items() if path},
            mr_labels=_labels(mr_labels, mr_scheme or scheme, "--mr-scheme"),
            mr_clicks=read_seeds(mr_clicks) if mr_clicks else (),
            sex=sex,
            age=age,
            phase=known.phase,
            calibration=known.request(),
            structures=_labels(known.structures, known.structures_scheme or scheme, "--structures-scheme"),
            synthetic=known.synthetic or _made_by_us([ct, t1, t2, stir]),
            segmentation=made,
        )
        earlier = earlier_features(again, patient, settings)
        analysis = run_analysis(patient, settings, folder, left, earlier, tables_only=again.tables_only)
    print_summary(analysis, out)


def _made_by_us(images: list[Path | None]) -> bool:
    """Whether an image lies in the folder of a phantom patient: it must never pass for a real one."""
    return any(path and (path.parent / "phantom.json").exists() for path in images)


def _labels(path: Path | None, scheme: str | None, option: str) -> LabelMap | None:
    if path is None:
        return None
    if scheme is None and not path.name.endswith(".seg.nrrd"):
        raise UserError(
            f"What the labels in {path.name} mean is not known.",
            f"Add {option} with one of: {', '.join(label_schemes())}.",
        )
    return read_labels(path, scheme)


def _vertebrae(
    ct: Volume | None, given: LabelMap | None, how: Segmenting, report: Report
) -> tuple[LabelMap | None, Mapping[str, object] | None, Report]:
    """Return the label map to measure, how an engine made it, and the report of the work that is left."""
    if how == GIVEN:
        return given, None, report
    request = how.request()
    if ct is None or given is not None:
        raise UserError("--engine is for a CT without --labels.", "Give the CT and either --labels or --engine.")
    found = segment_ct(ct, how.engine, request, lambda share, what: report(0.4 * share, what))
    return found.labels, found.settings, lambda share, what: report(0.4 + 0.6 * share, what)


def run_analysis(
    patient: Patient,
    settings: Settings,
    folder: Path,
    report: Report,
    earlier: EarlierFeatures | None = None,
    *,
    tables_only: bool = False,
) -> Analysis:
    """Analyse a patient and write the result."""
    analysis = analyze(patient, settings, report, earlier)
    write_analysis(analysis, folder, report, tables_only=tables_only)
    return analysis
