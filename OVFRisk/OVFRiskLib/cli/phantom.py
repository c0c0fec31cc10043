"""Commands about synthetic patients: make one or many, show what the analysis makes of one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ..analysis import Patient, Settings
from ..anatomy import VertebralLevel
from ..attenuation import Phase
from ..calibration import RodPhantom
from ..errors import UserError
from ..files.result_folder import result_folder
from ..image import Modality
from ..phantom import (
    EVENT_SHARE,
    Anatomy,
    Fracture,
    Lesion,
    Phantom,
    PhantomSettings,
    follow_up,
    make_cohort,
    make_patient,
    parse_acquisition,
    parse_motion,
    parse_stenosis,
    write_follow_up,
    write_patient,
)
from ..radiomics import Protocol
from ..results import print_summary, progress_bar
from ..vbq.exam import VbqSettings
from .options import Out, Overwrite, grouped
from .patient import DEFAULT_PROTOCOL, run_analysis

Seed = Annotated[int, typer.Option(help="The same seed gives the same patient.", min=0)]


@dataclass(frozen=True)
class OnePatient:
    """Options of one synthetic patient; a cohort draws its own."""

    fracture: Annotated[list[str] | None, typer.Option(help="LEVEL:KIND:LOSS, e.g. L1:wedge:0.30.")] = None
    anatomy: Annotated[Anatomy, typer.Option(help="Which vertebrae there are.")] = Anatomy.USUAL
    lesion: Annotated[list[str] | None, typer.Option(help="LEVEL:KIND, e.g. L2:haemangioma or L3:metal.")] = None
    phase: Annotated[Phase, typer.Option(help="Contrast phase of the CT.")] = Phase.NONE
    noise: Annotated[float, typer.Option(help="Noise of the CT, HU; 60 is a low dose.", min=0, max=200)] = 12.0
    scoliosis: Annotated[float, typer.Option(help="Degrees.", min=-40, max=40)] = 0.0
    motion: Annotated[
        list[str] | None, typer.Option(help="SEQUENCE:ANTERIOR,UP,ROTATION in mm and degrees, e.g. t2:3,-2,4.")
    ] = None
    stenosis: Annotated[list[str] | None, typer.Option(help="LEVEL:SHARE of the canal, e.g. L3:0.5.")] = None
    shading: Annotated[float, typer.Option(help="Signal change from L1 to L4 on MRI, %.", min=-80, max=80)] = 0.0
    acquisition: Annotated[
        list[str] | None, typer.Option(help="SEQUENCE:KEYWORD=VALUE, e.g. t1:MagneticFieldStrength=3.")
    ] = None

    def settings(self, seed: int, spacing: float) -> PhantomSettings:
        """Return the settings of the patient."""
        facts: dict[str, dict[str, str]] = {}
        for sequence, keyword, value in map(parse_acquisition, self.acquisition or ()):
            facts.setdefault(sequence, {})[keyword] = value
        return PhantomSettings(
            seed=seed,
            spacing=spacing,
            fractures=tuple(map(Fracture.parse, self.fracture or ())),
            anatomy=self.anatomy,
            lesions=tuple(map(Lesion.parse, self.lesion or ())),
            phase=self.phase,
            noise_hu=self.noise,
            scoliosis=self.scoliosis,
            motion=dict(map(parse_motion, self.motion or ())),
            stenosis=dict(map(parse_stenosis, self.stenosis or ())),
            shading_percent=self.shading,
            mr_acquisition=facts,
        )


USUAL = OnePatient()


@grouped
def phantom_command(
    out: Out,
    seed: Seed = 1,
    spacing: Annotated[float, typer.Option(help="CT voxel size, mm.", min=0.5, max=5)] = 1.0,
    one: OnePatient = USUAL,
    cohort: Annotated[int | None, typer.Option(help="Make this many patients, one folder each.", min=1)] = None,
    event_share: Annotated[
        float | None,
        typer.Option(help="Of a cohort: who has a new fracture later, as clinical.csv says; 0.33 where not given."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a synthetic patient (CT, T1, T2, STIR, label maps) with a table of everything that was set."""
    if cohort and one != USUAL:
        raise UserError(
            "--cohort goes with --seed, --spacing and --event-share only.",
            "Leave the rest out: a cohort draws it from the seed.",
        )
    if event_share is not None and not cohort:
        raise UserError("--event-share is about a cohort.", "Add --cohort, or leave it out.")
    settings = one.settings(seed, spacing)
    with result_folder(out, overwrite) as folder:
        if cohort:
            _write_cohort(folder, cohort, seed, spacing, EVENT_SHARE if event_share is None else event_share)
        else:
            write_patient(make_patient(settings), folder)
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
        settings = Settings(Protocol.load(DEFAULT_PROTOCOL), vbq=VbqSettings(fractured=(fracture.level,)))
        with progress_bar() as report:
            analysis = run_analysis(_patient(phantom), settings, folder / "result", report)
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
        calibration=RodPhantom(phantom.settings.rods),
        synthetic=True,
    )


def _write_cohort(folder: Path, count: int, seed: int, spacing: float, event_share: float) -> None:
    followed = follow_up(list(make_cohort(count, seed, spacing)), event_share)
    with progress_bar() as report:
        for n, settings in enumerate(followed.patients):
            report(n / count, f"Making patient {n + 1} of {count}")
            phantom = make_patient(settings)
            (folder / phantom.subject).mkdir()
            write_patient(phantom, folder / phantom.subject)
    write_follow_up(followed, seed, folder)
    (folder / "phantom.json").write_text(f'{{"synthetic": true, "cohort": {count}, "seed": {seed}}}\n')
    typer.echo(f"New fractures after the scan: {followed.fracture.sum()} of {count} patients (clinical.csv).")
