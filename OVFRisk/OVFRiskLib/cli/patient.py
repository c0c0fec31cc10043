"""Commands about a patient: analyse one, make a synthetic one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ..analysis import Analysis, Patient, Settings, analyze
from ..anatomy import VertebralLevel, label_schemes
from ..attenuation import Phase
from ..calibration import Calibration
from ..ct_analysis import Report
from ..ct_segmentation import segment_ct
from ..errors import UserError
from ..files.read_images import read_volume
from ..files.read_labels import read_labels
from ..files.result_folder import result_folder
from ..image import LabelMap, Modality, Volume
from ..phantom import Anatomy, Fracture, Phantom, PhantomSettings, make_cohort, make_patient, write_patient
from ..radiomics import Protocol
from ..results import print_summary, progress_bar, write_analysis
from .options import Out, Overwrite, Segmenting, Subject, grouped

Seed = Annotated[int, typer.Option(help="The same seed gives the same patient.", min=0)]
DEFAULT_PROTOCOL = "ct-original"
GIVEN = Segmenting()
"""No engine: the label map is given."""


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
    fractured: Annotated[str | None, typer.Option(help="Fractured levels that VBQ leaves out, e.g. L2.")] = None,
    protocol: Annotated[str, typer.Option(help="Radiomics protocol: a name or a JSON file.")] = DEFAULT_PROTOCOL,
    statistic: Annotated[str, typer.Option(help="How VBQ combines levels: mean or median.")] = "mean",
    phase: Annotated[Phase | None, typer.Option(help="Contrast phase of the CT.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="JSON file with the scanner's HU to density line.")] = None,
    sex: Annotated[str | None, typer.Option(help="F or M.")] = None,
    age: Annotated[float | None, typer.Option(help="Years.", min=0, max=120)] = None,
    subject: Subject = "patient",
    overwrite: Overwrite = False,
) -> None:
    """Analyse one patient's CT, MRI or both, and write tables, segmentation, scene and report to OUT."""
    settings = Settings(
        protocol=Protocol.load(protocol),
        levels=VertebralLevel.span(levels) if levels else None,
        fractured=VertebralLevel.span(fractured) if fractured else (),
        statistic=statistic,
    )
    with result_folder(out, overwrite) as folder, progress_bar() as report:
        sequences = {Modality.T1: t1, Modality.T2: t2, Modality.STIR: stir}
        volume = read_volume(ct, Modality.CT) if ct else None
        vertebrae, made, left = _vertebrae(volume, _labels(labels, scheme, "--scheme"), how, report)
        patient = Patient(
            subject=subject,
            ct=volume,
            ct_labels=vertebrae,
            mr={modality: read_volume(path, modality) for modality, path in sequences.items() if path},
            mr_labels=_labels(mr_labels, mr_scheme or scheme, "--mr-scheme"),
            sex=sex,
            age=age,
            phase=phase,
            calibration=Calibration.load(calibration) if calibration else None,
            synthetic=_made_by_us([ct, t1, t2, stir]),
            segmentation=made,
        )
        analysis = _run(patient, settings, folder, left)
    print_summary(analysis, out)


def phantom_command(
    out: Out,
    seed: Seed = 1,
    fracture: Annotated[list[str] | None, typer.Option(help="LEVEL:KIND:LOSS, e.g. L1:wedge:0.30.")] = None,
    spacing: Annotated[float, typer.Option(help="CT voxel size, mm.", min=0.5, max=5)] = 1.0,
    anatomy: Annotated[Anatomy, typer.Option(help="Which vertebrae there are.")] = Anatomy.USUAL,
    cohort: Annotated[int | None, typer.Option(help="Make this many patients, one folder each.", min=1)] = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a synthetic patient (CT, T1, T2, STIR, label maps) with a table of everything that was set."""
    if cohort and fracture:
        raise UserError("--fracture is for one patient.", "Leave it out: a cohort draws its fractures from the seed.")
    if cohort and anatomy is not Anatomy.USUAL:
        raise UserError("--anatomy is for one patient.", "Leave it out: a cohort's patients have the usual anatomy.")
    fractures = tuple(Fracture.parse(text) for text in fracture or ())
    one = PhantomSettings(seed=seed, spacing=spacing, fractures=fractures, anatomy=anatomy)
    with result_folder(out, overwrite) as folder:
        if cohort:
            _write_cohort(folder, cohort, seed, spacing)
        else:
            write_patient(make_patient(one), folder)
    typer.echo(f"Synthetic data: {out}")


def demo_command(out: Out, seed: Seed = 1, overwrite: Overwrite = False) -> None:
    """Make a synthetic patient with a fracture, analyse it, and show the result."""
    fracture = Fracture(VertebralLevel.L1, "wedge", 0.30)
    with result_folder(out, overwrite) as folder:
        phantom = make_patient(PhantomSettings(seed=seed, fractures=(fracture,)))
        for part in ("patient", "result"):
            (folder / part).mkdir()
        (folder / "demo.json").write_text(f'{{"synthetic": true, "seed": {seed}}}\n')
        write_patient(phantom, folder / "patient")
        settings = Settings(Protocol.load(DEFAULT_PROTOCOL), fractured=(fracture.level,))
        with progress_bar() as report:
            analysis = _run(_patient(phantom), settings, folder / "result", report)
    print_summary(analysis, out / "result")


def _patient(phantom: Phantom) -> Patient:
    return Patient(
        subject=phantom.subject,
        ct=phantom.ct,
        ct_labels=phantom.labels,
        mr={Modality.T1: phantom.t1, Modality.T2: phantom.t2, Modality.STIR: phantom.stir},
        mr_labels=phantom.mr_bodies,
        sex=phantom.settings.sex,
        age=phantom.settings.age,
        phase=Phase.NONE,
        synthetic=True,
    )


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


def _run(patient: Patient, settings: Settings, folder: Path, report: Report) -> Analysis:
    analysis = analyze(patient, settings, report)
    write_analysis(analysis, folder, report)
    return analysis


def _write_cohort(folder: Path, count: int, seed: int, spacing: float) -> None:
    with progress_bar() as report:
        for n, settings in enumerate(make_cohort(count, seed, spacing)):
            report(n / count, f"Making patient {n + 1} of {count}")
            phantom = make_patient(settings)
            (folder / phantom.subject).mkdir()
            write_patient(phantom, folder / phantom.subject)
    (folder / "phantom.json").write_text(f'{{"synthetic": true, "cohort": {count}, "seed": {seed}}}\n')
