"""Names of found bodies: counted from an anchor or proposed; T13, L6 and a sacralised L5."""

import numpy as np
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.segmentation.level_naming import FoundBody, Sacrum, last_rib, name_levels
from OVFRiskLib.segmentation.seeds import Seed

SACRUM = Sacrum(0, 1.0)
PITCH = 35.0


def column(count):
    """Return `count` bodies, one above the other, from head to foot."""
    heights = PITCH * np.arange(count)[::-1]
    return [FoundBody(np.array([0.0, 0, s + PITCH / 2]), s, s + PITCH) for s in heights]


def anchor(bodies, index, level):
    """Return "this is `level`" near the middle of a body."""
    return Seed(bodies[index].point + 5, VertebralLevel(level))


def test_sacrum_and_ribs_agree():
    naming = name_levels(column(7), SACRUM, (1, 0.6), None)
    assert naming.levels == VertebralLevel.span("T11-L5")
    assert "confidence 0.95" in naming.notes[0]


@pytest.mark.parametrize("last", [0, 2])
def test_sacrum_and_ribs_disagree_asks(last):
    with pytest.raises(UserError, match="T13, an L6") as caught:
        name_levels(column(7), SACRUM, (last, 0.6), None)
    assert "--anchor L1@0,0,122" in caught.value.what_to_do  # the middle of the fourth body from the top


def test_nothing_to_name_them_asks():
    with pytest.raises(UserError, match="neither the sacrum nor the last rib"):
        name_levels(column(4), None, None, None)


@pytest.mark.parametrize(
    ("sacrum", "rib", "sign"),
    [
        (Sacrum(0, 0.8), None, "the sacrum .confidence 0.68"),
        (None, (1, 0.6), "the last rib .confidence 0.60"),
        (Sacrum(0, 0.4), (1, 0.6), "the sacrum and the last rib .confidence 0.57"),
    ],
)
def test_faint_signs_ask(sacrum, rib, sign):
    with pytest.raises(UserError, match=sign) as caught:
        name_levels(column(7), sacrum, rib, None)
    assert "--anchor L1@0,0,122" in caught.value.what_to_do  # the middle of the fourth body from the top


def test_a_clear_sacrum_alone_proposes():
    naming = name_levels(column(4), SACRUM, None, None)
    assert naming.levels == VertebralLevel.span("L2-L5")
    assert "confidence 0.85" in naming.notes[0]


def test_six_bodies_below_the_last_rib_make_an_l6():
    bodies = column(7)
    naming = name_levels(bodies, SACRUM, (0, 0.6), anchor(bodies, 0, "T12"))
    assert naming.levels == (VertebralLevel.T12, *VertebralLevel.span("L1-L5"), VertebralLevel.L6)
    assert any("L6" in note for note in naming.notes)


def test_ribs_below_t12_make_a_t13():
    bodies = column(7)
    naming = name_levels(bodies, SACRUM, (1, 0.6), anchor(bodies, 0, "T12"))
    assert naming.levels == (VertebralLevel.T12, VertebralLevel.T13, *VertebralLevel.span("L1-L5"))
    assert any("T13" in note for note in naming.notes)


def test_an_l5_within_the_sacrum_is_told():
    bodies = column(5)
    naming = name_levels(bodies, SACRUM, (0, 0.6), anchor(bodies, 0, "T12"))
    assert naming.levels[-1] is VertebralLevel.L4
    assert any("L5 that is part of it" in note for note in naming.notes)


def test_what_lies_below_l5_without_a_sacrum_is_not_named():
    bodies = column(4)
    assert name_levels(bodies, None, None, anchor(bodies, 2, "L5")).levels == (*VertebralLevel.span("L3-L5"), None)


def test_too_many_bodies_for_the_anchor():
    bodies = column(7)
    with pytest.raises(UserError, match="too many"):
        name_levels(bodies, SACRUM, None, anchor(bodies, 0, "L1"))


def test_the_last_rib_is_counted_from_the_top():
    reach = np.array([[90.0, 90], [88, 90], [40, 36], [38, 38], [90, 34]])  # the iliac crest beside the last
    assert last_rib(reach)[0] == 1
    assert last_rib(reach[2:]) is None  # no rib at the top body
    assert last_rib(reach[:2]) is None  # more ribs may follow below
    assert last_rib(np.array([[90.0, 90], [0, 90], [40, 36]]))[1] < last_rib(reach)[1]
