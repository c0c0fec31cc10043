"""The choices in a scene's parameter node, for fronts without Slicer's own wrapper, and stored as that does."""

from enum import Enum
from typing import Any, get_type_hints

import slicer

from .parameters import Parameters

TAG = "OVFRisk"  # Slicer's name of a module's parameter node
_READ = {str: str, float: float, int: int, bool: lambda text: text == "True"}


class ParameterNode(Parameters):
    """The fields of `Parameters`, read from and written to a ``vtkMRMLScriptedModuleNode``.

    Parameters
    ----------
    node : vtkMRMLScriptedModuleNode
        Also the attribute `parameterNode`, as in Slicer.
    """

    def __init__(self, node: slicer.vtkMRMLScriptedModuleNode) -> None:
        object.__setattr__(self, "parameterNode", node)

    def __getattribute__(self, name: str) -> Any:
        kind = _FIELDS.get(name)
        return object.__getattribute__(self, name) if kind is None else _read(self.parameterNode, name, kind)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _FIELDS:
            raise AttributeError(f"no choice is called {name}")
        _write(self.parameterNode, name, _FIELDS[name], value)


def parameter_node(scene: slicer.vtkMRMLScene) -> ParameterNode:
    """Return the choices of a scene; made where it has none yet."""
    node = scene.GetSingletonNode(TAG, "vtkMRMLScriptedModuleNode")
    if node is None:
        node = slicer.vtkMRMLScriptedModuleNode()
        node.SetSingletonTag(TAG)
        node.SetModuleName(TAG)
        node.SetName(TAG)
        node = scene.AddNode(node)
    return ParameterNode(node)


_FIELDS = get_type_hints(Parameters)


def _is_node(kind: type) -> bool:
    return issubclass(kind, slicer.vtkMRMLNode)


def _read(node: slicer.vtkMRMLScriptedModuleNode, name: str, kind: type) -> Any:
    if _is_node(kind):
        return node.GetNodeReference(name)
    text = node.GetParameter(name)
    if not text and not node.HasParameter(name):
        return getattr(Parameters, name)
    return kind[text] if issubclass(kind, Enum) else _READ[kind](text)


def _write(node: slicer.vtkMRMLScriptedModuleNode, name: str, kind: type, value: Any) -> None:
    if _is_node(kind):
        node.SetParameter(name, "")  # so Slicer's wrapper knows that it has been chosen
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)
        return
    if not isinstance(value, kind) and not (kind is float and isinstance(value, int)):
        raise TypeError(f"{name} is a {kind.__name__}, not {value!r}")
    node.SetParameter(name, value.name if isinstance(value, Enum) else str(value))
