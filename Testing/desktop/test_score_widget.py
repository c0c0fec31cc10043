"""The panel Score as Qt shows it: the real .ui, real clicks, what the user reads then."""

import numpy as np
import pytest
from OVFRiskLib.image import Modality
from OVFRiskLib.models.bundle import write_bundle
from OVFRiskLib.models.card import (
    Combination,
    Input,
    ModelCard,
    Origin,
    Output,
    Performance,
    Population,
    Rate,
    Summary,
    Threshold,
)
from OVFRiskLib.models.predictors.linear import LogisticPredictor

from .score_scene import CANCELLOUS, LEVELS, add_boxes, density, edit, hu, measure

DENSITY = Summary(40, 190, 110, 30)
WAYS = {"L1": 88.0, "L2": 96.0, "L3": 101.0, "L4": 99.0}


def measure_all(session) -> None:
    rows = [*(hu(level, value) for level, value in WAYS.items()), density(72.0)]
    measure(session, [*rows, density(6.0, "vbmd_non_fractured_error")])


@pytest.fixture
def bundle(tmp_path):
    inputs = (
        Input("vbmd_non_fractured", "vBMD", "mg/cm3", CANCELLOUS, center=110, scale=30, training=DENSITY),
        Input("age", "Age", "a", center=68, scale=9, training=Summary(50, 90, 68, 9), impute=68.0),
        Input("sex_male", "Male sex", "1", training=Summary(0, 1, 0.4, 0.49)),
    )  # fmt: skip
    card = ModelCard(
        name="example-fracture-risk", version="0.1", title="Example: fracture risk from density and age",
        intended_use="Shows how a logistic model is applied.", not_for="Not for a diagnosis: made up.",
        outcome="vertebral fracture", origin=Origin.TRAINED, synthetic=True, modality=Modality.CT, inputs=inputs,
        population=Population("simulated patients", n=500, events=150, age=(50.0, 90.0)),
        combination=Combination.PATIENT, output=Output.PROBABILITY, licence="Apache-2.0", citation="none: an example",
        thresholds=(Threshold("Youden", 0.31, "lower risk", "higher risk", "above", Rate(0.74), Rate(0.71)),),
        performance=(Performance("internal", "AUC", 0.78, (0.73, 0.82), 500),), validation="bootstrap, 200 repetitions",
    )  # fmt: skip
    path = tmp_path / "example.ovfrisk"
    covariance = np.diag([0.02, 0.02, 0.015, 0.05])
    write_bundle(path, card, LogisticPredictor(-1.0, np.array([-0.9, 0.35, -0.3]), covariance))
    return path


@pytest.fixture
def panel(desktop_session, load_ui, slicer_app):
    from OVFRiskLib.desktop.binding import Binding
    from OVFRiskLib.desktop.score_panel import ScorePanel
    from OVFRiskLib.panels.parameters import Sex

    chosen = desktop_session.parameters
    chosen.subject, chosen.age, chosen.sex, chosen.synthetic = "P-1", 76.0, Sex.F, True
    add_boxes(desktop_session)
    widget = load_ui("Score")
    made = ScorePanel(slicer_app.util.childWidgetVariables(widget), desktop_session)
    made.widget, made.binding = widget, Binding(widget, desktop_session)
    yield made
    made.cleanup()


@pytest.fixture
def idle(slicer_app):
    """Let Slicer's loop run until what waits for it has been shown."""
    import time

    def wait(seconds: float = 0.3) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            slicer_app.app.processEvents()
            time.sleep(0.01)

    return wait


def find_item(panel, words: str):
    items = (panel.ui.modelList.item(n) for n in range(panel.ui.modelList.count))
    return next(item for item in items if words in item.text())


def column(panel, n: int) -> list[str]:
    return [panel.ui.resultTable.item(row, n).text() for row in range(panel.ui.resultTable.rowCount)]


