"""Stands in for `slicer.util`: scenes are JSON files, widgets those that a .ui file names."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree


class Widget:
    """A widget whose signals are sent by hand; like PythonQt's it refuses a property that it does not have."""

    def __init__(self, name: str, **properties: object) -> None:
        self.__dict__.update(properties, name=name, slots={}, children={})

    def __setattr__(self, key: str, value: object) -> None:
        if key not in self.__dict__:
            raise AttributeError(f"{self.name} has no property {key}")
        self.__dict__[key] = value

    def connect(self, signal: str, slot) -> None:
        self.slots[signal] = slot

    def setMRMLScene(self, scene) -> None:
        self.__dict__["scene"] = scene


_PROPERTIES = {
    "ctkPathLineEdit": {"currentPath": "", "enabled": True},
    "QPushButton": {"text": "", "enabled": True},
    "QLabel": {"text": "", "enabled": True},
}


def loadUI(path: str) -> Widget:
    root = ElementTree.parse(path).getroot()
    panel, *inner = root.iter("widget")
    widget = Widget(panel.attrib["name"])
    for child in inner:
        name = child.attrib["name"]
        widget.children[name] = Widget(name, **_PROPERTIES.get(child.attrib["class"], {}))
    return widget


def childWidgetVariables(widget: Widget) -> SimpleNamespace:
    return SimpleNamespace(**widget.children)


def saveScene(path: str) -> None:
    from . import mrmlScene

    Path(path).write_text(json.dumps(mrmlScene.nodes))


def loadScene(path: str) -> None:
    from . import mrmlScene

    mrmlScene.nodes += [tuple(node) for node in json.loads(Path(path).read_text())]


@contextmanager
def tryWithErrorDisplay(message: str, waitCursor: bool = False) -> Iterator[None]:
    yield
