"""The tab VBQ with its real widgets: buttons pressed, rows selected, regions dragged, tables read."""

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk  # noqa: E402
from OVFRiskLib.anatomy import Compartment, VertebralLevel  # noqa: E402
from OVFRiskLib.measurement import Measurement, MeasurementTable  # noqa: E402
from OVFRiskLib.mrml import add_segmentation  # noqa: E402
from OVFRiskLib.panels.parameters import BodiesChoice  # noqa: E402
from OVFRiskLib.panels.vbq_tables import scores_view, signals_view  # noqa: E402
from OVFRiskLib.panels.view import RowState  # noqa: E402
from OVFRiskLib.scene import regions as curves  # noqa: E402
from OVFRiskLib.vbq import propose_regions  # noqa: E402


@pytest.fixture(scope="module")
def proposed(phantom):
    from OVFRiskLib.image import Modality

    return propose_regions(
        {Modality.T1: phantom.t1, Modality.T2: phantom.t2, Modality.STIR: phantom.stir}, phantom.mr_bodies
    )


@pytest.fixture
def panel(phantom_desktop, load_ui, slicer_app):
    """The tab, bound as the shell binds it."""
    from OVFRiskLib.desktop.binding import Binding
    from OVFRiskLib.desktop.vbq_panel import VbqPanel

    page = load_ui("VBQ")
    tab = VbqPanel(slicer_app.util.childWidgetVariables(page), phantom_desktop)
    tab.page, tab.binding = page, Binding(page, phantom_desktop)
    yield tab
    tab.cleanup()
    phantom_desktop.forget_slots()


def texts(table):
    return [[table.item(row, column).text() for column in range(table.columnCount)] for row in range(table.rowCount)]


def row_of(table, key):
    from OVFRiskLib.desktop.tables import selected_key

    for row in range(table.rowCount):
        table.setCurrentCell(row, 0)
        if selected_key(table) == key:
            return row
    raise AssertionError(f"{key} is not in the table")


def drag(panel, key, shift):
    node = curves.region_node(panel.vbq.head, key)
    points = vtk.vtkPoints()
    points.SetDataTypeToDouble()
    node.GetControlPointPositionsWorld(points)
    for n in range(points.GetNumberOfPoints()):
        points.SetPoint(n, *np.add(points.GetPoint(n), shift))
    node.SetControlPointPositionsWorld(points)


def process(slicer_app, seconds=0.05):
    import time

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        slicer_app.app.processEvents()


def test_from_clicks_over_the_job_to_the_tables(panel, phantom, run_job, screenshot):
    ui, session = panel.ui, panel.session
    session.parameters.stir = None  # quicker
    screenshot(panel.page, "vbq_start", 520, 620)
    assert not ui.propose.enabled
    ui.clickBodies.click()
    assert ui.clicksPlace.placeModeEnabled
    centres = phantom.mr_bodies
    for level in VertebralLevel.span("T12-L5"):
        inside = np.argwhere(centres.mask(*(r for r in centres.regions if r.level is level)).array)
        session.parameters.vbq_clicks.AddControlPointWorld(*centres.to_ras(np.median(inside, axis=0)[::-1]))
    assert ui.clicksLine.text == "6 points"
    assert ui.propose.enabled
    ui.propose.click()
    assert not ui.clicksPlace.placeModeEnabled
    assert session.job is not None
    assert not ui.propose.enabled
    run_job(session)
    assert session.message.what == "", session.message
    assert [row[0] for row in texts(ui.signalsTable)] == ["T12", "L1", "L2", "L3", "L4", "L5", "CSF L3"]
    assert texts(ui.scoresTable)[0][0] == "VBQ-T1"
    assert ui.proposeSection.collapsed
    row_of(ui.signalsTable, "L3 body")
    ui.exclude.click()
    screenshot(panel.page, "vbq", 520, 900)


def test_rows_follow_a_drag_and_say_what_is_not_up_to_date(panel, proposed, slicer_app):
    panel.vbq.show(proposed, {})
    before = texts(panel.ui.scoresTable)
    drag(panel, "L3 body", (0, 4.0, 0))
    assert texts(panel.ui.scoresTable) == before
    process(slicer_app)
    during = texts(panel.ui.scoresTable)
    assert during[0][1] != before[0][1]
    assert during[4][0] == "⟳ Shading T1"
    process(slicer_app, 0.5)
    after = texts(panel.ui.scoresTable)
    assert after[4][0] == "Shading T1"
    assert after[0][1] == during[0][1]


def test_selected_region_is_left_out_excluded_and_shown(panel, proposed, slicer_app):
    ui = panel.ui
    panel.vbq.show(proposed, {})
    assert not ui.fractured.enabled
    row_of(ui.signalsTable, "L1 body")
    assert panel.session.level is VertebralLevel.L1
    ui.fractured.click()
    assert panel.session.parameters.fractured == "L1"
    assert ui.fracturedLevels.text == "L1"
    assert ui.fractured.text == "Not fractured: take in"
    ui.fractured.click()
    assert panel.session.parameters.fractured == ""
    ui.exclude.click()
    assert texts(ui.exclusionsTable)[0][:3] == ["L1", "other", "yes"]
    ui.leaveIn.click()
    assert texts(ui.exclusionsTable)[0][2] == "no"
    assert ui.leaveIn.text == "Leave out"
    process(slicer_app)


