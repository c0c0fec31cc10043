"""Stands in for Slicer's MRML widgets, over the real MRML: what the panels use of them."""

from collections.abc import Iterator

import qt
from ctk import stored
from PySide6.QtCore import Property
from PySide6.QtCore import Signal as Sent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget


class qMRMLWidget(qt.QWidget):
    """A widget with a scene."""

    SIGNALS = ("mrmlSceneChanged(vtkMRMLScene*)",)
    mrmlSceneChanged = Sent(object)
    _scene = None

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene) -> None:
        self._scene = scene
        self.__getattribute__("mrmlSceneChanged").emit(scene)


class qMRMLNodeComboBox(qt.QWidget):
    """Chooses a node of a scene by class; without `noneEnabled` the first one is chosen by itself."""

    SIGNALS = (
        "currentNodeChanged(vtkMRMLNode*)",
        "nodeAddedByUser(vtkMRMLNode*)",
        "nodeActivated(vtkMRMLNode*)",
    )
    currentNodeChanged = Sent(object)
    currentNodeIDChanged = Sent(str)
    nodeAddedByUser = Sent(object)
    nodeActivated = Sent(object)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._scene, self._tags, self._id, self._attributes, self._filling = None, (), "", [], False
        self._box = QComboBox(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        QWidget.setEnabled(self, False)  # until there is a scene
        self._box.currentIndexChanged.connect(self._on_index)

    def _refill(self, *_arguments) -> None:
        if self._scene is None:
            return
        nodes = list(self._nodes())
        self._filling = True
        self._box.clear()
        if self.noneEnabled:
            self._box.addItem(self.noneDisplay, "")
        for node in nodes:
            self._box.addItem(node.GetName() or "", node.GetID())
        ids = [node.GetID() for node in nodes]
        wanted = self._id if self._id in ids else (ids[0] if ids and not self.noneEnabled else "")
        self._box.setCurrentIndex(max(self._box.findData(wanted), -1) if wanted or self.noneEnabled else -1)
        self._filling = False
        self._choose(wanted)

    noneEnabled = stored("noneEnabled", bool, False, _refill)
    addEnabled = stored("addEnabled", bool, True)
    removeEnabled = stored("removeEnabled", bool, True)
    editEnabled = stored("editEnabled", bool, False)
    renameEnabled = stored("renameEnabled", bool, False)
    noneDisplay = stored("noneDisplay", str, "None", _refill)
    nodeTypes = stored("nodeTypes", "QStringList", [], _refill)
    hideChildNodeTypes = stored("hideChildNodeTypes", "QStringList", [], _refill)
    showChildNodeTypes = stored("showChildNodeTypes", bool, True, _refill)
    showHidden = stored("showHidden", bool, False, _refill)
    selectNodeUponCreation = stored("selectNodeUponCreation", bool, True)
    baseName = stored("baseName", str, "")
    interactionNodeSingletonTag = stored("interactionNodeSingletonTag", str, "")

    def showEvent(self, _event) -> None:
        self._refill()  # Slicer's follows each renaming at once

    def setMRMLScene(self, scene) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, ()
        QWidget.setEnabled(self, scene is not None)
        if scene is None:
            self._choose("")
            return
        events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent, scene.EndImportEvent)
        self._tags = tuple(scene.AddObserver(event, self._refill) for event in events)
        self._refill()

    def mrmlScene(self):
        return self._scene

    def addAttribute(self, node_type: str, name: str, value=None) -> None:
        self._attributes.append((node_type, name, value))
        self._refill()

    def nodes(self) -> tuple:
        return tuple(self._nodes())

    def nodeCount(self) -> int:
        return len(self.nodes())

    def nodeFromIndex(self, index: int):
        return dict(enumerate(self._nodes())).get(index)

    def currentNode(self):
        return self._scene.GetNodeByID(self._id) if self._scene and self._id else None

    def setCurrentNode(self, node) -> None:
        self._set_id(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, name: str) -> None:
        self._set_id(name)

    def setCurrentNodeIndex(self, index: int) -> None:
        self.setCurrentNode(self.nodeFromIndex(index))

    def addNode(self, node_type: str = ""):
        node = self._scene.AddNewNodeByClass(node_type or self.nodeTypes[0], self.baseName)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.__getattribute__("nodeAddedByUser").emit(node)
        return node

    def _set_id(self, name: str) -> None:
        place = self._box.findData(name or "")
        known = place >= 0
        self._filling = True
        self._box.setCurrentIndex(place)
        self._filling = False
        self._choose(name if known else "")

    currentNodeID = Property(str, lambda self: self._id, _set_id)

    def _nodes(self) -> Iterator:
        if self._scene is None:
            return
        for index in range(self._scene.GetNumberOfNodes()):
            node = self._scene.GetNthNode(index)
            if self._shows(node):
                yield node

    def _shows(self, node) -> bool:
        kinds, name = self.nodeTypes, node.GetClassName()
        fits = any(node.IsA(kind) if self.showChildNodeTypes else name == kind for kind in kinds)
        hidden = (node.GetHideFromEditors() and not self.showHidden) or name in self.hideChildNodeTypes
        named = all(
            node.GetAttribute(key) is not None and (value is None or node.GetAttribute(key) == value)
            for kind, key, value in self._attributes
            if node.IsA(kind)
        )
        return fits and not hidden and named

    def _on_index(self, _index: int) -> None:
        if not self._filling:
            self._choose(self._box.currentData() or "")

    def _choose(self, name: str) -> None:
        if name != self._id:
            self._id = name
            self.__getattribute__("currentNodeChanged").emit(self.currentNode())
            self.__getattribute__("currentNodeIDChanged").emit(name)


