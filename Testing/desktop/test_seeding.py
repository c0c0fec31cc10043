"""Points that name themselves: on a real point list, as a reader clicks, renames, moves and deletes."""

from types import SimpleNamespace

import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.errors import UserError

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk  # noqa: E402
from OVFRiskLib.panels.parameter_node import parameter_node  # noqa: E402
from OVFRiskLib.panels.seed_names import stepped  # noqa: E402
from OVFRiskLib.panels.seeding import Seeding  # noqa: E402
from OVFRiskLib.panels.session import Session  # noqa: E402

PITCH = 35.0  # mm


@pytest.fixture
def clicks():
    """A session, its points, and the reader's hand."""
    scene = slicer.vtkMRMLScene()
    session = Session(scene, parameter_node(scene))
    told = []
    seeding = Seeding(session, lambda: told.append(1))
    node = seeding.ensure()

    def click(*places):
        for place in places:
            node.AddControlPoint(vtk.vtkVector3d(0, 0, -PITCH * place))

    def labels():
        return [node.GetNthControlPointLabel(n) for n in range(node.GetNumberOfControlPoints())]

    def relabel(n, label):
        node.SetNthControlPointLabel(n, label)

    yield SimpleNamespace(
        scene=scene, session=session, seeding=seeding, node=node, click=click, labels=labels, relabel=relabel, told=told
    )
    session.close()


def test_first_point_is_named_by_choice_and_the_next_by_where_they_lie(clicks):
    clicks.seeding.choose_first(VertebralLevel.L2)
    clicks.click(0, 1, 2, -1, -2, -3)
    assert clicks.labels() == ["L2", "L3", "L4", "L1", "T12", "T11"]
    assert clicks.told
    assert clicks.seeding.problem == ""


def test_a_click_into_a_gap_becomes_what_is_missing_there(clicks):
    clicks.click(0, 1, 2)
    clicks.node.RemoveNthControlPoint(1)
    assert clicks.labels() == ["L1", "L3"]
    clicks.click(1.1)
    assert clicks.labels() == ["L1", "L3", "L2"]


def test_two_missing_levels_are_told_apart_by_place(clicks):
    clicks.click(0, 1, 2, 3)
    for _ in range(2):
        clicks.node.RemoveNthControlPoint(1)
    clicks.click(1.9)
    clicks.click(1.2)
    assert clicks.labels() == ["L1", "L4", "L3", "L2"]


def test_deleting_leaves_no_double(clicks):
    clicks.click(0, 1, 2)
    clicks.node.RemoveNthControlPoint(2)
    clicks.click(2, 3)
    assert clicks.labels() == ["L1", "L2", "L3", "L4"]
    clicks.node.RemoveNthControlPoint(0)
    clicks.click(0)
    assert clicks.labels() == ["L2", "L3", "L4", "L1"]


@pytest.mark.parametrize(
    ("places", "between", "expected"),
    [((0, 1, 2), 0.5, ["L1", "L3", "L4", "L2"]), ((0, -1, -2), -0.5, ["L1", "T11", "T10", "T12"])],
)
def test_a_forgotten_vertebra_moves_those_further_out(clicks, places, between, expected):
    clicks.click(*places)
    clicks.click(between)
    assert clicks.labels() == expected


def test_a_gap_takes_up_a_forgotten_vertebra(clicks):
    clicks.click(0, 1)
    clicks.relabel(1, "L3")  # the reader has left one out
    clicks.click(2)
    clicks.node.RemoveNthControlPoint(1)
    clicks.click(0.9, 1.5)
    assert clicks.labels() == ["L1", "L4", "L2", "L3"]


def test_renaming_one_renames_those_further_out(clicks):
    clicks.click(0, 1, 2, -1)
    clicks.relabel(1, "l3")
    assert clicks.labels() == ["L1", "L3", "L4", "T12"]
    clicks.relabel(0, "T12")
    assert clicks.labels() == ["T12", "L2", "L3", "T11"]
    assert clicks.session.parameters.first_level == "T12"


