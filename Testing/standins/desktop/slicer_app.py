"""Stands in for the running application: `slicer.app`, `slicer.mrmlScene`, `slicer.modules`, over the real MRML."""

import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import slicer

_LOGICS = {
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "tables": "vtkSlicerTablesLogic",
    "plots": "vtkSlicerPlotsLogic",
    "texts": "vtkSlicerTextsLogic",
    "volumes": "vtkSlicerVolumesLogic",
    "transforms": "vtkSlicerTransformLogic",
    "subjecthierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
}
SLICES = ("Red", "Yellow", "Green")


class Application:
    """`slicer.app`."""

    applicationName = "Slicer"
    applicationVersion = "5.12.0"
    documentationBaseUrl = "https://slicer.readthedocs.io/en/latest/"

    def __init__(self, logic, scene) -> None:
        self._logic, self._layout = logic, LayoutManager(scene)
        self.slots: dict[str, list] = {}
        self.reloaded: list[str] = []

    def connect(self, signal: str, slot) -> bool:
        self.slots.setdefault(signal, []).append(slot)
        return True

    def applicationLogic(self):
        return self._logic

    def layoutManager(self):
        return self._layout

    def testingEnabled(self) -> bool:
        return False

    def processEvents(self) -> None:
        import qt

        qt.QCoreApplication.processEvents()

    def setOverrideCursor(self, _cursor) -> None:
        pass

    def restoreOverrideCursor(self) -> None:
        pass

    def startupEnvironment(self):
        return SimpleNamespace(keys=lambda: tuple(os.environ), value=os.environ.get)

    def mainWindow(self):
        return None

    def topLevelWidgets(self) -> tuple:
        return ()


class LayoutManager:
    """Three slice views on real slice nodes."""

    def __init__(self, scene) -> None:
        self._scene, self.layout, self.threeDViewCount = scene, 3, 0
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
        for name in SLICES:
            node = slicer.vtkMRMLSliceNode()
            node.SetSingletonTag(name)
            node.SetName(name)
            node.SetLayoutName(name)
            scene.AddNode(node)

    def sliceViewNames(self) -> tuple:
        return SLICES

    def sliceWidget(self, name: str):
        node = self._scene.GetSingletonNode(name, "vtkMRMLSliceNode")
        return SimpleNamespace(mrmlSliceNode=lambda: node)

    def setLayout(self, number: int) -> None:
        self.layout = number


def install() -> None:
    """Make `import qt, ctk, slicer` give what desktop code expects; the application is made once a process."""
    import qt

    if hasattr(slicer, "app"):
        return
    sys.modules.setdefault("qt", qt)
    slicer.application = qt.QCoreApplication.instance() or qt.QApplication([])
    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerApplicationLogic()
    logic.SetMRMLScene(scene)
    slicer.mrmlScene = with_cache(scene)
    modules = {name: _module(getattr(slicer, kind), scene, logic) for name, kind in _LOGICS.items()}
    slicer.modules = SimpleNamespace(**modules)
    slicer.app = Application(logic, scene)
    _install_modules()
    _install_widgets()
    slicer.util.saveScene = lambda path, properties=None: scene.WriteToMRB(str(path))
    slicer.util.loadScene = lambda path, properties=None: _load(scene, Path(path))


def with_cache(scene):
    """Give the scene the cache folder that reading an .mrb takes."""
    cache = slicer.vtkCacheManager()
    folder = tempfile.TemporaryDirectory(prefix="ovfrisk-cache-")  # goes with the scene
    cache.SetRemoteCacheDirectory(folder.name)
    cache.SetMRMLScene(scene)
    scene.SetCacheManager(cache)
    data = slicer.vtkDataIOManager()
    data.SetCacheManager(cache)
    scene.SetDataIOManager(data)
    scene.kept = cache, data, folder
    return scene


def reset() -> None:
    """Forget what an earlier test did to the application."""
    from slicer_modules import SampleDataLogic, modules

    slicer.app.slots.clear()
    slicer.app.reloaded.clear()
    SampleDataLogic.registered.clear()
    slicer.packaging.__dict__.update(modules()["slicer.packaging"].__dict__)


def _module(kind: type, scene, application) -> SimpleNamespace:
    logic = kind()
    if hasattr(logic, "SetMRMLApplicationLogic"):
        logic.SetMRMLApplicationLogic(application)
    logic.SetMRMLScene(scene)
    return SimpleNamespace(logic=lambda: logic)


def _install_modules() -> None:
    from slicer_modules import modules

    for name, module in modules().items():
        sys.modules[name] = module
        if name.startswith("slicer."):
            setattr(slicer, name.partition(".")[2], module)


def _install_widgets() -> None:
    import qmrml

    for name in qmrml.NAMES:
        setattr(slicer, name, getattr(qmrml, name))


def _load(scene, path: Path) -> bool:
    return bool(scene.ReadFromMRB(str(path), False))
