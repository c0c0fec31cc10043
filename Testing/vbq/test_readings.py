"""A reading survives its file unchanged; what is damaged, of another version or names a patient is refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality
from OVFRiskLib.vbq import measure_vbq, propose_regions
from OVFRiskLib.vbq.readings import SUFFIX, Reading, read_reading, write_reading

T1, T2, STIR = Modality.T1, Modality.T2, Modality.STIR
WHEN = datetime(2025, 3, 4, 5, 6, 7, 89, UTC)
L2 = VertebralLevel.L2


@pytest.fixture(scope="module")
def measured():
    """A table, its regions and images; made once."""
    return {}


@pytest.fixture
def reading(measured, exam) -> Reading:
    if not measured:
        volumes, labels = exam()
        regions = propose_regions(volumes, labels)
        table = measure_vbq(volumes, regions, fractured=[L2], subject="S-01")
        measured |= {"table": table, "regions": regions, "volumes": volumes}
    return Reading.from_measurements(**measured, reader="R1", fractured=[L2], time=WHEN)


@pytest.fixture
def saved(reading, tmp_path):
    path = tmp_path / f"one{SUFFIX}"
    write_reading(path, reading)
    return path


def edited(path, change):
    data = json.loads(path.read_text("utf-8"))
    change(data)
    path.write_text(json.dumps(data), "utf-8")
    return path


def test_round_trip(reading, saved):
    again = read_reading(saved)
    assert again.measurements.rows == reading.measurements.rows
    assert replace(again, measurements=reading.measurements) == reading
    assert [roi.hash for roi in again.regions] == [roi.hash for roi in reading.regions]


def test_holds_what_was_measured_and_on_what(reading, measured, truth):
    assert reading.images == {sequence: volume.hash for sequence, volume in measured["volumes"].items()}
    assert reading.acquisition[T1] == {"MagneticFieldStrength": "1.5", "Manufacturer": "A"}
    assert reading.scored_levels(T1) == tuple(VertebralLevel(level) for level in ("T12", "L1", "L3", "L4"))
    signals = reading.level_signals(T2)
    assert {level: round(signals[level]) for level in ("L1", "L4")} == {"L1": 305, "L4": 265}  # set in conftest.py
    assert reading.csf(STIR).value == pytest.approx(500)
    untouched = measure_vbq(measured["volumes"], measured["regions"], subject="S-01")
    assert untouched.value(name="vbq_t1") == pytest.approx(truth(T1))


def test_file_says_its_version_and_time_in_utc(saved):
    data = json.loads(saved.read_text("utf-8"))
    assert data["schema"] == "ovfrisk-vbq-reading/1"
    assert data["time"] == "2025-03-04T05:06:07.000089Z"
    assert (data["reader"], data["subject"], data["fractured"]) == ("R1", "S-01", ["L2"])


def test_time_of_another_zone_becomes_utc(measured, reading):
    east = datetime(2025, 3, 4, 7, 6, 7, 89, timezone(timedelta(hours=2)))
    assert Reading.from_measurements(**measured, reader="R1", time=east).time == reading.time
    with pytest.raises(UserError, match="no time zone"):
        Reading.from_measurements(**measured, reader="R1", time=east.replace(tzinfo=None))


def test_earlier_file_is_kept_unless_asked(saved, reading):
    before = saved.read_bytes()
    other = replace(reading, reader="R2")
    with pytest.raises(UserError, match="exists"):
        write_reading(saved, other)
    assert saved.read_bytes() == before
    write_reading(saved, other, overwrite=True)
    assert read_reading(saved).reader == "R2"
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]  # nothing half-written is left


def test_folder_that_is_not_there(reading, tmp_path):
    with pytest.raises(UserError, match="cannot be written"):
        write_reading(tmp_path / "nowhere" / reading.file_name, reading)


@pytest.mark.parametrize("code", ["", "Jane Doe", "DOE^JANE", "../up", "a" * 65])
@pytest.mark.parametrize("who", ["reader", "subject"])
def test_names_and_paths_are_no_codes(reading, who, code):
    with pytest.raises(UserError, match=f"no code for a {who}"):
        replace(reading, **{who: code})


def test_measurements_of_somebody_else_or_of_other_images(reading):
    with pytest.raises(UserError, match="not all of S-02"):
        replace(reading, subject="S-02")
    with pytest.raises(UserError, match="was not measured on the images"):
        replace(reading, images={**reading.images, T2: "0" * 16})


def _remove(key):
    return lambda data: data.pop(key)


def _set(*path, value):
    def change(data):
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("schema", value="ovfrisk-vbq-reading/2"), "version 'ovfrisk-vbq-reading/2'"),
        (_remove("schema"), "is no reading"),
        (_remove("reader"), "lacks reader"),
        (_set("patient_name", value="Doe"), "unknown patient_name"),
        (_set("reader", value=7), "'reader' is not valid"),
        (_set("time", value="yesterday"), "isoformat"),
        (_set("time", value="2025-03-04T05:06:07"), "no time zone"),
        (_set("time", value="2025-03-04T05:06:07+02:00"), "not in UTC"),
        (_set("statistic", value="mode"), "mode"),
        (_set("fractured", value=["L9"]), "L9"),
        (_set("images", "T1", value="nonsense"), "hash"),
        (_set("images", "CT", value="0" * 16), "T1, T2 or STIR"),
        (_set("acquisition", "T1", "EchoTime", value=90), "90"),
        (_set("measurements", 0, "value", value="611"), "no finite number"),
        (_set("measurements", 0, "value", value=True), "no finite number"),
        (_set("measurements", 0, "value", value=None), "absent"),
        (_set("measurements", 0, "level", value="L99"), "L99"),
        (_set("measurements", 0, "extra", value=1), "exactly"),
        (_set("measurements", 0, value="row"), "not valid"),
        (_set("measurements", value=[{}] * 2001), "2001 measurements"),
        (_set("regions", "rois", 0, "half_thickness_mm", value=0), "positive"),
        (_set("regions", "rois", 0, "outline", value=[[0, 0]] * 5001), "5001 corners"),
        (_set("regions", "settings", "inset_mm", value="4"), "inset_mm"),
        (_set("regions", "settings", "colour", value="red"), "colour"),
        (_set("regions", value={}), "rois"),
    ],
)
def test_a_damaged_file_is_refused(saved, change, said):
    with pytest.raises(UserError, match=said) as refused:
        read_reading(edited(saved, change))
    assert saved.name in refused.value.what


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "9" * 400])
def test_numbers_that_are_not_finite_are_refused(saved, number):
    text = saved.read_text("utf-8")
    first = next(line for line in text.splitlines() if '"value": ' in line)
    saved.write_text(text.replace(first, f'   "value": {number},', 1), "utf-8")
    with pytest.raises(UserError, match=saved.name):
        read_reading(saved)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b'{"schema": 1}', b"[" * 100_000])
def test_what_is_no_reading(tmp_path, content):
    path = tmp_path / f"bad{SUFFIX}"
    path.write_bytes(content)
    with pytest.raises(UserError, match=path.name):
        read_reading(path)


def test_a_huge_file_is_not_even_parsed(tmp_path):
    path = tmp_path / f"huge{SUFFIX}"
    path.write_bytes(b" " * 5_000_001)
    with pytest.raises(UserError, match="too large"):
        read_reading(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_reading(tmp_path / "nothing.reading.json")