def test_another_first_level_renames_all(clicks):
    clicks.click(0, 1, -1)
    clicks.seeding.choose_first(VertebralLevel.T12)
    assert clicks.labels() == ["T12", "L1", "T11"]


def test_t13_and_l6_only_where_named(clicks):
    clicks.click(0, -1, -2)
    assert clicks.labels() == ["L1", "T12", "T11"]
    clicks.relabel(1, "T13")
    assert clicks.labels() == ["L1", "T13", "T12"]
    clicks.seeding.choose_first(VertebralLevel.L5)
    clicks.click(1)
    assert clicks.labels()[-1] == "S1"
    clicks.relabel(3, "L6")
    assert clicks.labels()[-1] == "L6"
    assert clicks.session.message.what == ""


def test_a_name_that_does_not_fit_or_is_none_is_taken_back_with_a_message(clicks):
    clicks.click(0, 1, 2)
    clicks.relabel(2, "T12")
    assert clicks.labels() == ["L1", "L2", "L3"]
    assert "does not fit" in clicks.session.message.what
    clicks.relabel(2, "tumour")
    assert clicks.labels() == ["L1", "L2", "L3"]
    assert clicks.session.message.what == "'tumour' is no vertebral level."


def test_moving_keeps_names_and_contradictions_are_told(clicks):
    clicks.click(0, 1)
    clicks.node.SetNthControlPointPosition(0, 3, 4, -5)
    assert clicks.labels() == ["L1", "L2"]
    assert clicks.seeding.problem == ""
    clicks.node.SetNthControlPointPosition(0, 0, 0, -3 * PITCH)
    assert clicks.labels() == ["L1", "L2"]
    assert "L2 lies above that of L1" in clicks.seeding.problem


def test_a_point_that_is_only_previewed_is_none(clicks):
    clicks.click(0)
    clicks.node.AddControlPoint(vtk.vtkVector3d(0, 0, -PITCH))
    clicks.node.UnsetNthControlPointPosition(1)
    assert [point.label for point in clicks.seeding.points] == ["L1"]


def test_ends_of_the_spine(clicks):
    clicks.seeding.choose_first(VertebralLevel.S1)
    clicks.click(0, 1)
    assert clicks.labels() == ["S1", ""]
    assert "not so many vertebrae below S1" in clicks.session.message.what
    with pytest.raises(UserError):
        stepped(VertebralLevel.C1, -1)


def test_a_list_from_elsewhere_is_named_only_when_asked(clicks):
    other = clicks.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "F")
    for place in (0, 1):
        other.AddControlPoint(vtk.vtkVector3d(0, 0, -PITCH * place))
    clicks.session.parameters.seeds = other
    assert [point.label for point in clicks.seeding.points] == ["F-1", "F-2"]
    assert "names no level" in clicks.seeding.problem
    clicks.seeding.choose_first(VertebralLevel.L3)
    assert [point.label for point in clicks.seeding.points] == ["L3", "L4"]
    clicks.click(5)  # the list that is no longer chosen names nothing
    assert clicks.labels() == [""]


def test_seeds_and_table_follow_a_transform(clicks):
    transform = clicks.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(2, 3, 100.0)
    transform.SetMatrixTransformToParent(matrix)
    clicks.node.SetAndObserveTransformNodeID(transform.GetID())
    clicks.node.AddControlPointWorld(vtk.vtkVector3d(1, 2, 3))
    (seed,) = clicks.seeding.seeds
    assert seed.point.tolist() == pytest.approx([1, 2, 3])
    assert [cell.text for cell in clicks.seeding.table().rows[0].cells] == ["L1", "1.0", "2.0", "3.0"]


def test_a_scene_that_goes_takes_the_list_along(clicks):
    clicks.click(0)
    clicks.scene.RemoveNode(clicks.node)
    assert clicks.seeding.points == []
    assert clicks.seeding.problem == "Click once into each vertebral body."
