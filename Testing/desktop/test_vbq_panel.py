"""The panel VBQ without Qt: proposed, dragged, excluded, kept with the scene; the table follows."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk  # noqa: E402
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel  # noqa: E402
from OVFRiskLib.errors import UserError  # noqa: E402
from OVFRiskLib.image import Modality  # noqa: E402
from OVFRiskLib.mrml import add_segmentation  # noqa: E402
from OVFRiskLib.panels.parameters import BodiesChoice  # noqa: E402
from OVFRiskLib.panels.vbq import Vbq  # noqa: E402
from OVFRiskLib.panels.vbq_regions import why_not  # noqa: E402
from OVFRiskLib.panels.vbq_tables import exclusions_view, scores_view, signals_view  # noqa: E402
from OVFRiskLib.panels.view import RowState  # noqa: E402
from OVFRiskLib.scene import regions as curves  # noqa: E402
from OVFRiskLib.vbq import Regions, measure_vbq, propose_regions  # noqa: E402

L2, L3 = VertebralLevel.L2, VertebralLevel.L3
L2_BODY = Region(Compartment.BODY, L2)
SCORES = ("vbq_t1", "vbq_t2", "vbq_stir", "vbq_t2_stir")


@pytest.fixture(scope="module")
def proposed(phantom):
    """The phantom's regions, as they are proposed from its own labels."""
    volumes = {Modality.T1: phantom.t1, Modality.T2: phantom.t2, Modality.STIR: phantom.stir}
    return propose_regions(volumes, phantom.mr_bodies)


@pytest.fixture
def vbq(phantom_session, proposed):
    """The panel with the phantom's regions in the scene."""
    panel = Vbq(phantom_session)
    images = {str(s): phantom_session.volume(s).hash for s in (Modality.T1, Modality.T2, Modality.STIR)}
    panel.show(proposed, images)
    return panel


def fresh(panel):
    """Return what `measure_vbq` gives for the regions that lie in the scene now."""
    chosen = panel.session.parameters
    return measure_vbq(
        panel.volumes,
        Regions.from_dict(curves.regions_of(panel.head)),
        fractured=VertebralLevel.span(chosen.fractured) if chosen.fractured else (),
        statistic=chosen.vbq_statistic,
        subject=chosen.subject,
        exclude=chosen.vbq_exclude,
        correct_motion=chosen.vbq_motion,
    )


def drag(panel, key, shift):
    """Move every point of a curve, RAS mm, as the handle does."""
    node = curves.region_node(panel.head, key)
    points = vtk.vtkPoints()
    points.SetDataTypeToDouble()
    node.GetControlPointPositionsWorld(points)
    for n in range(points.GetNumberOfPoints()):
        points.SetPoint(n, *(np.array(points.GetPoint(n)) + shift))
    node.SetControlPointPositionsWorld(points)
    return node


def test_regions_come_back_from_the_scene_without_loss(vbq, proposed):
    assert vbq.regions == proposed
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(vbq.session.scene)
    folders = {
        hierarchy.GetItemName(hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)))
        for node in curves.region_nodes(vbq.head)
    }
    assert folders == {curves.FOLDER}
    assert [node.GetName() for node in curves.region_nodes(vbq.head)] == [str(roi.region) for roi in proposed]


def test_first_table_is_a_fresh_measurement(vbq):
    assert vbq.table.rows == fresh(vbq).rows
    assert not vbq.measured.stale
    view = scores_view(vbq)
    assert [row.key for row in view.rows][:4] == list(SCORES)
    assert all(row.state is RowState.CURRENT for row in view.rows)


def test_a_drag_is_followed_and_settles_to_a_fresh_measurement(vbq):
    before = vbq.table
    drag(vbq, "L2 body", (0.0, 3.0, -2.0))
    assert vbq.table is before  # nothing happens inside the scene's event
    vbq.follow()
    wanted, live = fresh(vbq), vbq.table
    stale = {name for _, _, name in vbq.measured.stale}
    assert stale == {"t1_shading_percent", "t2_shading_percent", "stir_shading_percent"}
    for row in wanted:
        if row.name not in stale:
            found = live.value(level=row.level, compartment=row.compartment, name=row.name)
            assert found == row.value, row.name
    states = {row.key: row.state for row in scores_view(vbq).rows}
    assert states["t1_shading_percent"] is RowState.STALE
    assert states["vbq_t1"] is RowState.CURRENT
    assert {row.name for row in vbq.session.record.stale_rows} == stale
    vbq.settle()
    assert vbq.table.rows == wanted.rows
    assert not vbq.session.record.stale_rows