class _Placeholder(qMRMLWidget):
    """A frame in place of a big widget of Slicer's."""

    _caption = ""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        label = QLabel(self._caption, self)
        label.setFrameShape(QFrame.Shape.StyledPanel)
        label.setMinimumHeight(60)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(label)
        self.calls: list[tuple] = []


class qMRMLSegmentEditorWidget(_Placeholder):
    """The Segment Editor: keeps what it was given, and edits nothing by itself."""

    _caption = "Segment Editor (Slicer)"
    currentSegmentIDChanged = Sent(str)
    segmentationNodeChanged = Sent(object)
    SIGNALS = ("segmentationNodeChanged(vtkMRMLSegmentationNode*)",)
    segmentationNodeSelectorVisible = stored("segmentationNodeSelectorVisible", bool, True)
    sourceVolumeNodeSelectorVisible = stored("sourceVolumeNodeSelectorVisible", bool, True)
    switchToSegmentationsButtonVisible = stored("switchToSegmentationsButtonVisible", bool, True)
    autoShowSourceVolumeNode = stored("autoShowSourceVolumeNode", bool, True)
    undoEnabled = stored("undoEnabled", bool, True)
    maximumNumberOfUndoStates = stored("maximumNumberOfUndoStates", int, 10)
    unorderedEffectsVisible = stored("unorderedEffectsVisible", bool, True)
    readOnly = stored("readOnly", bool, False)
    _node = None

    def setMRMLSegmentEditorNode(self, node) -> None:
        self._node = node

    def mrmlSegmentEditorNode(self):
        return self._node

    def setSegmentationNode(self, node) -> None:
        self.calls.append(("setSegmentationNode", node and node.GetID()))
        self._node.SetAndObserveSegmentationNode(node)

    def segmentationNode(self):
        return self._node and self._node.GetSegmentationNode()

    def setSourceVolumeNode(self, node) -> None:
        self.calls.append(("setSourceVolumeNode", node and node.GetID()))
        self._node.SetAndObserveSourceVolumeNode(node)

    def sourceVolumeNode(self):
        return self._node and self._node.GetSourceVolumeNode()

    def currentSegmentID(self) -> str:
        return self._node.GetSelectedSegmentID() or ""

    def setCurrentSegmentID(self, name: str) -> None:
        self._node.SetSelectedSegmentID(name)

    def setActiveEffectByName(self, name: str) -> None:
        self.calls.append(("setActiveEffectByName", name))

    def setEffectNameOrder(self, names) -> None:
        self.calls.append(("setEffectNameOrder", tuple(names)))

    def setupViewObservations(self) -> None:
        self.calls.append(("setupViewObservations",))

    def removeViewObservations(self) -> None:
        self.calls.append(("removeViewObservations",))

    def installKeyboardShortcuts(self) -> None:
        self.calls.append(("installKeyboardShortcuts",))

    def uninstallKeyboardShortcuts(self) -> None:
        self.calls.append(("uninstallKeyboardShortcuts",))

    def updateWidgetFromMRML(self) -> None:
        pass

    def undo(self) -> None:
        self.calls.append(("undo",))

    def redo(self) -> None:
        self.calls.append(("redo",))


class qSlicerMarkupsPlaceWidget(_Placeholder):
    """Buttons to place points: switches the place mode of the scene's interaction node."""

    _caption = "Place points (Slicer)"
    activeMarkupsPlaceModeChanged = Sent(bool)
    ForcePlaceSingleMarkup, ForcePlaceMultipleMarkups, HidePlaceMultipleMarkupsOption = 2, 3, 1
    ShowPlaceMultipleMarkupsOption = 0
    buttonsVisible = stored("buttonsVisible", bool, True)
    deleteAllControlPointsOptionVisible = stored("deleteAllControlPointsOptionVisible", bool, True)
    placeMultipleMarkups = stored("placeMultipleMarkups", "QVariant", 0)
    placeModePersistency = stored("placeModePersistency", bool, False)
    _current, _placing = None, False

    def setCurrentNode(self, node) -> None:
        self._current = node

    def currentNode(self):
        return self._current

    def setPlaceModeEnabled(self, placing: bool) -> None:
        placing = placing and self._current is not None
        if placing != self._placing:
            self._placing = placing
            self.__getattribute__("activeMarkupsPlaceModeChanged").emit(placing)

    placeModeEnabled = Property(bool, lambda self: self._placing, setPlaceModeEnabled)


NAMES = [name for name in dir() if name.startswith(("qMRML", "qSlicer"))]