def test_before_anything_is_measured_the_panel_says_what_to_do(panel, screenshot):
    assert "Nothing has been measured" in panel.ui.nextStep.text
    panel.ui.score.click()
    assert "nothing to score" in panel.session.message.what
    assert panel.ui.resultTable.rowCount == 0
    assert not panel.ui.openFolder.isEnabled()
    screenshot(panel.widget, "score-empty", height=900)


def test_whole_path_by_its_buttons(panel, bundle, screenshot, tmp_path, idle):
    import qt

    session = panel.session
    measure_all(session)
    idle()
    assert "Press Score" in panel.ui.nextStep.text
    panel.open_model(bundle)
    assert "Not for a diagnosis" in panel.ui.modelCard.plainText
    assert "simulated patients" in panel.ui.modelCard.plainText
    assert find_item(panel, "Example").checkState() == qt.Qt.Checked
    panel.ui.score.click()
    assert "72 ± 6.0 mg/cm³" in column(panel, 1)
    row = column(panel, 0).index("Example: fracture risk from density and age")
    panel.ui.resultTable.setCurrentCell(row, 0)
    assert panel.ui.pictureChoice.count == 2
    screenshot(panel.widget, "score", height=1150)
    panel.ui.pictureChoice.currentIndex = 1
    screenshot(panel.widget, "score-nomogram", height=1150)
    undo = edit(session, LEVELS[0])
    panel.scoring.settle()  # as the panel CT does while Slicer is idle
    idle()
    assert column(panel, 0)[row].startswith("⟳")
    assert panel.ui.pictureChoice.count == 0
    assert "edited since" in panel.ui.resultText.text
    screenshot(panel.widget, "score-stale", height=1150)
    panel.ui.score.click()
    assert column(panel, 1)[row] == "—"
    undo()
    panel.ui.score.click()
    assert column(panel, 1)[row] != "—"
    for name in ("exportHtml", "exportSeg"):
        getattr(panel.ui, name).checked = False
    panel.ui.exportFolder.currentPath = str(tmp_path)
    assert session.parameters.export_folder == str(tmp_path)
    panel.ui.export.click()
    (folder,) = tmp_path.glob("OVFRisk-*")
    assert sorted(path.name for path in folder.iterdir()) == ["measurements.csv", "run.json", "scores.csv"]
    assert str(folder) in panel.ui.exportResult.text
    assert panel.ui.openFolder.isEnabled()
    screenshot(panel.widget, "score-exported", height=1150)


def test_ticks_choose_the_models_and_formats(panel):
    import qt

    session = panel.session
    find_item(panel, "ACR").setCheckState(qt.Qt.Unchecked)
    assert "vbmd-acr-2018" not in panel.scoring.models.chosen
    assert not session.parameters.models_proposed
    panel.ui.exportCsv.checked = False
    assert "csv" not in session.parameters.export_formats.split(",")
    assert not panel.ui.exportDicomSeg.isEnabled()
    assert "later version" in panel.ui.exportDicomSeg.toolTip


def test_export_without_a_folder_is_said_beside_the_button(panel):
    measure_all(panel.session)
    panel.ui.export.click()
    assert "No folder is chosen" in panel.ui.exportResult.text
    assert "No folder is chosen" in panel.session.message.what


def test_removing_a_model_file_from_the_list(panel, bundle):
    panel.open_model(bundle)
    assert panel.ui.forgetModel.isEnabled()
    panel.ui.forgetModel.click()
    assert not any(one.of_a_file for one in panel.scoring.models.entries)
    assert bundle.exists()


def test_picture_in_a_window_of_its_own(panel, bundle):
    measure_all(panel.session)
    panel.open_model(bundle)
    panel.ui.score.click()
    row = column(panel, 0).index("Example: fracture risk from density and age")
    panel.ui.resultTable.setCurrentCell(row, 0)
    panel.ui.enlargePicture.click()
    assert "Example" in panel._window.windowTitle
