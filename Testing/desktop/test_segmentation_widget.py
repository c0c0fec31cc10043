"""The tab Segmentation as Qt shows it: the real .ui, real clicks on buttons, real nodes."""

from types import SimpleNamespace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.segmentation.agreement import dice

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk  # noqa: E402
from OVFRiskLib.scene.segments import add_beside, labels_of  # noqa: E402

L1, L2, L3 = VertebralLevel.span("L1-L3")


@pytest.fixture
def shown(phantom_desktop, load_ui, slicer_app):
    """The page with its panel, in view."""
    from OVFRiskLib.desktop.binding import Binding
    from OVFRiskLib.desktop.segmentation_panel import SegmentationPanel

    page = load_ui("Segmentation")
    ui = slicer_app.util.childWidgetVariables(page)
    panel = SegmentationPanel(ui, phantom_desktop)
    Binding(page, phantom_desktop)
    panel.enter()
    yield SimpleNamespace(page=page, ui=ui, panel=panel, session=phantom_desktop)
    panel.exit()
    panel.cleanup()


@pytest.fixture
def with_levels(shown, phantom):
    """Whole vertebrae L1 to L3 are chosen."""
    truth = phantom.labels.restricted(Region(Compartment.WHOLE, level) for level in (L1, L2, L3))
    shown.session.parameters.segmentation = add_beside(
        shown.session.scene, truth, shown.session.parameters.ct, "Vertebrae"
    )
    shown.truth = truth
    return shown


def place(shown, *points):
    for point in points:
        shown.session.parameters.seeds.AddControlPoint(vtk.vtkVector3d(*map(float, point)))


def cells(shown):
    table = shown.ui.levelTable
    return [[table.item(row, column).text() for column in range(table.columnCount)] for row in range(table.rowCount)]


def choose(combo, data):
    combo.currentIndex = combo.findData(data)
    combo.activated(combo.currentIndex)


def test_from_clicks_to_the_list_and_a_saved_choice(shown, phantom, run_job, screenshot):
    assert "press 'Click vertebrae'" in shown.ui.nextStep.text
    assert not shown.ui.apply.enabled
    choose(shown.ui.firstLevelSelector, "L2")
    shown.ui.placePoints.click()
    assert shown.ui.placeWidget.placeModeEnabled
    place(shown, *(phantom.frames[level].origin + 1 for level in (L2, L3)))
    shown.panel.refresh()
    assert shown.ui.nextStep.text == "Press Apply."
    assert shown.ui.apply.enabled
    shown.ui.pointTable.selectRow(1)
    screenshot(shown.page, "segmentation-points", height=1100)
    shown.ui.apply.click()
    assert shown.ui.apply.text == "Cancel"
    assert not shown.ui.placeWidget.placeModeEnabled
    run_job(shown.session)
    shown.panel.refresh()
    assert shown.ui.apply.text == "Apply"
    assert [[row[0], row[2]] for row in cells(shown)] == [["L2", "body"], ["L3", "body"]]
    assert shown.ui.segmentationSelector.currentNode() is shown.session.parameters.segmentation
    found = labels_of(shown.session.parameters.segmentation)
    assert found.same_grid(phantom.ct)
    for level in (L2, L3):
        parts = (Region(part, level) for part in (Compartment.CORTICAL, Compartment.CANCELLOUS))
        body = phantom.compartments.mask(*parts).array
        assert dice(found.mask(Region(Compartment.BODY, level)).array, body) > 0.88
    editor = shown.ui.segmentEditor
    assert editor.segmentationNode() is shown.session.parameters.segmentation
    assert editor.sourceVolumeNode() is shown.session.parameters.ct
    shown.ui.levelTable.selectRow(1)
    assert shown.session.level is L3
    screenshot(shown.page, "segmentation-levels", height=1100)


def test_points_are_listed_shown_renamed_and_deleted(shown, phantom):
    shown.ui.placePoints.click()
    place(shown, *(phantom.frames[level].origin for level in (L1, L2, L3)))
    shown.panel.refresh()
    table, ui = shown.ui.pointTable, shown.ui
    assert not ui.deletePoint.enabled
    table.selectRow(1)
    view = shown.session.scene.GetFirstNodeByClass("vtkMRMLSliceNode").GetSliceToRAS()
    centre = [view.GetElement(row, 3) for row in range(3)]
    assert centre == pytest.approx(list(phantom.frames[L2].origin))
    assert ui.pointLevel.currentText == "L2"
    choose(ui.pointLevel, "L3")
    ui.renamePoint.click()
    assert [table.item(row, 0).text() for row in range(table.rowCount)] == ["L1", "L3", "L4"]
    table.selectRow(1)
    ui.deletePoint.click()
    assert [table.item(row, 0).text() for row in range(table.rowCount)] == ["L1", "L4"]
    choose(ui.firstLevelSelector, "T12")
    shown.panel.refresh()
    assert [table.item(row, 0).text() for row in range(table.rowCount)] == ["T12", "L3"]


