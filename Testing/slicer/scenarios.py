"""The ways that a user takes through the module, by its real buttons, in a running Slicer.

    Slicer --testing --no-splash --python-script Testing/slicer/run.py

runs them with OVFRisk installed (or its folder among the additional module paths) and exits non-zero when one fails.
`test_scenarios.py` runs the same functions on the stand-ins. A scenario gets the module's panel (`Shell`).
"""

import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

CLICKED = ("L1", "L2", "L3")
BODIES = ("T12", "L1", "L2", "L3", "L4", "L5")
PATIENCE_S = 240.0


def scenario_ct(shell) -> None:
    """Sample patient, clicks, segmentation, measurement, an edit, update, score, a saved scene."""
    open_sample(shell)
    chosen, ui = shell.session.parameters, widgets(shell)
    show(shell, "Segmentation")
    ui["Segmentation"].placePoints.click()
    for point in body_centres(CLICKED):
        chosen.seeds.AddControlPoint(vtk.vtkVector3d(*point))
    press(shell, ui["Segmentation"].apply)
    assert segment_names(chosen.segmentation) >= set(CLICKED), segment_names(chosen.segmentation)

    show(shell, "CT")
    chosen.ct_whole = chosen.ct_cortical = chosen.ct_cancellous = False  # features take longest
    press(shell, ui["CT"].measureCt)
    assert shell.session.record is not None
    assert not shell.session.record.stale_levels

    erase_a_corner(chosen.segmentation, "L2")
    wait(lambda: tuple(shell.session.record.stale_levels) == ("L2",), "L2's rows to go stale")
    press(shell, ui["CT"].updateCt)
    assert not shell.session.record.stale_levels

    show(shell, "Score")
    press(shell, ui["Score"].score)
    assert ui["Score"].resultTable.rowCount > 0
    before = cells(ui["Score"].resultTable)
    reopen(shell)
    assert (chosen_subject(shell), cells(ui["Score"].resultTable)) == ("phantom-1", before)


def scenario_vbq(shell) -> None:
    """Sample patient, a click in each body on MRI, proposed regions, scores within their published range."""
    open_sample(shell)
    chosen, ui = shell.session.parameters, widgets(shell)["VBQ"]
    show(shell, "VBQ")
    ui.clickBodies.click()
    for point in body_centres(BODIES):
        chosen.vbq_clicks.AddControlPoint(vtk.vtkVector3d(*point))
    press(shell, ui.propose)
    scores = {row[0]: row[1] for row in cells(ui.scoresTable)}
    assert 1.5 < float(scores["VBQ-T1"].split()[0]) < 5, scores


def scenario_cancel(shell) -> None:
    """Cancel in mid-run leaves the scene as it was; closing the scene in mid-run does no harm."""
    scene = slicer.mrmlScene
    before = scene.GetNumberOfNodes()
    widgets(shell)["Images"].openSample.click()
    assert shell.session.job is not None, shell.session.message
    shell.ui.cancelJob.click()
    assert shell.session.job is None
    assert scene.GetNumberOfNodes() == before
    widgets(shell)["Images"].openSample.click()
    scene.Clear(False)
    settle(0.5)
    assert shell.session.job is None
    assert shell.session.parameters.ct is None


SCENARIOS = (scenario_cancel, scenario_ct, scenario_vbq)


def open_sample(shell) -> None:
    """Press "Open sample patient"."""
    press(shell, widgets(shell)["Images"].openSample)
    assert shell.session.parameters.ct is not None


def widgets(shell) -> dict:
    """Return the widgets of each tab by its name."""
    return {panel.name: panel.ui for panel in shell.panels}


def show(shell, name: str) -> None:
    """Go to a tab."""
    shell.ui.tabs.currentIndex = [panel.name for panel in shell.panels].index(name)
    settle()


def press(shell, button) -> None:
    """Press a button and wait for the job that it starts; nothing may go wrong."""
    wait(lambda: button.enabled, f"{button.text} to be offered ({button.toolTip})", 10)
    button.click()
    wait(lambda: shell.session.job is None, button.text)
    settle()
    message = shell.session.message
    assert message.kind != "error", f"{button.text}: {message.what} {message.what_to_do}"


def wait(done: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
    """Let Slicer's loop run until `done`."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"waited {seconds:g} s for: {what}"
        settle()


def settle(seconds: float = 0.05) -> None:
    """Let Slicer's loop run."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        slicer.app.processEvents()
        time.sleep(0.005)


def body_centres(levels: tuple[str, ...]) -> list[tuple[float, float, float]]:
    """Return where the sample patient's bodies are (RAS mm), 2 mm off their middle, as a hand would click."""
    from OVFRiskLib.anatomy import VertebralLevel

    phantom = sample_patient()
    off = np.array([1.0, -1.0, 1.0])
    return [tuple(map(float, phantom.frames[VertebralLevel(level)].origin + off)) for level in levels]


@cache
def sample_patient():
    """Return what "Open sample patient" makes, from a coarse CT: the bodies are at the same places."""
    from OVFRiskLib.phantom import Fracture, PhantomSettings, make_patient

    return make_patient(PhantomSettings(seed=1, spacing=4, fractures=(Fracture.parse("L1:wedge:0.30"),)))


def segment_names(node) -> set[str]:
    """Return the levels that a segmentation's segments are named by."""
    segmentation = node.GetSegmentation()
    return {segmentation.GetSegment(name).GetName().split()[0] for name in segmentation.GetSegmentIDs()}


def erase_a_corner(node, level: str) -> None:
    """Take a voxel off a level's first segment, as the Segment Editor's eraser would."""
    segmentation = node.GetSegmentation()
    segments = map(segmentation.GetSegment, segmentation.GetSegmentIDs())
    segment = next(one for one in segments if one.GetName().split()[0] == level)
    layer = segment.GetRepresentation("Binary labelmap")
    values = vtk_to_numpy(layer.GetPointData().GetScalars())
    values[np.flatnonzero(values == segment.GetLabelValue())[0]] = 0
    layer.Modified()


def reopen(shell) -> None:
    """Save the scene, close it, and open it again."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "scene.mrb")
        slicer.util.saveScene(path)
        slicer.mrmlScene.Clear(False)
        settle()
        assert chosen_subject(shell) == ""
        slicer.util.loadScene(path)
        settle(0.5)


def chosen_subject(shell) -> str:
    """Return the subject code."""
    return shell.session.parameters.subject


def cells(table) -> list[list[str]]:
    """Return the text of a QTableWidget."""
    return [[table.item(row, column).text() for column in range(table.columnCount)] for row in range(table.rowCount)]
