"""The tab CT with its real widgets: buttons pressed, rows selected, an edit shown and measured."""

import time

import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from OVFRiskLib.anatomy import VertebralLevel  # noqa: E402
from OVFRiskLib.panels.view import MessageKind  # noqa: E402
from OVFRiskLib.scene.segments import add_beside  # noqa: E402

STALE = "⟳"


@pytest.fixture
def panel(phantom_desktop, load_ui, slicer_app, monkeypatch):
    """The tab, bound as the shell binds it."""
    from OVFRiskLib.desktop import ct_panel
    from OVFRiskLib.desktop.binding import Binding

    monkeypatch.setattr(ct_panel, "ensure_packages", lambda: None)
    page = load_ui("CT")
    tab = ct_panel.CtPanel(slicer_app.util.childWidgetVariables(page), phantom_desktop)
    tab.page, tab.binding = page, Binding(page, phantom_desktop)
    yield tab
    tab.cleanup()
    phantom_desktop.forget_slots()


@pytest.fixture
def segmented(panel, phantom):
    chosen = panel.session.parameters
    chosen.segmentation = add_beside(panel.session.scene, phantom.labels, chosen.ct, "Vertebrae")
    return panel


def texts(table):
    return [[table.item(row, column).text() for column in range(table.columnCount)] for row in range(table.rowCount)]


def settle(slicer_app, panel):
    """Let the timer that follows an edit fire."""
    end = time.monotonic() + 5
    while panel._settle.isActive() and time.monotonic() < end:
        slicer_app.app.processEvents()
    assert not panel._settle.isActive()


def cut_away(node, name):
    """Remove a segment, as a user does in the editor."""
    segmentation = node.GetSegmentation()
    segmentation.RemoveSegment(segmentation.GetSegmentIdBySegmentName(name))


def test_without_a_segmentation_the_next_step_is_said(panel, screenshot):
    assert "Segmentation" in panel.ui.nextStep.text
    assert not panel.ui.measureCt.enabled
    assert not panel.ui.updateCt.enabled
    assert not panel.ui.showChart.enabled
    screenshot(panel.page, "ct_empty", 620, 760)


def test_choices_are_the_parameters(segmented):
    ui, chosen = segmented.ui, segmented.session.parameters
    ui.levels.text = "L1-L3"
    ui.partWhole.checked = False
    ui.protocol.currentIndex = ui.protocol.findText("malignant-fracture")
    assert (chosen.ct_levels, chosen.ct_whole, chosen.protocol) == ("L1-L3", False, "malignant-fracture")
    chosen.include_lesions = True
    assert ui.includeLesions.checked


def test_measure_edit_and_update_by_the_buttons(segmented, run_job, slicer_app, screenshot):
    panel, ui, session = segmented, segmented.ui, segmented.session
    ui.partWhole.checked = ui.partCortical.checked = False
    ui.levels.text = "T12-L4"
    assert ui.measureCt.enabled
    ui.measureCt.click()
    assert session.job is not None
    assert not ui.measureCt.enabled
    run_job(session)
    assert session.message.kind is not MessageKind.ERROR, session.message
    heights = texts(ui.heightsTable)
    assert [row[0] for row in heights] == ["T12", "L1", "L2", "L3", "L4"]
    assert heights[1][5] in {"2 wedge", "3 wedge"}  # L1 was made with a loss of 30 %
    assert not ui.updateCt.enabled
    assert ui.chartChoice.count == 2
    ui.showChart.click()
    assert session.message.kind is not MessageKind.ERROR, session.message
    ui.heightsTable.setCurrentCell(2, 0)
    assert session.level is VertebralLevel.L2
    screenshot(panel.page, "ct", 620, 760)
    ui.tables.currentIndex = 4
    ui.featureFilter.text = "l2 original_glcm_idmn"
    assert [row[1] for row in texts(ui.featuresTable)] == ["original_glcm_Idmn"]
    screenshot(panel.page, "ct_features", 620, 760)
    cut_away(session.parameters.segmentation, "L4 whole")
    settle(slicer_app, panel)
    ui.tables.currentIndex = 1
    density = texts(ui.attenuationTable)
    assert [row[0] for row in density][:5] == ["T12", "L1", "L2", "L3", f"{STALE} L4"]
    assert "L4" in ui.nextStep.text
    assert ui.updateCt.enabled
    screenshot(panel.page, "ct_stale", 620, 760)
    ui.levels.text = "T12-L3"
    ui.updateCt.click()
    run_job(session)
    assert session.message.kind is not MessageKind.ERROR, session.message
    assert not ui.updateCt.enabled
    assert [row[0] for row in texts(ui.attenuationTable)][:4] == ["T12", "L1", "L2", "L3"]
    ui.showAll.click()
    assert session.level is None


def test_a_scene_that_closes_while_measuring_does_no_harm(segmented, slicer_app):
    panel, session = segmented, segmented.session
    panel.ui.measureCt.click()
    folder = session.job.folder
    session.close()
    slicer_app.mrmlScene.Clear(False)
    settle(slicer_app, panel)
    assert session.job is None
    assert not folder.exists()
    from OVFRiskLib.panels.parameter_node import parameter_node

    session.open(parameter_node(slicer_app.mrmlScene))
    assert panel.ct.part is None
    assert panel.ui.heightsTable.rowCount == 0
    assert "Choose a CT" in panel.ui.nextStep.text
