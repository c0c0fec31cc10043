"""Readings kept from the panel VBQ, and how far they agree."""

import json

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from OVFRiskLib.errors import UserError  # noqa: E402
from OVFRiskLib.image import Modality  # noqa: E402
from OVFRiskLib.panels.vbq import Vbq  # noqa: E402
from OVFRiskLib.panels.vbq_readings import compare_readings, keep_reading, readings_view  # noqa: E402
from OVFRiskLib.panels.view import RowState  # noqa: E402
from OVFRiskLib.scene import regions as curves  # noqa: E402
from OVFRiskLib.vbq import propose_regions  # noqa: E402
from OVFRiskLib.vbq.readings import read_reading  # noqa: E402


@pytest.fixture(scope="module")
def proposed(phantom):
    return propose_regions({Modality.T1: phantom.t1}, phantom.mr_bodies)


@pytest.fixture
def vbq(phantom_session, proposed):
    """T1 alone, which is quicker."""
    phantom_session.parameters.t2 = phantom_session.parameters.stir = None
    panel = Vbq(phantom_session)
    panel.show(proposed, {})
    return panel


def move(panel, key, millimetres):
    """Drag a curve upwards, point by point."""
    node = curves.region_node(panel.head, key)
    for n in range(node.GetNumberOfControlPoints()):
        node.SetNthControlPointPositionWorld(n, *np.add(node.GetNthControlPointPositionWorld(n), (0, 0, millimetres)))


def test_a_reading_holds_what_is_measured_and_shows_its_regions_again(vbq, tmp_path):
    chosen = vbq.session.parameters
    chosen.readings, chosen.reader = str(tmp_path), "R1"
    move(vbq, "L2 body", 2.0)
    path = keep_reading(vbq)  # of the regions as they lie now, everything up to date
    reading = read_reading(path)
    assert reading.measurements.rows == vbq.table.rows
    assert not vbq.measured.stale
    assert reading.regions == vbq.regions
    assert chosen.subject in path.name
    move(vbq, "L3 body", 3.0)
    vbq.settle()
    vbq.open_reading(path)
    assert vbq.regions == reading.regions
    assert vbq.table.rows == reading.measurements.rows


@pytest.mark.parametrize(
    ("name", "what"), [("reader", "Who reads"), ("subject", "Whose exam"), ("readings", "No folder for readings")]
)
def test_a_reading_needs_codes_and_a_folder(vbq, tmp_path, name, what):
    chosen = vbq.session.parameters
    chosen.readings, chosen.reader = str(tmp_path), "R1"
    setattr(chosen, name, "")
    with pytest.raises(UserError, match=what):
        keep_reading(vbq)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_reading_is_a_row_with_the_reason(vbq, tmp_path):
    chosen = vbq.session.parameters
    chosen.readings, chosen.reader = str(tmp_path), "R1"
    keep_reading(vbq)
    (tmp_path / "b.reading.json").write_text(json.dumps({"schema": "another"}))
    states = {row.cells[1].text: row.state for row in readings_view(str(tmp_path)).rows}
    assert states == {"R1": RowState.CURRENT, "—": RowState.ABSENT}


def test_one_reading_is_nothing_to_compare(vbq, tmp_path):
    vbq.session.parameters.readings = str(tmp_path)
    with pytest.raises(UserError, match="holds 0 readings"):
        compare_readings(vbq.session, print)
