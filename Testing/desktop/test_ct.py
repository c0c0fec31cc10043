"""The panel CT without Qt: measure, edit, update, save, reload; jobs are the real ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import slicer
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.tables import read_measurements
from OVFRiskLib.measurement import Quality
from OVFRiskLib.mrml import save_bundle
from OVFRiskLib.panels.ct import Ct
from OVFRiskLib.panels.ct_tables import CtTables
from OVFRiskLib.panels.parameters import CalibrationChoice
from OVFRiskLib.panels.record import CT, Record
from OVFRiskLib.panels.view import MessageKind, RowState
from OVFRiskLib.scene import plots, record_nodes
from OVFRiskLib.scene.segmentation_edits import layer_array
from OVFRiskLib.scene.segments import add_beside

L1, L2, L3 = (VertebralLevel(name) for name in ("L1", "L2", "L3"))


@pytest.fixture(scope="module")
def made(pytestconfig):
    """What conftest.py makes scenes and sessions with."""
    return pytestconfig.pluginmanager.get_plugin(str(Path(__file__).with_name("conftest.py")))


@pytest.fixture(scope="module")
def opened(made, phantom):
    """A scene with the phantom, its segmentation and structures chosen, and the panel."""
    session = made.new_session(made.new_scene())
    made.add_phantom(session, phantom)
    chosen = session.parameters
    chosen.segmentation = add_beside(session.scene, phantom.labels, chosen.ct, "Vertebrae")
    chosen.calibration, chosen.rods = CalibrationChoice.RODS, "0,50,100,200"
    chosen.ct_levels = "T12-L4"
    chosen.ct_whole = False
    panel = Ct(session)
    yield session, panel
    panel.close()
    session.close()


def finish(session, seconds=90):
    import time

    end = time.monotonic() + seconds
    while session.job and time.monotonic() < end:
        session.poll()
        time.sleep(0.02)
    assert session.job is None
    assert session.message.kind is not MessageKind.ERROR, session.message


@pytest.fixture(scope="module")
def measured(opened):
    """The same, measured once."""
    session, panel = opened
    panel.measure()
    finish(session)
    return session, panel


def shave(node, level):
    """Take the foremost and the last row off a level, as an editor's effect would; return what undoes it."""
    segmentation = node.GetSegmentation()
    name = next(n for n in segmentation.GetSegmentIDs() if segmentation.GetSegment(n).GetName() == f"{level} whole")
    segment = segmentation.GetSegment(name)
    layer = segment.GetRepresentation("Binary labelmap")
    array, _ = layer_array(layer)
    inside = array == segment.GetLabelValue()
    kept, j = array.copy(), np.flatnonzero(inside.any(axis=(0, 2)))
    front = inside & np.isin(np.arange(array.shape[1]), (j[0], j[-1]))[None, :, None]
    array[front] = 0
    layer.Modified()

    def undo():
        array[:] = kept
        layer.Modified()

    return undo


def states(view):
    return {row.key: row.state for row in view.rows}


def test_measuring_fills_tables_charts_and_nodes(measured):
    session, panel = measured
    tables = panel.tables
    assert [row.key for row in tables.heights().rows] == ["T12", "L1", "L2", "L3", "L4"]
    assert set(states(tables.heights()).values()) == {RowState.CURRENT}
    grades = {row.key: row.cells[5].text for row in tables.heights().rows}
    assert grades["L1"] in {"2 wedge", "3 wedge"}  # made with a loss of 30 %
    assert grades["L2"] == grades["L3"] == "0"
    mean = tables.attenuation().rows[-1]
    assert mean.key == "mean"
    assert "±" in mean.cells[4].text
    assert panel.changed == ""
    charts = slicer.vtkMRMLPlotChartNode
    found = [session.scene.GetNthNodeByClass(n, "vtkMRMLPlotChartNode") for n in range(2)]
    assert [chart.GetNumberOfPlotSeriesNodes() for chart in found] == [1, 3]
    assert isinstance(found[0], charts)
    table = found[1].GetNthPlotSeriesNode(0).GetTableNode().GetTable()
    anterior = session.record.table.value(level=L2, compartment=Compartment.BODY, name="anterior_height")
    assert table.GetValueByName(2, "Anterior").ToDouble() == anterior


