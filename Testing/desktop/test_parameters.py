"""Every choice comes back from the scene's parameter node, as Slicer's own wrapper stores it."""

from enum import Enum
from typing import get_type_hints

import pytest
import slicer
from OVFRiskLib.panels.parameter_node import TAG, parameter_node
from OVFRiskLib.panels.parameters import Parameters, PhaseChoice, Sex

FIELDS = get_type_hints(Parameters)
PLAIN = (str, bool, int, float)
OTHER = {str: "T12, ä", bool: None, int: 7, float: 71.5}


def _is_node(kind: type) -> bool:
    return issubclass(kind, slicer.vtkMRMLNode)


@pytest.fixture
def chosen(scene):
    return parameter_node(scene)


def test_only_types_that_slicers_wrapper_knows():
    for name, kind in FIELDS.items():
        assert kind in PLAIN or issubclass(kind, Enum) or _is_node(kind), name
        assert _is_node(kind) or isinstance(getattr(Parameters, name), kind), f"{name} has no default"


@pytest.mark.parametrize("name", [name for name, kind in FIELDS.items() if not _is_node(kind)])
def test_a_choice_comes_back_with_its_type(scene, chosen, name):
    kind, default = FIELDS[name], getattr(Parameters, name)
    other = next((m for m in kind if m is not default), None) if issubclass(kind, Enum) else OTHER[kind]
    other = (not default) if kind is bool else other
    assert getattr(chosen, name) == default
    setattr(chosen, name, other)
    again = getattr(parameter_node(scene), name)
    assert again == other
    assert type(again) is kind


@pytest.mark.parametrize("name", [name for name, kind in FIELDS.items() if _is_node(kind)])
def test_a_node_comes_back_and_goes_with_the_node(scene, chosen, name):
    node = scene.AddNewNodeByClass(FIELDS[name].__name__.rpartition(".")[2], "some")
    setattr(chosen, name, node)
    assert getattr(parameter_node(scene), name) is node
    scene.RemoveNode(node)
    assert getattr(chosen, name) is None


def test_stored_as_slicers_wrapper_stores(scene, chosen):
    """Serializers of Slicer: text as it is, an enumeration's member by name, a node as reference and an empty text."""
    chosen.sex, chosen.age, chosen.synthetic = Sex.F, 71.0, True
    chosen.ct = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    node = scene.GetSingletonNode(TAG, "vtkMRMLScriptedModuleNode")
    assert [node.GetParameter(name) for name in ("sex", "age", "synthetic", "ct")] == ["F", "71.0", "True", ""]
    assert node.HasParameter("ct")
    assert node.GetNodeReferenceID("ct") == chosen.ct.GetID()
    assert node.GetID() == "vtkMRMLScriptedModuleNodeOVFRisk"


def test_a_wrong_type_or_name_is_refused(chosen):
    with pytest.raises(TypeError):
        chosen.age = "71"
    with pytest.raises(TypeError):
        chosen.sex = "F"
    with pytest.raises(AttributeError):
        chosen.ages = 71.0


def test_nothing_is_assumed():
    assert (Parameters.sex, Parameters.age, Parameters.phase) == (Sex.UNKNOWN, 0.0, PhaseChoice.NOT_GIVEN)


def test_a_saved_scene_restores_the_choices(scene, chosen, tmp_path):
    chosen.subject, chosen.phase = "P-07", PhaseChoice.ARTERIAL
    chosen.ct = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a ct")
    chosen.ct.CreateDefaultDisplayNodes()
    path = str(tmp_path / "scene.mrb")
    assert scene.WriteToMRB(path)
    scene.Clear(False)
    assert scene.ReadFromMRB(path, True)
    again = parameter_node(scene)
    assert (again.subject, again.phase, again.ct.GetName()) == ("P-07", PhaseChoice.ARTERIAL, "a ct")