def test_fractures_graded_on_ct_are_taken_over(panel, proposed):
    from OVFRiskLib.panels.record import Record

    graded = MeasurementTable(
        Measurement("P-1", VertebralLevel(level), Compartment.BODY, "genant_grade", grade, "1", "m-1")
        for level, grade in (("T12", 0.0), ("L1", 2.0), ("L3", 1.0))
    )
    assert not panel.ui.fromCt.enabled
    panel.session.record = Record.of(graded, {}, {}, {})
    panel.vbq.show(proposed, {})
    panel.ui.fromCt.click()
    assert panel.ui.fracturedLevels.text == "L1, L3"
    note = panel.vbq.table.where(name="vbq_t1").rows[0].note
    assert "L1 left out (fractured), replaced by T12" in note
    assert "L3 left out (fractured), replaced by L5" in note


def test_missing_csf_is_drawn(panel, proposed):
    panel.vbq.show(proposed, {})
    panel.session.scene.RemoveNode(curves.region_node(panel.vbq.head, "L3 csf"))
    panel.vbq.settle()
    assert panel.ui.drawChoice.currentText == "CSF L3"
    assert {row.state for row in scores_view(panel.vbq).rows[:4]} == {RowState.ABSENT}
    panel.ui.draw.click()
    assert signals_view(panel.vbq).rows[-1].key == "L3 csf"
    assert not panel.ui.draw.visible


def test_wrong_level_is_said_in_the_panel(panel, proposed):
    panel.vbq.show(proposed, {})
    panel.session.parameters.fractured = "L9"
    assert "names no vertebral levels" in panel.session.message.what
    assert len(panel.vbq.table) == 0
    panel.session.parameters.fractured = "L2"
    assert "L2 left out (fractured)" in panel.vbq.table.where(name="vbq_t1").rows[0].note


def test_ways_of_finding_bodies_ask_for_different_things(panel, phantom):
    ui, chosen = panel.ui, panel.session.parameters
    shown = lambda: [ui.vbqSegmentation.visible, ui.clicksRow.visible, ui.vbqRegionsFile.visible]  # noqa: E731
    panel.page.show()
    assert shown() == [False, True, False]
    ui.vbqBodies.currentIndex = ui.vbqBodies.findData("SEGMENTATION")
    assert chosen.vbq_bodies is BodiesChoice.SEGMENTATION
    assert shown() == [True, False, False]
    chosen.vbq_segmentation = add_segmentation(panel.session.scene, phantom.mr_bodies, chosen.t1)
    assert ui.propose.enabled
    ui.vbqBodies.currentIndex = ui.vbqBodies.findData("FILE")
    assert shown() == [False, False, True]
    assert not ui.propose.enabled
    panel.page.hide()


def test_scene_closed_and_module_left_while_dragging(panel, proposed, slicer_app):
    from OVFRiskLib.panels.parameter_node import parameter_node

    panel.vbq.show(proposed, {})
    drag(panel, "L3 body", (0, 1.0, 0))
    panel.session.close()
    slicer_app.mrmlScene.Clear(False)
    process(slicer_app, 0.5)
    panel.session.open(parameter_node(slicer_app.mrmlScene))
    assert panel.vbq.regions is None
    assert panel.ui.signalsTable.rowCount == 0
    panel.exit()


def test_readings_are_kept_listed_and_compared(panel, proposed, tmp_path, run_job, screenshot):
    ui, chosen = panel.ui, panel.session.parameters
    chosen.t2 = chosen.stir = None
    ui.readingsFolder.currentPath = str(tmp_path)
    assert not ui.keepReading.enabled
    panel.vbq.show(proposed, {})
    ui.keepReading.click()
    assert "Who reads is not given" in panel.session.message.what
    values: dict[str, list[float]] = {"R1": [], "R2": []}
    for number, shift in enumerate((4.0, 7.0, -2.0)):
        chosen.subject = f"P-{number}"
        for reader, way in (("R1", 0.0), ("R2", shift)):
            ui.reader.text = reader
            drag(panel, "L3 csf", (0, way, 0))
            ui.keepReading.click()
            assert "was kept" in panel.session.message.what
            values[reader].append(panel.vbq.table.value(name="vbq_t1"))
            drag(panel, "L3 csf", (0, -way, 0))
    assert sorted(row[1] for row in texts(ui.readingsTable)) == ["R1"] * 3 + ["R2"] * 3
    assert not ui.savePicture.visible
    ui.compareReadings.click()
    run_job(panel.session)
    a, b = np.array(values["R1"]), np.array(values["R2"])
    percent = 200 * (a - b) / (a + b)  # Bland and Altman by hand
    low, high = percent.mean() + np.array([-1, 1]) * 1.96 * percent.std(ddof=1)
    numbers = [f"{percent.mean():+.1f}", f"{low:+.1f} to {high:+.1f}"]
    wanted = ["R1, R2", "VBQ-T1", "3", *(text.replace("-", "−") for text in numbers), "no"]
    assert texts(ui.agreementTable)[0][:6] == wanted
    for section in (ui.scoresSection, ui.regionsSection, ui.methodSection):
        section.collapsed = section is not ui.methodSection
    ui.readingsSection.collapsed = False
    screenshot(panel.page, "vbq_readings", 520, 900)
