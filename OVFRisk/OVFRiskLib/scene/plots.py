"""Charts as nodes of the scene: attenuation and heights by level."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import slicer
import vtk

CHART = "OVFRisk.Chart"  # attribute of what belongs to a chart of ours: the chart's title
_COLOURS = ((0.0, 0.45, 0.70), (0.84, 0.37, 0.0), (0.0, 0.62, 0.45))  # Okabe and Ito
_LEVELS, _PLACES = "Level", "Place"


@dataclass(frozen=True)
class Chart:
    """A chart of values by level.

    Parameters
    ----------
    title, y_title : str
    levels : sequence of str
    series : mapping of str to sequence of float or None
        By name; None leaves the point out.
    """

    title: str
    y_title: str
    levels: Sequence[str]
    series: Mapping[str, Sequence[float | None]]


def show_chart(scene: slicer.vtkMRMLScene, chart: Chart) -> slicer.vtkMRMLPlotChartNode:
    """Add a chart with its series and their table, or renew the one of the same title.

    Slicer writes no names at an axis (a TODO in its `qMRMLPlotView.cxx`): levels are numbered, the title says which.
    """
    table = _node(scene, "vtkMRMLTableNode", chart.title, chart.title)
    _fill(table, chart)
    node = _node(scene, "vtkMRMLPlotChartNode", chart.title, chart.title)
    node.RemoveAllPlotSeriesNodeIDs()
    for number, name in enumerate(chart.series):
        series = _node(scene, "vtkMRMLPlotSeriesNode", chart.title, name)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetXColumnName(_PLACES)
        series.SetYColumnName(name)
        series.SetLabelColumnName(_LEVELS)
        series.SetColor(*_COLOURS[number % len(_COLOURS)])
        series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle)
        node.AddAndObservePlotSeriesNodeID(series.GetID())
    node.SetTitle(chart.title)
    node.SetXAxisTitle("   ".join(f"{n} {level}" for n, level in enumerate(chart.levels, start=1)))
    node.SetYAxisTitle(chart.y_title)
    node.SetLegendVisibility(len(chart.series) > 1)
    return node


def charts(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLPlotChartNode]:
    """Return all charts of ours."""
    return _ours(scene, "vtkMRMLPlotChartNode")


def remove_charts(scene: slicer.vtkMRMLScene) -> None:
    """Remove all charts of ours with their series and tables."""
    for kind in ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode"):
        for node in _ours(scene, kind):
            scene.RemoveNode(node)


def _fill(table: slicer.vtkMRMLTableNode, chart: Chart) -> None:
    table.RemoveAllColumns()
    levels, places = vtk.vtkStringArray(), vtk.vtkDoubleArray()
    levels.SetName(_LEVELS)
    places.SetName(_PLACES)
    for n, level in enumerate(chart.levels, start=1):
        levels.InsertNextValue(level)
        places.InsertNextValue(n)
    table.AddColumn(levels)
    table.AddColumn(places)
    for name, values in chart.series.items():
        column = vtk.vtkDoubleArray()
        column.SetName(name)
        for value in values:
            column.InsertNextValue(math.nan if value is None else value)
        table.AddColumn(column)


def _node(scene: slicer.vtkMRMLScene, kind: str, title: str, name: str) -> slicer.vtkMRMLNode:
    """Return the node of a chart of ours; made where there is none."""
    for node in _ours(scene, kind):
        if node.GetAttribute(CHART) == title and node.GetName() == name:
            return node
    node = scene.AddNewNodeByClass(kind, name)
    node.SetName(name)
    node.SetAttribute(CHART, title)
    return node


def _ours(scene: slicer.vtkMRMLScene, kind: str) -> list[slicer.vtkMRMLNode]:
    nodes = scene.GetNodesByClass(kind)
    found = [nodes.GetItemAsObject(n) for n in range(nodes.GetNumberOfItems())]
    return [node for node in found if node.GetAttribute(CHART)]
