"""The module's panel as a whole: real .ui files, real nodes, real jobs."""

import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality
from OVFRiskLib.panels.parameters import PhaseChoice, Sex
from OVFRiskLib.panels.view import Cell, MessageKind, RowState, RowView, TableView

pytestmark = pytest.mark.usefixtures("images_only")


@pytest.fixture
def shell(module):
    return module.shell


def _wait(slicer_app, session):
    """Let Slicer's own loop run until the job has ended: the panel's timer does the rest."""
    import time

    end = time.monotonic() + 60
    while session.job and time.monotonic() < end:
        slicer_app.app.processEvents()
        time.sleep(0.01)
    assert session.job is None


def test_the_empty_panel_says_what_to_do(module, shell, screenshot):
    assert shell.ui.tabs.tabText(0) == "1 Images"
    assert "open the sample patient" in shell.ui.nextStep.text
    assert shell.ui.messageArea.visible is False
    screenshot(module.parent, "panel-empty", 520, 860)


def test_widgets_and_choices_follow_each_other(shell):
    ui, chosen = shell.panels[0].ui, shell.session.parameters
    ui.subject.text = "P-7"
    ui.sex.currentIndex = ui.sex.findText("male")
    ui.age.value = 71.0
    ui.phase.currentIndex = ui.phase.findText("portal venous")
    assert (chosen.subject, chosen.sex, chosen.age, chosen.phase) == ("P-7", Sex.M, 71.0, PhaseChoice.PORTAL_VENOUS)
    chosen.sex, chosen.age, chosen.subject = Sex.F, 0.0, "P-8"
    assert (ui.sex.currentText, ui.age.text, ui.subject.text) == ("female", "not given", "P-8")
    assert shell.ui.subjectLine.text == "P-8 · female"
    assert shell.ui.nextStep.text.startswith("Choose a CT")


def test_a_name_is_warned_of_as_it_is_typed(shell):
    ui = shell.panels[0].ui
    ui.subject.text = "Jane Doe"
    assert "looks like a name" in ui.problems.text


def test_what_a_calibration_needs_is_shown(shell):
    ui = shell.panels[0].ui
    shown = []
    for text in ("none: no bone density", "the scanner's line (JSON file)", "rods of a phantom in the scan"):
        ui.calibration.currentIndex = ui.calibration.findText(text)
        shown.append(tuple(widget.isVisibleTo(widget.parent()) for widget in (ui.calibrationFile, ui.rods)))
    assert shown == [(False, False), (True, False), (False, True)]


def test_sample_patient_by_its_button(slicer_app, module, shell, screenshot):
    ui, session = shell.panels[0].ui, shell.session
    ui.openSample.click()
    assert shell.ui.jobArea.isVisibleTo(shell.widget)
    assert ui.openSample.enabled is False
    _wait(slicer_app, session)
    assert session.message.kind is MessageKind.INFO, session.message
    assert ui.ctSelector.currentNode().GetName() == "phantom-1 CT"
    assert session.volume(Modality.CT).array.min() < -500
    chosen = session.parameters
    assert (chosen.subject, chosen.synthetic, chosen.phase) == ("phantom-1", True, PhaseChoice.NONE)
    assert session.volume(Modality.T2).acquisition["MagneticFieldStrength"] == "1.5"
    assert "SYNTHETIC" in shell.ui.subjectLine.text
    assert shell.ui.nextStep.text == "Find the vertebrae in the tab Segmentation."
    screenshot(module.parent, "panel-images", 520, 980)


def test_cancel_leaves_the_scene_as_it_was(slicer_app, module, shell, screenshot):
    scene = slicer_app.mrmlScene
    before = scene.GetNumberOfNodes()
    shell.panels[0].ui.openSample.click()
    screenshot(module.parent, "panel-job", 520, 600)
    shell.ui.cancelJob.click()
    assert shell.session.job is None
    assert scene.GetNumberOfNodes() == before
    assert "was cancelled" in shell.ui.messageWhat.text
    shell.ui.closeMessage.click()
    assert shell.ui.messageArea.isVisibleTo(shell.widget) is False


def test_closing_the_scene_in_mid_run_does_no_harm(slicer_app, shell):
    ui, session = shell.panels[0].ui, shell.session
    ui.subject.text = "P-7"
    ui.openSample.click()
    process = session.job._job._child._process
    slicer_app.mrmlScene.Clear(False)
    assert session.job is None
    assert process.poll() is not None
    assert "was cancelled: the scene was closed" in shell.ui.messageWhat.text
    for _ in range(3):
        slicer_app.app.processEvents()
    ui.subject.text = "P-9"  # the panel works with the new scene's choices
    assert session.parameters.subject == "P-9"
    node = slicer_app.mrmlScene.GetSingletonNode("OVFRisk", "vtkMRMLScriptedModuleNode")
    assert node.GetParameter("subject") == "P-9"


def test_a_saved_scene_restores_the_panel(slicer_app, shell, tmp_path):
    ui, scene = shell.panels[0].ui, slicer_app.mrmlScene
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a ct")
    ui.ctSelector.setCurrentNode(node)
    ui.subject.text = "P-7"
    ui.phase.currentIndex = ui.phase.findText("arterial")
    path = str(tmp_path / "scene.mrb")
    slicer_app.util.saveScene(path)
    scene.Clear(False)
    ui.subject.text = "another"
    assert ui.ctSelector.currentNode() is None
    slicer_app.util.loadScene(path)
    assert ui.subject.text == "P-7"
    assert ui.phase.currentText == "arterial"
    assert ui.ctSelector.currentNode().GetName() == "a ct"