def test_apply_again_cancels(shown, phantom):
    shown.ui.placePoints.click()
    place(shown, phantom.frames[L1].origin)
    nodes = shown.session.scene.GetNumberOfNodes()
    shown.panel.refresh()
    shown.ui.apply.click()
    assert shown.session.job
    shown.ui.apply.click()
    assert shown.session.job is None
    assert shown.session.scene.GetNumberOfNodes() == nodes
    assert "was cancelled" in shown.session.message.what
    assert shown.ui.apply.text == "Apply"


def test_buttons_correct_the_list_and_undo(with_levels):
    shown, ui = with_levels, with_levels.ui
    shown.panel.refresh()
    assert [row[0] for row in cells(shown)] == ["⟳ L1", "⟳ L2", "⟳ L3"]
    assert not ui.rename.enabled
    ui.shiftDown.click()
    assert [row[0] for row in cells(shown)] == ["⟳ L2", "⟳ L3", "⟳ L4"]
    assert ui.undo.text == "Undo: Shift all one level down"
    ui.levelTable.selectRow(2)
    assert ui.rename.text == "Rename L4 to"
    ui.renameTo.currentIndex = ui.renameTo.findData("L6")
    ui.rename.click()
    assert [row[0] for row in cells(shown)][2] == "⟳ L6"
    for _ in range(2):
        ui.undo.click()
    assert not ui.undo.enabled
    ui.levelTable.selectRow(0)
    ui.merge.click()
    assert [row[0] for row in cells(shown)] == ["⟳ L1", "⟳ L3"]
    ui.levelTable.selectRow(0)
    ui.splitLevel.click()
    assert [row[0] for row in cells(shown)] == ["⟳ L1", "⟳ L2", "⟳ L3"]
    for _ in range(2):
        ui.undo.click()
    found = labels_of(shown.session.parameters.segmentation)
    for region in shown.truth.regions:
        assert np.array_equal(found.mask(region).array, shown.truth.mask(region).array)


def test_split_of_the_selected_level_and_join(with_levels, screenshot):
    shown, ui = with_levels, with_levels.ui
    ui.corticalDepth.value = 3.0
    assert shown.session.parameters.cortical_depth == 3.0
    ui.checkLevels.click()
    ui.levelTable.selectRow(1)
    ui.splitParts.click()
    assert [row[2] for row in cells(shown)] == ["whole", "split", "whole"]
    screenshot(shown.page, "segmentation-split", height=1150)
    ui.joinParts.click()
    assert [row[2] for row in cells(shown)] == ["whole", "body, posterior", "whole"]


def test_undo_asks_before_it_throws_drawing_away(with_levels):
    shown, ui = with_levels, with_levels.ui
    ui.levelTable.selectRow(0)
    ui.merge.click()
    segment = shown.session.parameters.segmentation.GetSegmentation().GetSegment("L3_whole")
    layer = segment.GetRepresentation("Binary labelmap")
    layer.SetScalarComponentFromDouble(1, 1, 1, 0, segment.GetLabelValue())
    layer.Modified()
    ui.undo.click()
    assert "would lose that" in shown.session.message.what
    assert len(cells(shown)) == 2
    ui.undo.click()
    assert len(cells(shown)) == 3


def test_choices_show_for_the_engine_that_uses_them(shown):
    ui = shown.ui
    hidden = {
        "seeded": ("bundleFolder", "deviceSelector", "fast", "useAnchor"),
        "automatic": ("bundleFolder", "deviceSelector", "fast", "betweenSelector"),
        "totalsegmentator": ("bundleFolder", "pointTable", "useAnchor", "firstLevelSelector"),
        "monai": ("fast", "betweenSelector", "whole"),
    }
    for engine, names in hidden.items():
        ui.engineSelector.currentIndex = ui.engineSelector.findData(engine)
        assert shown.session.parameters.engine == engine
        assert [getattr(ui, name).isHidden() for name in names] == [True] * len(names)


def test_a_missing_package_is_said_in_the_panel(shown, monkeypatch):
    from OVFRiskLib.panels import engines

    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "monai" else object())
    shown.ui.engineSelector.currentIndex = shown.ui.engineSelector.findData("monai")
    assert "MONAI, Apache-2.0" in shown.ui.engineOffer.text
    assert not shown.ui.installEngine.isHidden()
    assert not shown.ui.apply.enabled
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda _text: True)
    slicer.packaging.missing = {"monai"}
    shown.ui.installEngine.click()
    assert slicer.packaging.asked == [(["monai>=1.5"], "OVFRisk")]


def test_closing_the_scene_while_a_job_runs_does_no_harm(shown, phantom):
    from OVFRiskLib.panels.parameter_node import parameter_node

    shown.ui.placePoints.click()
    place(shown, phantom.frames[L1].origin)
    shown.panel.refresh()
    shown.ui.apply.click()
    folder = shown.session.job.folder
    shown.session.close()
    shown.session.scene.Clear(False)
    shown.session.open(parameter_node(shown.session.scene))
    shown.panel.refresh()
    assert not folder.exists()
    assert cells(shown) == []
    assert shown.ui.nextStep.text == "Choose a CT in the tab Images."
    assert shown.ui.segmentEditor.segmentationNode() is None


def test_the_editor_lets_go_of_the_views(shown):
    calls = shown.ui.segmentEditor.calls
    assert ("setupViewObservations",) in calls
    shown.panel.exit()
    assert calls[-1] == ("removeViewObservations",)
