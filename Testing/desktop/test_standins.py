"""The stand-ins behave as PythonQt was seen to in a running Slicer (shared/design/slicer.md)."""

import pytest


@pytest.fixture
def qt(slicer_app):  # noqa: ARG001
    import qt

    return qt


@pytest.fixture
def lost(slicer_app):  # noqa: ARG001
    """What slots let through."""
    import pythonqt

    return pythonqt.lost


def test_a_property_is_an_attribute_and_no_method(qt):
    button = qt.QPushButton("Apply")
    button.enabled = False
    assert (button.text, button.enabled, button.isEnabled()) == ("Apply", False, False)
    with pytest.raises(TypeError):
        button.text()


def test_an_unknown_attribute_cannot_be_set(qt):
    with pytest.raises(AttributeError):
        qt.QPushButton().colour = "red"
    panel = type("Panel", (qt.QWidget,), {})()
    panel.colour = "red"  # a class of one's own may have its own
    assert panel.colour == "red"


def test_no_keyword_arguments(qt):
    with pytest.raises(TypeError):
        qt.QLabel("x", parent=None)
    with pytest.raises(TypeError):
        qt.QWidget().resize(w=10, h=10)


def test_what_qt_made_itself_has_the_same_manners(qt):
    table = qt.QTableWidget(2, 2)
    header = table.horizontalHeader()
    header.stretchLastSection = True
    assert header.stretchLastSection is True
    with pytest.raises(AttributeError):
        header.colour = "red"


def test_enumerations_are_ints(qt):
    table = qt.QTableWidget(1, 1)
    table.selectionBehavior = qt.QAbstractItemView.SelectRows
    assert table.selectionBehavior == qt.QAbstractItemView.SelectRows == 1
    item = qt.QTableWidgetItem("1")
    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    assert item.textAlignment() == 0x82


def test_signals_by_signature_and_by_name(qt):
    button, heard = qt.QPushButton(), []
    assert button.connect("clicked(bool)", heard.append) is True
    button.clicked.connect(lambda: heard.append("plain"))
    button.click()
    assert heard == [False, "plain"]
    assert button.disconnect("clicked(bool)", heard.append) is True
    button.click()
    assert heard == [False, "plain", "plain"]


def test_a_wrong_signal_returns_false_and_fails_the_test(qt, lost):
    assert qt.QPushButton().connect("pressed(int)", print) is False
    assert lost
    lost.clear()


def test_an_exception_in_a_slot_is_swallowed_but_fails_the_test(qt, lost):
    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    assert isinstance(lost[0], ZeroDivisionError)
    lost.clear()


def test_a_node_selector_follows_the_scene(slicer_app):
    scene, selector, chosen = slicer_app.mrmlScene, slicer_app.qMRMLNodeComboBox(), []
    selector.nodeTypes, selector.noneEnabled = ["vtkMRMLScalarVolumeNode"], True
    selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: chosen.append(node and node.GetName()))
    assert selector.enabled is False
    selector.setMRMLScene(scene)
    scene.AddNewNodeByClass("vtkMRMLTableNode", "no volume")
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "ct")
    assert selector.currentNode() is None
    selector.setCurrentNode(node)
    assert (selector.currentNodeID, selector.nodeCount()) == (node.GetID(), 1)
    scene.RemoveNode(node)
    assert chosen == ["ct", None]


def test_slice_views_are_real_nodes(slicer_app):
    layout = slicer_app.app.layoutManager()
    for name in layout.sliceViewNames():
        layout.sliceWidget(name).mrmlSliceNode().JumpSlice(1, 2, 3)
    assert layout.sliceWidget("Red").mrmlSliceNode().GetSliceToRAS().GetElement(2, 3) == 3