def test_how_the_ct_was_acquired_goes_with_it(measured, phantom):
    _session, panel = measured
    assert panel.part.run["images"]["CT"]["acquisition"] == dict(phantom.ct.acquisition)
    assert panel.part.run["patient"]["synthetic"]


def test_values_are_those_of_the_command_line(measured, phantom, ovfrisk, tmp_path):
    """What the panel shows is what `ovfrisk analyze` finds on the same files."""
    from OVFRiskLib.files.segmentation_file import write_segmentation
    from OVFRiskLib.files.write_images import write_volume

    session, _panel = measured
    write_volume(tmp_path / "ct.nii.gz", phantom.ct)
    write_segmentation(tmp_path / "labels.seg.nrrd", phantom.labels)
    done = ovfrisk(
        "analyze", tmp_path / "out", "--ct", tmp_path / "ct.nii.gz", "--labels", tmp_path / "labels.seg.nrrd",
        "--levels", "T12-L4", "--phase", "none", "--rods", "0,50,100,200", "--parts", "none", "--tables-only",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = {(r.level, r.compartment, r.name): r.value for r in read_measurements(tmp_path / "out/measurements.csv")}
    found = {(r.level, r.compartment, r.name): r.value for r in session.record.table}
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == (None if value is None else pytest.approx(value, rel=1e-6, abs=1e-6)), key


def test_features_are_found_by_words(measured):
    _session, panel = measured
    one = panel.tables.features("l2 cancellous original_glcm_idmn")
    assert [row.key for row in one.rows] == ["L2 cancellous|original_glcm_Idmn"]
    assert {row.level for row in panel.tables.features("l2").rows} == {L2}
    assert "107" in panel.tables.features("l2 cancellous").title
    assert not panel.tables.features("l2 whole").rows


def test_an_edit_update_and_undo(measured):
    session, panel = measured
    chosen, before = session.parameters, session.record
    undo = shave(chosen.segmentation, L3)
    assert panel.flush()
    undo()
    assert panel.flush() == frozenset()
    assert set(states(panel.tables.heights()).values()) == {RowState.CURRENT}
    shave(chosen.segmentation, L3)
    assert panel.flush()
    heights = states(panel.tables.heights())
    assert set(heights.values()) == {RowState.STALE}  # grades hang on all levels
    bone = {r.level for r in session.record.stale_rows if r.name == "trabecular_attenuation"}
    assert bone == {L3}
    assert "L3" in panel.tables.attenuation().rows[3].tip
    assert {row.state for row in panel.tables.features("l2").rows} == {RowState.CURRENT}
    assert {row.state for row in panel.tables.features("l3").rows} == {RowState.STALE}
    assert "L3" in panel.changed
    panel.update()
    finish(session)
    assert panel.changed == ""
    assert set(states(panel.tables.heights()).values()) == {RowState.CURRENT}
    run = panel.part.run
    assert "L2 cancellous" in run["features_taken"]
    assert not [name for name in run["features_taken"] if name.startswith("L3")]
    volume = {"level": L3, "compartment": Compartment.BODY, "name": "volume"}
    assert session.record.table.value(**volume) < before.table.value(**volume)


def test_another_choice_is_measured_afresh_and_an_edit_meanwhile_stays_stale(measured):
    session, panel = measured
    session.parameters.age = 80.0
    assert "choices" in panel.changed
    panel.update()
    undo = shave(session.parameters.segmentation, L2)
    finish(session)
    assert panel.part.run["patient"]["age"] == 80.0
    assert panel.part.run["features_taken"] == []
    assert session.record.stale_levels == (L2,)
    undo()
    panel.flush()
    assert panel.changed == ""


def test_cancel_leaves_scene_and_record_as_they_were(measured):
    session, panel = measured
    before, nodes = session.record, session.scene.GetNumberOfNodes()
    panel.measure()
    session.cancel()
    assert session.record is before
    assert session.scene.GetNumberOfNodes() == nodes


def test_a_level_that_is_not_there_is_told(measured):
    session, panel = measured
    before = session.parameters.ct_levels
    session.parameters.ct_levels = "T1"
    panel.measure()
    while session.job:
        session.poll()
    assert session.message.kind is MessageKind.ERROR
    assert "no T1" in session.message.what
    session.parameters.ct_levels = before


def test_a_row_leads_the_views_to_its_level(measured, phantom):
    session, _panel = measured
    views = [session.scene.AddNewNodeByClass("vtkMRMLSliceNode") for _ in range(3)]
    for view, name in zip(views, ("Red", "Yellow", "Green"), strict=True):
        view.SetLayoutName(name)
        view.SetName(name)
    node = session.parameters.segmentation
    display, names = node.GetDisplayNode(), list(node.GetSegmentation().GetSegmentIDs())
    before = {name: display.GetSegmentOpacity2DFill(name) for name in names}
    session.select_level(L2)
    centre = np.array([views[0].GetSliceToRAS().GetElement(n, 3) for n in range(3)])
    body = phantom.compartments.mask(Region(Compartment.CANCELLOUS, L2))
    true = body.to_ras(np.argwhere(body.array).mean(axis=0)[::-1])
    assert np.linalg.norm(centre - true) < 6
    faint = {name for name in names if display.GetSegmentOpacity2DFill(name) < before[name]}
    assert {name for name in names if name not in faint} == {name for name in names if name.startswith("L2")}
    session.select_level(L3)
    session.select_level(None)
    assert {name: display.GetSegmentOpacity2DFill(name) for name in names} == before


def test_the_record_comes_back_with_the_scene(made, measured, tmp_path):
    session, panel = measured
    bundle = tmp_path / "scene.mrb"
    save_bundle(session.scene, bundle)
    before = session.record
    scene = made.new_scene()
    cache, data = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    cache.SetRemoteCacheDirectory(str(tmp_path))
    cache.SetMRMLScene(scene)
    data.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(data)
    assert scene.ReadFromMRB(str(bundle), True)
    other = made.new_session(scene)
    panel = Ct(other)
    assert other.message.kind is not MessageKind.ERROR, other.message
    assert other.record.table.rows == before.table.rows
    assert contents(other.record.features) == contents(before.features)
    assert panel.changed == ""
    assert set(states(panel.tables.heights()).values()) == {RowState.CURRENT}
    shave(other.parameters.segmentation, L3)
    panel.flush()
    assert other.record.stale_levels == (L3,)
    panel.close()
    other.close()


def contents(features):
    return {
        region: (dict(one.values), dict(one.absent), dict(one.diagnostics), one.warnings, one.protocol_id)
        for region, one in features.items()
    }


def test_a_spoilt_record_is_a_message_and_nothing_else(phantom_session):
    record_nodes.store(phantom_session.scene, '{"schema": 1}', {}, None)
    panel = Ct(phantom_session)
    assert phantom_session.message.kind is MessageKind.ERROR
    assert phantom_session.record is None
    panel.close()


def test_what_is_missing_is_said(made, session, phantom):
    panel = Ct(session)
    assert "Choose a CT" in panel.next_step
    with pytest.raises(UserError):
        panel.measure()
    made.add_phantom(session, phantom)
    assert "Segmentation" in panel.next_step
    assert panel.tables.heights().rows == ()
    with pytest.raises(UserError, match="Nothing has been measured"):
        panel.update()
    panel.close()


def test_rods_without_densities_are_told(phantom_session, phantom):
    chosen = phantom_session.parameters
    chosen.segmentation = add_beside(phantom_session.scene, phantom.labels, chosen.ct, "Vertebrae")
    chosen.calibration = CalibrationChoice.RODS
    panel = Ct(phantom_session)
    with pytest.raises(UserError, match="densities of the rods"):
        panel.measure()
    assert phantom_session.job is None
    panel.close()


def test_charts_go_as_they_came(scene):
    plots.show_chart(scene, plots.Chart("A", "HU", ["L1", "L2"], {"x": [1.0, None]}))
    count = scene.GetNumberOfNodes()
    plots.show_chart(scene, plots.Chart("A", "HU", ["L1", "L2"], {"x": [2.0, None]}))
    assert scene.GetNumberOfNodes() == count
    plots.remove_charts(scene)
    assert scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 0
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotSeriesNode") == 0


def test_absent_rows_say_why(measured):
    _session, panel = measured
    rows = [
        replace(row, value=None, quality=Quality.ABSENT, note="cut off by the border of the image")
        for row in panel.part.table
        if row.level == L2 and row.compartment is Compartment.BODY
    ]
    view = CtTables(Record({CT: replace(panel.part, table=type(panel.part.table)(rows))})).heights()
    assert [row.state for row in view.rows] == [RowState.ABSENT]
    assert "cut off" in view.rows[0].tip
