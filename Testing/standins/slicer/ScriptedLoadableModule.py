"""Stands in for Slicer's base classes of a scripted module."""

import unittest


class ScriptedLoadableModule:
    def __init__(self, parent) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    def __init__(self, parent) -> None:
        self.parent = parent
        self.layout = parent.layout()

    def setup(self) -> None:
        pass


class ScriptedLoadableModuleLogic:
    pass


class ScriptedLoadableModuleTest(unittest.TestCase):
    def runTest(self) -> None:
        raise NotImplementedError
