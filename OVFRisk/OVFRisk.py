"""The module as Slicer sees it; what it shows is computed in OVFRiskLib.

Nothing heavy is imported here: Slicer runs this file at every start.
"""

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


class OVFRisk(ScriptedLoadableModule):
    """What the module is called and where it is found."""

    def __init__(self, parent):
        super().__init__(parent)
        parent.title = _("OVFRisk")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        parent.dependencies = []
        parent.contributors = ["The OVFRisk maintainers"]
        parent.icon = qt.QIcon(str(resource("Icons", "OVFRisk.png")))
        parent.helpText = _(
            "Measures vertebrae on CT and MRI: bone density, heights, radiomics and VBQ, level by level. "
            "In this version the analysis runs from the command line (ovfrisk analyze); "
            "this panel opens what it wrote. For research; not a medical device."
        )
        parent.acknowledgementText = _("Released under the Apache License 2.0.")


class OVFRiskWidget(ScriptedLoadableModuleWidget):
    """The panel: choose a result folder, open its scene."""

    def setup(self):
        """Build the panel from Resources/UI/OVFRisk.ui."""
        super().setup()
        panel = slicer.util.loadUI(str(resource("UI", "OVFRisk.ui")))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = OVFRiskLogic()
        self.ui.resultFolder.connect("currentPathChanged(QString)", self.onFolderChanged)
        self.ui.openResult.connect("clicked(bool)", self.onOpenResult)
        self.onFolderChanged(self.ui.resultFolder.currentPath)

    def onFolderChanged(self, folder):
        """Offer to open a folder as soon as one is chosen."""
        self.ui.openResult.enabled = bool(folder)
        self.ui.message.text = ""

    def onOpenResult(self, _checked=False):
        """Open the chosen result; what the user can put right is said in the panel."""
        self.ui.message.text = ""
        with slicer.util.tryWithErrorDisplay(_("The result could not be opened."), waitCursor=True):
            try:
                self.logic.openResult(Path(self.ui.resultFolder.currentPath))
            except UserError as error:
                self.ui.message.text = str(error)


class OVFRiskLogic(ScriptedLoadableModuleLogic):
    """What the panel does, for scripts too."""

    def openResult(self, folder: Path) -> None:
        """Add the scene of the result folder that ``ovfrisk analyze`` wrote to the one that is open.

        Raises
        ------
        UserError
            When the folder holds no scene.
        """
        scene = folder / "scene.mrb"
        if not scene.is_file():
            raise UserError(
                _("{folder} holds no scene.mrb.").format(folder=folder),
                _("Choose the folder that ovfrisk analyze has written."),
            )
        slicer.util.loadScene(str(scene))


class OVFRiskTest(ScriptedLoadableModuleTest):
    """Runs inside Slicer: a saved scene comes back, a folder without one is refused."""

    def runTest(self):
        """Run every test on an empty scene."""
        for test in (self.test_result_scene_comes_back, self.test_folder_without_scene_is_refused):
            slicer.mrmlScene.Clear()
            test()

    def test_result_scene_comes_back(self):
        """A node that was saved in scene.mrb is in the scene again."""
        with tempfile.TemporaryDirectory() as folder:
            slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "OVFRisk self test")
            slicer.util.saveScene(str(Path(folder) / "scene.mrb"))
            slicer.mrmlScene.Clear()
            self.assertIsNone(slicer.mrmlScene.GetFirstNodeByName("OVFRisk self test"))
            OVFRiskLogic().openResult(Path(folder))
        self.assertIsNotNone(slicer.mrmlScene.GetFirstNodeByName("OVFRisk self test"))

    def test_folder_without_scene_is_refused(self):
        """The message names the folder."""
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(UserError) as caught:
            OVFRiskLogic().openResult(Path(folder))
        self.assertIn(folder, caught.exception.what)
