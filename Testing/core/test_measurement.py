import pytest
from OVFRiskLib.anatomy import Compartment, VertebralLevel
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality, Source, protocol_id

L1 = VertebralLevel.L1


def row(name="volume", value=1.0, **more):
    return Measurement("p", L1, Compartment.BODY, name, value, "cm3", "x-1", **more)


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": None},
        {"value": float("nan")},
        {"value": float("inf")},
        {"quality": Quality.FLAGGED},
        {"value": None, "quality": Quality.ABSENT},
        {"value": 0.0, "quality": Quality.ABSENT, "note": "empty"},
    ],
)
def test_a_value_without_truth_cannot_be_made(wrong):
    with pytest.raises(ValueError, match="volume"):
        row(**wrong)


def test_a_table_finds_its_rows():
    table = MeasurementTable([row(), row("depth", None, quality=Quality.ABSENT, note="cut off")])
    assert table.value(name="volume") == 1.0
    assert table.value(name="depth") is None
    assert table.value(name="unheard") is None
    assert len(table.where(level=L1)) == 2
    with pytest.raises(LookupError):
        table.value(level=L1)


def test_nothing_is_measured_twice():
    with pytest.raises(ValueError, match="twice: L1 body volume"):
        MeasurementTable([row(), row(value=2.0)])


def test_an_edit_makes_just_its_rows_stale():
    before, after = Source("ct", "mask-1"), Source("ct", "mask-2")
    table = MeasurementTable([row(source=before), row("depth", source=Source("ct", "other"))])
    assert [r.name for r in table.stale({before: after})] == ["volume"]


def test_protocol_id_depends_on_the_settings_not_their_order():
    assert protocol_id("x", {"a": 1, "b": 2.5}) == protocol_id("x", {"b": 2.5, "a": 1})
    assert protocol_id("x", {"a": 1}) != protocol_id("x", {"a": 2})
    assert protocol_id("heights", {"band_mm": 5.0, "rim": 0.08}) == "heights-cb216120ff3c"
