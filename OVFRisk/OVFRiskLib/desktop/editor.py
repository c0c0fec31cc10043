"""The Segment Editor inside the tab Segmentation: on the chosen segmentation, with a parameter node of its own."""

from typing import Any

import slicer

from ..panels.session import Session

_TAG = "OVFRisk.SegmentEditor"


class Editor:
    """Keeps Slicer's Segment Editor on the session's segmentation and CT.

    Parameters
    ----------
    widget : qMRMLSegmentEditorWidget
    session : Session
    """

    def __init__(self, widget: Any, session: Session) -> None:
        self.widget, self.session = widget, session
        self._entered = False
        widget.maximumNumberOfUndoStates = 10
        widget.segmentationNodeSelectorVisible = False
        widget.sourceVolumeNodeSelectorVisible = False
        widget.switchToSegmentationsButtonVisible = False

    def enter(self) -> None:
        """Come into view."""
        self._entered = True
        self.follow()
        self.widget.setupViewObservations()
        self.widget.installKeyboardShortcuts()

    def exit(self) -> None:
        """Go out of view: no effect may stay active behind another module."""
        self._entered = False
        self.widget.setActiveEffectByName("")
        self.widget.uninstallKeyboardShortcuts()
        self.widget.removeViewObservations()

    def cleanup(self) -> None:
        """Let go of the views."""
        self.exit()
        self.widget.setMRMLScene(None)

    def follow(self) -> None:
        """Edit what is chosen now; only while in view, for the editor changes the scene by itself."""
        if not self._entered:
            return
        self._own_node()
        chosen = self.session.parameters
        if self.widget.segmentationNode() is not chosen.segmentation:
            self.widget.setSegmentationNode(chosen.segmentation)
        if chosen.segmentation is not None and self.widget.sourceVolumeNode() is not chosen.ct:
            self.widget.setSourceVolumeNode(chosen.ct)

    def _own_node(self) -> None:
        """Give the editor its parameter node (again after the scene was closed), before the scene, as it asks for."""
        scene = self.session.scene
        node = scene.GetSingletonNode(_TAG, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.vtkMRMLSegmentEditorNode()
            node.SetSingletonTag(_TAG)
            node = scene.AddNode(node)
        if self.widget.mrmlSegmentEditorNode() is not node:
            self.widget.setMRMLSegmentEditorNode(node)
        if self.widget.mrmlScene() is not scene:
            self.widget.setMRMLScene(scene)
