"""Stands in for the Python modules of Slicer that the wheel slicer-core lacks."""

import unittest
from pathlib import Path
from types import ModuleType
from typing import Any

import slicer


class ScriptedLoadableModule:
    """Fills in what the module's author did not."""

    def __init__(self, parent) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__


class ScriptedLoadableModuleWidget:
    """A panel in a parent widget that has a layout."""

    def __init__(self, parent=None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.parent = parent
        self.layout = parent.layout()

    def setup(self) -> None:
        pass

    def cleanup(self) -> None:
        pass

    def enter(self) -> None:
        pass

    def exit(self) -> None:
        pass

    def onReload(self) -> None:
        slicer.app.reloaded.append(self.moduleName)


class ScriptedLoadableModuleLogic:
    """Keeps one parameter node a scene."""

    def __init__(self, parent=None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self):
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.vtkMRMLScriptedModuleNode()
            node.SetSingletonTag(self.moduleName)
            node = slicer.mrmlScene.AddNode(node)
        node.SetAttribute("ModuleName", self.moduleName)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Slicer calls `runTest`."""

    def runTest(self) -> None:
        raise NotImplementedError

    def delayDisplay(self, message: str, *_more) -> None:
        pass


def parameterNodeWrapper(description: type) -> type:
    """Like Slicer's: makes properties of a class's annotations, once; a class that was processed is refused."""
    if hasattr(description, "_is_parameter_node_wrapper"):
        raise ValueError("Cannot use reserved name '_is_parameter_node_wrapper' in a parameterNodeWrapper")
    from OVFRiskLib.panels import parameter_node

    kinds = parameter_node._FIELDS
    for name, kind in kinds.items():
        setattr(description, name, _property(name, kind, parameter_node))

    def start(self, node, prefix=None) -> None:
        self.parameterNode = node
        for name in kinds:  # Slicer's writes the defaults as soon as it wraps a node
            if not node.HasParameter(name):
                setattr(self, name, getattr(parameter_node.Parameters, name, None))

    description.__init__ = start
    description._is_parameter_node_wrapper = True
    return description


def _property(name: str, kind: type, stored: Any) -> property:
    def get(self):
        return stored._read(self.parameterNode, name, kind)

    def put(self, value) -> None:
        stored._write(self.parameterNode, name, kind, value)

    return property(get, put)


class Packaging(ModuleType):
    """`slicer.packaging`: remembers what was asked for; `consent` is the user's answer, `missing` what is not there."""

    def __init__(self) -> None:
        super().__init__("slicer.packaging")
        self.asked: list[tuple[list[str], str]] = []
        self.consent, self.missing = True, set()

    def load_requirements(self, path) -> list[str]:
        lines = map(str.strip, Path(path).read_text("utf-8").splitlines())
        return [line for line in lines if line and not line.startswith(("#", "-"))]

    def pip_check(self, requirement) -> bool:
        wanted = [requirement] if isinstance(requirement, str) else requirement
        return not any(name in str(entry) for entry in wanted for name in self.missing)

    def pip_ensure(self, requirements, requester=None, **_options) -> None:
        if self.pip_check(requirements):
            return
        self.asked.append((list(map(str, requirements)), requester))
        if not self.consent:
            raise RuntimeError("User declined package installation")
        self.missing.clear()


class SampleDataLogic:
    """`SampleData.SampleDataLogic`: what was registered."""

    registered: list[dict] = []  # noqa: RUF012

    @staticmethod
    def registerCustomSampleDataCategory(category: str) -> None:
        pass

    @staticmethod
    def registerCustomSampleDataSource(category="Custom", sampleName=None, **more) -> None:
        SampleDataLogic.registered.append({"category": category, "sampleName": sampleName, **more})


def modules() -> dict[str, ModuleType]:
    """Return the modules by name."""
    return {
        "slicer.i18n": _module("slicer.i18n", tr=lambda text: text, translate=lambda _context, text: text),
        "slicer.packaging": Packaging(),
        "slicer.ScriptedLoadableModule": _module(
            "slicer.ScriptedLoadableModule",
            ScriptedLoadableModule=ScriptedLoadableModule,
            ScriptedLoadableModuleWidget=ScriptedLoadableModuleWidget,
            ScriptedLoadableModuleLogic=ScriptedLoadableModuleLogic,
            ScriptedLoadableModuleTest=ScriptedLoadableModuleTest,
        ),
        "slicer.parameterNodeWrapper": _module(
            "slicer.parameterNodeWrapper", parameterNodeWrapper=parameterNodeWrapper
        ),
        "SampleData": _module("SampleData", SampleDataLogic=SampleDataLogic),
    }


def _module(name: str, **members: object) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(members)
    return module