def test_a_wrong_result_folder_gives_its_message(shell, tmp_path, screenshot, module):
    ui = shell.panels[0].ui
    assert ui.openResult.enabled is False
    ui.resultFolder.currentPath = str(tmp_path)
    ui.openResult.click()
    assert "scene.mrb" in shell.ui.messageWhat.text
    assert "ovfrisk analyze" in shell.ui.messageWhatToDo.text
    assert shell.session.message.kind is MessageKind.ERROR
    screenshot(module.parent, "panel-message", 520, 600)


def test_a_result_folder_is_opened(shell, tmp_path, slicer_app):
    scene = slicer_app.mrmlScene
    scene.AddNewNodeByClass("vtkMRMLTableNode", "Measurements")
    slicer_app.util.saveScene(str(tmp_path / "scene.mrb"))
    scene.Clear(False)
    shell.panels[0].ui.resultFolder.currentPath = str(tmp_path)
    shell.panels[0].ui.openResult.click()
    assert scene.GetFirstNodeByName("Measurements") is not None


def test_a_bug_is_told_and_logged(shell, monkeypatch, caplog):
    monkeypatch.setattr(shell.panels[0].images, "open_sample", lambda: 1 / 0)
    shell.panels[0].ui.openSample.click()
    assert "ZeroDivisionError" in shell.ui.messageWhat.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.usefixtures("slicer_app")
def test_without_pythonslicer_the_panel_says_so(monkeypatch):
    from OVFRiskLib.desktop import jobs

    monkeypatch.setattr(jobs, "_PYTHON", "NoSuchPython")
    with pytest.raises(UserError, match="PythonSlicer"):
        jobs.launcher()


def test_sample_data_offers_the_phantom(slicer_app, module, shell, monkeypatch):
    from SampleData import SampleDataLogic

    import OVFRisk

    OVFRisk.registerSampleData()
    source = SampleDataLogic.registered[0]
    assert (source["category"], source["uris"]) == ("OVFRisk", "")
    monkeypatch.setattr(slicer_app.util, "selectModule", lambda _name: None)
    monkeypatch.setattr(slicer_app.modules, "OVFRiskWidget", module, raising=False)
    source["customDownloader"](source)
    assert shell.session.job is not None
    shell.session.cancel()


def test_reload_reads_the_library_again(slicer_app, module):
    import sys

    kept = dict(sys.modules)
    module.onReload()
    dropped = "OVFRiskLib.panels.session" not in sys.modules
    sys.modules.update({name: kept[name] for name in kept if name.startswith("OVFRiskLib")})
    assert dropped
    assert slicer_app.app.reloaded == ["OVFRisk"]


def test_a_table_shows_states_and_sorts_by_number():
    import qt
    from OVFRiskLib.anatomy import VertebralLevel
    from OVFRiskLib.desktop.tables import Table

    heard, widget = [], qt.QTableWidget()
    table = Table(widget, heard.append)
    rows = (
        RowView("a", (Cell("L1"), Cell("100.0", 100.0)), level=VertebralLevel.L1),
        RowView("b", (Cell("L2"), Cell("9.5", 9.5)), RowState.STALE, tip="edited"),
        RowView("c", (Cell("L3"), Cell("–")), RowState.ABSENT, tip="cut off"),
    )
    table.show(TableView("t", ("level", "HU"), rows))
    assert [widget.item(row, 0).text() for row in range(3)] == ["L1", "⟳ L2", "L3"]
    assert widget.item(2, 1).toolTip() == "cut off"
    assert widget.item(1, 0).foreground().color().red() > 100
    widget.setCurrentCell(0, 0)
    assert heard == [VertebralLevel.L1]
    table.sort(1)
    assert [widget.item(row, 1).text() for row in range(3)] == ["9.5", "100.0", "–"]
    table.sort(1)
    assert [widget.item(row, 1).text() for row in range(3)] == ["100.0", "9.5", "–"]
    assert widget.currentRow() == 0
    assert heard == [VertebralLevel.L1]  # showing again tells nobody


def test_packages_are_installed_with_consent_only(slicer_app):
    from OVFRiskLib.desktop import packages

    slicer_app.packaging.missing = {"jinja2"}
    slicer_app.packaging.consent = False
    with pytest.raises(UserError, match="not installed"):
        packages.ensure_packages()
    slicer_app.packaging.consent = True
    packages.ensure_packages()
    names, requester = slicer_app.packaging.asked[-1]
    assert any(name.startswith("jinja2") for name in names)
    assert requester == "OVFRisk"
    packages.ensure_packages()  # nothing is missing any more: nobody is asked
    assert len(slicer_app.packaging.asked) == 2


def test_a_job_that_misses_packages_asks_first(slicer_app, shell):
    slicer_app.packaging.missing, slicer_app.packaging.consent = {"jinja2"}, False
    shell.panels[0].ui.openSample.click()
    assert shell.session.job is None
    assert "not installed" in shell.ui.messageWhat.text
    slicer_app.packaging.consent = True
    shell.panels[0].ui.openSample.click()
    assert shell.session.job is not None
    assert len(slicer_app.packaging.asked) == 2
    shell.session.cancel()


def test_packages_before_slicer_5_12(slicer_app, monkeypatch, tmp_path):
    import sys

    from OVFRiskLib.desktop import packages

    wanted = tmp_path / "requirements.txt"
    wanted.write_text("# ours\nnumpy>=1.0\nno_such_package>=2.0\n")
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    installed, answers = [], [False, True]
    monkeypatch.setattr(slicer_app.util, "confirmOkCancelDisplay", lambda _text: answers.pop(0))
    monkeypatch.setattr(slicer_app.util, "pip_install", installed.append)
    with pytest.raises(UserError, match="did not agree"):
        packages.ensure(wanted)
    assert not installed
    packages.ensure(wanted)
    assert installed == ["no_such_package>=2.0"]
