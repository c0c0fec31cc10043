"""Stands in for Slicer's Python package: a scene of named nodes, and what OVFRisk.py calls."""

from . import util


class Scene:
    """Node names by class."""

    def __init__(self) -> None:
        self.nodes: list[tuple[str, str]] = []

    def Clear(self) -> None:
        self.nodes.clear()

    def AddNewNodeByClass(self, class_name: str, name: str) -> tuple[str, str]:
        self.nodes.append((class_name, name))
        return self.nodes[-1]

    def GetFirstNodeByName(self, name: str) -> tuple[str, str] | None:
        return next((node for node in self.nodes if node[1] == name), None)


mrmlScene = Scene()

__all__ = ["Scene", "mrmlScene", "util"]
