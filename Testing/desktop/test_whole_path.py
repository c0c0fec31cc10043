"""From images to a saved scene, through the view-models as a front end drives them: every job is the real one."""

import csv
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from OVFRiskLib.anatomy import Region, Structure, VertebralLevel
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import Modality

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk  # noqa: E402
from OVFRiskLib.mrml import add_segmentation, add_volume, save_bundle  # noqa: E402
from OVFRiskLib.panels.ct import Ct  # noqa: E402
from OVFRiskLib.panels.export import ExportPanel  # noqa: E402
from OVFRiskLib.panels.parameter_node import parameter_node  # noqa: E402
from OVFRiskLib.panels.parameters import CalibrationChoice, PhaseChoice, Sex  # noqa: E402
from OVFRiskLib.panels.score import ScorePanel  # noqa: E402
from OVFRiskLib.panels.segmentation import SegmentationPanel  # noqa: E402
from OVFRiskLib.panels.view import MessageKind, RowState  # noqa: E402

from .score_scene import edit  # noqa: E402
from .test_score_panel import reload  # noqa: E402

L1, L2, L3 = VertebralLevel.span("L1-L3")
LUMBAR = VertebralLevel.span("L1-L5")
OFF = np.ones(3)  # mm; from the middle of a body to the click


@pytest.fixture
def panels(phantom_session, tmp_path):
    """The phantom's images are chosen; the panels as a front end makes them."""
    session = phantom_session
    chosen = session.parameters
    chosen.calibration, chosen.rods = CalibrationChoice.RODS, "0,50,100,200"
    chosen.ct_whole = chosen.ct_cortical = chosen.ct_cancellous = False  # features take longest; `test_ct` has them
    chosen.export_folder = str(tmp_path / "out")
    for modality in ("t1", "t2", "stir"):  # CT only: VBQ has a test of its own
        setattr(chosen, modality, None)
    score = ScorePanel(session)
    made = SegmentationPanel(session), Ct(session), score, ExportPanel(session, score)
    yield made
    made[0].close()
    made[1].close()
    made[2].close()


def well(session, run_job) -> None:
    """Wait for the job; nothing may have gone wrong."""
    run_job(session)
    assert session.message.kind is not MessageKind.ERROR, session.message


def states(panel) -> set[RowState]:
    return {row.state for row in panel.table().rows}


def add_rods(session, phantom) -> None:
    """Choose what density is calibrated with: the phantom's rods, in a segmentation of their own."""
    rods = phantom.labels.restricted([Region(Structure.CALIBRATION_ROD)])
    session.parameters.structures = add_segmentation(session.scene, rods, session.parameters.ct)


def tables(ct) -> list:
    return [ct.tables.heights(), ct.tables.attenuation(), ct.tables.spine(), ct.tables.features()]


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_from_clicks_to_a_saved_scene(panels, phantom_session, phantom, run_job, tmp_path):
    segmentation, ct, score, export = panels
    session = phantom_session

    for level in (L1, L2, L3):
        point = phantom.frames[level].origin + OFF
        segmentation.seeding.ensure().AddControlPoint(vtk.vtkVector3d(*map(float, point)))
    segmentation.apply()
    well(session, run_job)
    add_rods(session, phantom)
    ct.measure()
    well(session, run_job)
    assert session.record.stale_levels == ()

    score.score()
    assert states(score) == {RowState.CURRENT}
    assert score.results[0].scored.prediction.value == session.record.table.value(name="vbmd_non_fractured")
    first = score.table()

    undo = edit(session, L2)
    assert ct.flush()
    assert session.record.stale_levels == (L2,)
    assert states(score) == {RowState.STALE}
    score.score()
    assert states(score) == {RowState.ABSENT}
    assert "out of date" in session.message.what
    export.choose("html", False)
    old = export.export(datetime(2026, 1, 1)).folder
    assert {row["state"] for row in rows_of(old, "measurements.csv") if row["level"] == "L2"} == {"stale"}

    undo()
    ct.flush()
    score.score()
    assert score.table() == first

    edit(session, L2)
    ct.update()
    well(session, run_job)
    assert session.record.stale_levels == ()
    score.score()
    assert states(score) == {RowState.CURRENT}
    new = export.export(datetime(2026, 1, 2)).folder
    assert {row["state"] for row in rows_of(new, "measurements.csv")} <= {"current", "absent"}
    assert rows_of(new, "scores.csv")[0]["state"] == "current"

    before = score.table(), [view.rows for view in tables(ct)], score.models.chosen
    save_bundle(session.scene, tmp_path / "scene.mrb")
    session.close()
    session.scene.Clear(False)
    reload(session.scene, tmp_path)
    session.open(parameter_node(session.scene))
    after = score.table(), [view.rows for view in tables(ct)], score.models.chosen
    assert after == before
    assert session.parameters.subject == phantom.subject
    edit(session, L1)
    score.settle()
    assert states(score) == {RowState.STALE}