def test_only_what_hangs_on_the_dragged_region_changes(vbq):
    before = {(r.level, r.compartment, r.name): r.value for r in vbq.table}
    drag(vbq, "L2 body", (0.0, 3.0, -2.0))
    vbq.settle()
    after = {(r.level, r.compartment, r.name): r.value for r in vbq.table}
    changed = {key for key in before if before[key] != after[key]}
    assert {key[0] for key in changed} == {L2, None}
    assert all((None, None, name) in changed for name in SCORES)


def test_back_in_its_place_everything_is_as_before(vbq):
    before = vbq.table
    drag(vbq, "L2 body", (0.0, 4.0, 0.0))
    vbq.follow()
    drag(vbq, "L2 body", (0.0, -4.0, 0.0))
    vbq.settle()
    assert vbq.table.rows == before.rows


def test_points_off_the_plane_are_put_back(vbq):
    roi = vbq.regions.bodies[L2]
    node = drag(vbq, "L2 body", 5.0 * roi.plane.normal)
    vbq.follow()
    at = np.array([node.GetNthControlPointPositionWorld(n) for n in range(node.GetNumberOfControlPoints())])
    assert np.abs(roi.plane.from_ras(at)[:, 2]).max() < 1e-9
    np.testing.assert_allclose(vbq.regions.bodies[L2].outline, roi.outline, atol=1e-9)


def test_events_are_told_once(vbq):
    woken = []
    vbq.wake = lambda: woken.append(1)
    node = curves.region_node(vbq.head, "L2 body")
    for n in range(10):
        node.SetNthControlPointPositionWorld(n, *np.add(node.GetNthControlPointPositionWorld(n), (0, 0.5, 0)))
    drag(vbq, "L3 csf", (0.0, -0.5, 0.0))
    assert woken == [1]
    vbq.follow()
    assert vbq.table.value(level=L2, compartment=Compartment.BODY, name="t1_signal_intensity") == fresh(vbq).value(
        level=L2, compartment=Compartment.BODY, name="t1_signal_intensity"
    )


def test_fractured_level_is_replaced_at_once(vbq):
    vbq.set_fractured((VertebralLevel.L1,))
    (row,) = vbq.table.where(name="vbq_t1").rows
    assert "L1 left out (fractured), replaced by T12" in row.note
    assert vbq.table.rows == fresh(vbq).rows


def test_median_is_another_protocol(vbq):
    before = vbq.table.rows[0].protocol_id
    vbq.session.parameters.vbq_statistic = "median"
    assert vbq.table.rows[0].protocol_id != before
    assert vbq.table.rows == fresh(vbq).rows


def test_exclusion_is_drawn_switched_off_and_on(vbq):
    count = Region(Compartment.BODY, L2)
    before = vbq.table.value(level=L2, compartment=Compartment.BODY, name="t1_voxel_count")
    vbq.exclude(count)
    (row,) = exclusions_view(vbq).rows
    out = vbq.table.value(level=L2, compartment=Compartment.BODY, name="t1_voxel_count")
    spacing = vbq.volumes[Modality.T1].spacing
    assert before - out > 0.5 * np.pi * 4**2 / np.prod(np.sort(spacing)[:2])  # a circle of 4 mm, at least one slice
    assert row.cells[2].text == "yes"
    vbq.leave_in(row.key, True)
    assert vbq.table.value(level=L2, compartment=Compartment.BODY, name="t1_voxel_count") == before
    assert exclusions_view(vbq).rows[0].cells[2].text == "no"
    vbq.leave_in(row.key, False)
    vbq.settle()
    assert vbq.table.rows == fresh(vbq).rows


