"""The module as Slicer sees it; what it shows is computed in OVFRiskLib.

Nothing heavy is imported here: Slicer runs this file at every start.
"""

import sys
import tempfile
from pathlib import Path

import qt
import slicer
from OVFRiskLib.errors import UserError
from OVFRiskLib.resources import resource
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

TUTORIAL = "https://example.org/OVFRisk#in-slicer"  # below the homepage of extension.s4ext


class OVFRisk(ScriptedLoadableModule):
    """What the module is called and where it is found."""

    def __init__(self, parent):
        super().__init__(parent)
        parent.title = _("OVFRisk")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        parent.dependencies = ["Segmentations", "Markups", "Tables", "Plots"]
        parent.contributors = ["The OVFRisk maintainers"]
        parent.icon = qt.QIcon(str(resource("Icons", "OVFRisk.png")))
        parent.helpText = _(
            "Measures how fragile a spine is on CT and MRI, level by level: bone density, heights and fractures, "
            "muscle, radiomics, vertebral bone quality (VBQ), and risk models with their intended use. "
            'Start with <a href="{tutorial}">the tutorial</a>: it works on a sample patient that is made on the spot. '
            "The same analysis runs on the command line (ovfrisk analyze). For research; not a medical device."
        ).format(tutorial=TUTORIAL)
        parent.acknowledgementText = _("Released under the Apache License 2.0.")
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    """Offer the sample patient in Slicer's module Sample Data, where there is one."""
    from OVFRiskLib.desktop.sample_data import register

    register()


class OVFRiskWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel; see OVFRiskLib/desktop/widget.py."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)  # Slicer's base class does not call it in every version

    def setup(self):
        """Build the panel."""
        from OVFRiskLib.desktop.widget import Shell

        super().setup()
        self.logic = OVFRiskLogic()
        self.shell = Shell(self.logic.getParameterNode())
        self.layout.addWidget(self.shell.widget)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneChanged)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneChanged)

    def enter(self):
        """The user comes to the module."""
        self.shell.enter()

    def exit(self):
        """The user goes to another module."""
        self.shell.exit()

    def cleanup(self):
        """The module goes: on reload, and when Slicer closes."""
        self.removeObservers()
        self.shell.cleanup()

    def onReload(self):
        """Read the library again, too."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "OVFRiskLib"]:
            del sys.modules[name]
        super().onReload()

    def onSceneStartClose(self, _caller, _event):
        """The scene is about to lose its nodes."""
        self.shell.scene_closes()

    def onSceneChanged(self, _caller, _event):
        """The scene was closed, or another one was loaded into it."""
        self.shell.scene_changed(self.logic.getParameterNode())


class OVFRiskLogic(ScriptedLoadableModuleLogic):
    """What the panel does, for scripts too."""

    def openResult(self, folder: Path) -> None:
        """Add the scene of the result folder that ``ovfrisk analyze`` wrote to the one that is open.

        Raises
        ------
        UserError
            When the folder holds no scene.
        """
        from OVFRiskLib.scene.result import result_scene

        slicer.util.loadScene(str(result_scene(folder)))


class OVFRiskTest(ScriptedLoadableModuleTest):
    """Runs inside Slicer: the way from images to a measurement, and a scene that comes back."""

    def runTest(self):
        """Run every test on an empty scene."""
        for test in (self.test_sample_to_measurement, self.test_result_comes_back, self.test_wrong_folder_is_refused):
            slicer.mrmlScene.Clear()
            test()

    def test_sample_to_measurement(self):
        """A phantom's L3, clicked, segmented and measured, has the volume that it was made with, to 10 %."""
        from OVFRiskLib.scene.self_test import measured_and_true_volume

        measured, true = measured_and_true_volume(slicer.mrmlScene)
        self.assertLess(abs(measured - true), 0.1 * true)

    def test_result_comes_back(self):
        """A node that was saved in scene.mrb is in the scene again."""
        with tempfile.TemporaryDirectory() as folder:
            slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "OVFRisk self test")
            slicer.util.saveScene(str(Path(folder) / "scene.mrb"))
            slicer.mrmlScene.Clear()
            self.assertIsNone(slicer.mrmlScene.GetFirstNodeByName("OVFRisk self test"))
            OVFRiskLogic().openResult(Path(folder))
        self.assertIsNotNone(slicer.mrmlScene.GetFirstNodeByName("OVFRisk self test"))

    def test_wrong_folder_is_refused(self):
        """The message names the folder."""
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(UserError) as caught:
            OVFRiskLogic().openResult(Path(folder))
        self.assertIn(folder, caught.exception.what)