def test_the_same_by_the_buttons_of_the_module(slicer_app, module, phantom, pytestconfig, screenshot, tmp_path):
    pytestconfig.pluginmanager.get_plugin(str(Path(__file__).with_name("conftest.py"))).add_phantom(
        module.shell.session, phantom
    )
    session = module.shell.session
    ui = {panel.name: panel.ui for panel in module.shell.panels}
    chosen = session.parameters
    for modality in ("t1", "t2", "stir"):
        setattr(chosen, modality, None)
    chosen.calibration, chosen.rods = CalibrationChoice.RODS, "0,50,100,200"
    chosen.segmentation = add_segmentation(session.scene, phantom.labels, chosen.ct)
    chosen.ct_levels = "L1-L3"
    for part in ("ct_whole", "ct_cortical", "ct_cancellous"):
        setattr(chosen, part, False)

    ui["CT"].measureCt.click()
    finish(slicer_app, session)
    module.shell.ui.tabs.currentIndex = list(ui).index("Score")
    ui["Score"].score.click()
    assert column(ui, 1)[0].endswith("mg/cm³")
    before = column(ui, 0), column(ui, 1), column(ui, 2)

    edit(session, L2)
    finish(slicer_app, session, idle=0.5)  # what the panel CT notices while Slicer is idle
    assert column(ui, 0)[0].startswith("⟳")
    assert "out of date" in ui["Score"].nextStep.text
    screenshot(module.parent, "panel-score-stale", 560, 1250)
    ui["Score"].score.click()
    assert column(ui, 1)[0] == "—"

    ui["CT"].updateCt.click()
    finish(slicer_app, session)
    ui["Score"].score.click()
    assert column(ui, 1)[0].endswith("mg/cm³")
    ui["Score"].exportFolder.currentPath = str(tmp_path)
    ui["Score"].exportHtml.checked = False
    ui["Score"].export.click()
    (folder,) = tmp_path.glob("OVFRisk-*")
    assert rows_of(folder, "scores.csv")[0]["state"] == "current"
    screenshot(module.parent, "panel-score", 560, 1250)

    kept = column(ui, 0), column(ui, 1), column(ui, 2)
    save_bundle(session.scene, tmp_path / "scene.mrb")
    session.scene.Clear(False)
    finish(slicer_app, session, idle=0.3)
    assert ui["Score"].resultTable.rowCount == 0
    reload(session.scene, tmp_path)
    finish(slicer_app, session, idle=0.3)
    assert (column(ui, 0), column(ui, 1), column(ui, 2)) == kept
    assert session.parameters.subject == phantom.subject
    assert before[2] == kept[2]


def finish(slicer_app, session, idle: float = 0.0) -> None:
    """Let Slicer's own loop run until the job has ended, and for `idle` seconds at least."""
    start = time.monotonic()
    while time.monotonic() - start < 90 and (session.job or time.monotonic() - start < idle):
        slicer_app.app.processEvents()
        time.sleep(0.01)
    assert session.job is None
    assert session.message.kind is not MessageKind.ERROR, session.message


def column(ui, n: int) -> list[str]:
    table = ui["Score"].resultTable
    return [table.item(row, n).text() for row in range(table.rowCount)]


def test_a_real_abdomen_from_another_programs_labels_to_a_saved_scene(session, shared_data, run_job, tmp_path):
    """Measured, edited, updated, scored, exported, saved and read again; features have a test of their own."""
    folder, chosen = shared_data / "ct_abdomen_3mm", session.parameters
    labels = read_labels(folder / "totalsegmentator_labels.nii.gz", "totalsegmentator")
    lumbar = labels.restricted(region for region in labels.regions if region.level in LUMBAR)
    chosen.ct = add_volume(session.scene, read_volume(folder / "ct.nii.gz", Modality.CT))
    chosen.segmentation = add_segmentation(session.scene, lumbar, chosen.ct)
    line = tmp_path / "line.json"
    line.write_text('{"slope": 0.8, "intercept": 2, "kvp": 120, "date": "2026-01-01", "source": "made up"}')
    chosen.subject, chosen.sex, chosen.age, chosen.phase = "P-1", Sex.F, 66.0, PhaseChoice.NONE
    chosen.calibration, chosen.calibration_file = CalibrationChoice.LINE, str(line)
    chosen.ct_whole = chosen.ct_cortical = chosen.ct_cancellous = False
    chosen.export_folder = str(tmp_path / "out")
    ct, score = Ct(session), ScorePanel(session)
    export = ExportPanel(session, score)

    ct.measure()
    well(session, run_job)
    measured = {row.level for row in session.record.table if row.name == "trabecular_attenuation" and row.value}
    assert measured == set(LUMBAR)
    score.score()
    assert states(score) == {RowState.CURRENT}

    edit(session, L3)
    assert ct.flush()
    assert session.record.stale_levels == (L3,)
    assert states(score) == {RowState.STALE}
    ct.update()
    well(session, run_job)
    assert session.record.stale_levels == ()
    score.score()
    export.choose("html", False)
    written = export.export(datetime(2026, 1, 2)).folder
    assert rows_of(written, "scores.csv")[0]["state"] == "current"

    before = score.table(), [view.rows for view in tables(ct)]
    save_bundle(session.scene, tmp_path / "scene.mrb")
    session.close()
    session.scene.Clear(False)
    reload(session.scene, tmp_path)
    session.open(parameter_node(session.scene))
    assert (score.table(), [view.rows for view in tables(ct)]) == before
    ct.close()
    score.close()