def test_deleted_region_is_absent_and_can_be_drawn_again(vbq):
    vbq.session.scene.RemoveNode(curves.region_node(vbq.head, "L3 csf"))
    vbq.settle()
    rows = {row.key: row for row in scores_view(vbq).rows}
    assert rows["vbq_t1"].state is RowState.ABSENT
    assert "deleted" in rows["vbq_t1"].tip
    vbq.draw(Region(Structure.CSF, L3))
    vbq.settle()
    assert vbq.regions.csf.region == Region(Structure.CSF, L3)
    assert vbq.table.value(name="vbq_t1") is not None
    with pytest.raises(UserError, match="there already"):
        vbq.draw(Region(Structure.CSF, L3))


def test_an_outline_without_area_is_said_and_what_was_measured_stays(vbq):
    before, node = vbq.table, curves.region_node(vbq.head, "L2 body")
    middle = node.GetNthControlPointPositionWorld(0)
    for n in range(node.GetNumberOfControlPoints()):
        node.SetNthControlPointPositionWorld(n, *middle)
    vbq.follow()
    assert vbq.table is before
    assert vbq.session.message.what.startswith("'L2 body' encloses no area any more")


def test_deleted_text_node_ends_it(vbq):
    vbq.session.scene.RemoveNode(vbq.head)
    vbq.follow()
    assert vbq.regions is None
    assert len(vbq.table) == 0
    assert scores_view(vbq).rows == ()


def test_curve_that_was_tampered_with_is_refused(vbq, reload):
    curves.region_node(vbq.head, "L2 body").SetAttribute("OVFRisk.VbqRegion", '{"region": "L2 body"}')
    again = Vbq(reload(vbq.session))
    assert again.regions is None
    assert "'L2 body' is no region of bone quality" in again.session.message.what


def test_missing_t2_is_said_and_t1_goes_on(vbq):
    vbq.session.parameters.t2 = None
    rows = {row.key: row for row in scores_view(vbq).rows}
    assert rows["vbq_t2"].state is RowState.ABSENT
    assert rows["vbq_t2"].tip == "no T2 image is chosen in the panel Images"
    assert rows["vbq_t1"].state is RowState.CURRENT
    assert "T2 (SD)" not in signals_view(vbq).columns


def test_nothing_chosen_gives_the_message(session):
    panel = Vbq(session)
    with pytest.raises(UserError, match="No T1, T2 or STIR image is chosen"):
        panel.propose()
    assert why_not(session).what_to_do == "Choose at least one in the panel Images."
    assert scores_view(panel).rows == signals_view(panel).rows == exclusions_view(panel).rows == ()


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (BodiesChoice.SEGMENTATION, "No segmentation of the vertebral bodies"),
        (BodiesChoice.CLICKS, "There is no point in a vertebral body"),
        (BodiesChoice.FILE, "No file of regions is chosen"),
    ],
)
def test_without_places_the_message_says_what_to_do(phantom_session, where, what):
    panel = Vbq(phantom_session)
    phantom_session.parameters.vbq_bodies = where
    with pytest.raises(UserError, match=what):
        panel.propose()
    assert phantom_session.job is None


def test_regions_are_read_from_a_file_and_refused_from_a_wrong_one(phantom_session, proposed, tmp_path):
    path = tmp_path / "regions.json"
    path.write_text(json.dumps({"images": {}, **proposed.to_dict()}))
    phantom_session.parameters.vbq_bodies = BodiesChoice.FILE
    phantom_session.parameters.vbq_regions_file = str(path)
    panel = Vbq(phantom_session)
    panel.propose()
    assert panel.regions == proposed
    path.write_text("[]")
    with pytest.raises(UserError, match="holds no regions"):
        panel.propose()
    assert panel.regions == proposed


def test_selecting_turns_the_slice_view_onto_the_plane(vbq):
    views = []
    for normal in ((0, 0, 1), (1, 0, 0), (0, 1, 0)):
        view = slicer.vtkMRMLSliceNode()
        view.SetLayoutName("RYG"[len(views)])
        views.append(vbq.session.scene.AddNode(view))
        for axis in range(3):
            view.GetSliceToRAS().SetElement(axis, 2, normal[axis])
        view.UpdateMatrices()
    vbq.select("L2 body")
    plane = vbq.regions.bodies[L2].plane
    matrix = views[1].GetSliceToRAS()
    third = np.array([matrix.GetElement(row, 2) for row in range(3)])
    place = np.array([matrix.GetElement(row, 3) for row in range(3)])
    np.testing.assert_allclose(third, plane.normal, atol=1e-6)
    assert abs(plane.from_ras(place)[2]) < 1e-6
    assert vbq.session.level is L2
    shown = {node.GetName(): node.GetDisplayNode().GetHandlesInteractive() for node in curves.region_nodes(vbq.head)}
    assert [name for name, on in shown.items() if on] == ["L2 body"]


def test_scene_closed_while_dragging(vbq):
    node = drag(vbq, "L2 body", (0.0, 1.0, 0.0))
    node.InvokeEvent(node.PointStartInteractionEvent)
    assert vbq.dragging
    vbq.session.scene.Clear(False)
    vbq.follow()
    vbq.settle()
    assert not vbq.dragging
    vbq.session.close()
    vbq.close()
    assert vbq.regions is None


def test_the_job_proposes_from_a_segmentation(phantom_session, phantom, run_job):
    chosen = phantom_session.parameters
    chosen.t2 = chosen.stir = None  # quicker
    chosen.vbq_segmentation = add_segmentation(phantom_session.scene, phantom.mr_bodies, chosen.t1)
    chosen.vbq_bodies = BodiesChoice.SEGMENTATION
    panel, proposed = Vbq(phantom_session), propose_regions({Modality.T1: phantom.t1}, phantom.mr_bodies)
    panel.propose()
    assert panel.regions is None
    run_job(phantom_session)
    assert [roi.region for roi in panel.regions] == [roi.region for roi in proposed]
    for found, wanted in zip(panel.regions, proposed, strict=True):
        np.testing.assert_allclose(found.outline, wanted.outline, atol=0.6)
    first = panel.head
    panel.show(proposed, {})
    assert first.GetScene() is None  # in place of the earlier ones
    assert panel.session.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsClosedCurveNode") == len(proposed)


def test_a_saved_scene_gives_the_same_regions_and_values(vbq, reload):
    vbq.exclude(L2_BODY)
    drag(vbq, "L3 body", (0.0, 1.5, 0.5))
    vbq.set_fractured((VertebralLevel.L1,))
    vbq.settle()
    regions, table = vbq.regions, vbq.table
    (key,) = [row.key for row in exclusions_view(vbq).rows]
    assert key
    again = Vbq(reload(vbq.session))
    assert [roi.hash for roi in again.regions] == [roi.hash for roi in regions]
    assert again.regions.settings == regions.settings
    assert [e.kind for e in again.regions.exclusions] == [e.kind for e in regions.exclusions]
    assert {(r.level, r.compartment, r.name): r.value for r in again.table} == {
        (r.level, r.compartment, r.name): r.value for r in table
    }
    drag(again, "L2 body", (0.0, 2.0, 0.0))
    again.settle()
    assert again.table.rows == fresh(again).rows


@pytest.fixture
def reload(tmp_path):
    """`reload(session)` saves its scene, clears it, reads it again, and returns a new session on it."""
    from OVFRiskLib.panels.parameter_node import parameter_node
    from OVFRiskLib.panels.session import Session

    kept = SimpleNamespace(objects=[])

    def again(session):
        scene, cache, data = session.scene, slicer.vtkCacheManager(), slicer.vtkDataIOManager()
        cache.SetRemoteCacheDirectory(str(tmp_path))
        data.SetCacheManager(cache)
        scene.SetDataIOManager(data)
        kept.objects += [cache, data]
        path = str(tmp_path / "scene.mrb")
        assert scene.WriteToMRB(path)
        session.close()
        scene.Clear(True)
        assert scene.ReadFromMRB(path, True)
        return Session(scene, parameter_node(scene))

    return again
