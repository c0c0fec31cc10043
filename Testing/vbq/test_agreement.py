"""Agreement of repeated readings: which are paired and what is refused; table, figure and command."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import typer
from OVFRiskLib.anatomy import Structure, VertebralLevel
from OVFRiskLib.cli.vbq_agreement import agreement_command
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.figures.agreement import draw_agreement
from OVFRiskLib.files.tables import write_csv
from OVFRiskLib.image import Modality
from OVFRiskLib.measurement import MeasurementTable, Quality
from OVFRiskLib.vbq import measure_vbq, propose_regions
from OVFRiskLib.vbq.agreement import AgreementTable, agreement, agreement_columns
from OVFRiskLib.vbq.readings import Reading, write_reading
from typer.testing import CliRunner

T1, T2, STIR = Modality.T1, Modality.T2, Modality.STIR
START = datetime(2025, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def cache():
    """What is made once for all tests of this file."""
    return {}


@pytest.fixture
def read(cache, exam) -> Callable[..., Reading]:
    """A reading of T1 (`full`: of all sequences) with the signals of bodies and CSF times set factors."""

    def base(sequences) -> Reading:
        if sequences not in cache:
            volumes, labels = exam(sequences=sequences)
            regions = propose_regions(volumes, labels)
            table = measure_vbq(volumes, regions, subject="S")
            cache[sequences] = Reading.from_measurements(table, regions, volumes, reader="R", time=START)
        return cache[sequences]

    def make(subject, reader, day, body=1.0, csf=1.0, full=False) -> Reading:
        known = base((T1, T2, STIR) if full else (T1,))
        rows = [replace(row, subject=subject, value=_scaled(row, body, csf)) for row in known.measurements]
        regions = replace(known.regions, rois=tuple(_moved(roi, body) for roi in known.regions))
        time = START + timedelta(days=day)
        return replace(
            known, subject=subject, reader=reader, time=time, measurements=MeasurementTable(rows), regions=regions
        )

    return make


def _scaled(row, body, csf):
    if row.name.startswith("vbq"):
        return row.value * body / csf
    return row.value * (csf if row.compartment is Structure.CSF else body)


def _moved(roi, by):
    return replace(roi, outline=[(u + by, v) for u, v in roi.outline])


FACTORS = {f"S{n}": (1 + 0.10 * n, shift) for n, shift in enumerate((0.08, -0.04, 0.02, 0.0))}


def make_cohort(read, full) -> list[Reading]:
    """Four subjects, R1 twice and R2 once; the other signal of bodies is off by the set share, CSF by half of it."""
    first = [read(s, "R1", 0, level, full=full) for s, (level, _) in FACTORS.items()]
    again = [read(s, "R1", 40, level * (1 + d), 1 + d / 2, full) for s, (level, d) in FACTORS.items()]
    other = [read(s, "R2", 1, level * (1 - d), 1 - d / 2, full) for s, (level, d) in FACTORS.items()]
    return [*other, *again, *first]


@pytest.fixture
def cohort(read) -> list[Reading]:
    """Read on T1 alone."""
    return make_cohort(read, full=False)


@pytest.fixture
def full(read) -> list[Reading]:
    """Read on all sequences."""
    return make_cohort(read, full=True)


@pytest.fixture
def table(cache, cohort) -> AgreementTable:
    """Agreement of `cohort`."""
    if "table" not in cache:
        cache["table"] = agreement(cohort)
    return cache["table"]


@pytest.fixture
def full_table(cache, full) -> AgreementTable:
    """Agreement of `full`."""
    if "full" not in cache:
        cache["full"] = agreement(full)
    return cache["full"]


def percent(second: list[float]) -> list[float]:
    """Of readings that are 1 the first time, and `second` the second time."""
    return [100 * (1 - value) / ((1 + value) / 2) for value in second]


def row_of(table: AgreementTable, kind: str, title: str):
    return next(row for row in table if row.comparison.kind == kind and row.quantity.title == title)


@pytest.mark.parametrize(("kind", "sign"), [("intra-observer", 1), ("inter-observer", -1)])
def test_pairs_are_found_and_every_quantity_compared(full_table, kind, sign):
    table = full_table
    assert [c.title for c in table.comparisons] == [
        "Inter-observer: R1 against R2",
        "Intra-observer: R1, first against second reading",
    ]
    shifts = [sign * d for _, d in FACTORS.values()]
    expected = {
        "T1 signal, L1-L4": percent([1 + d for d in shifts]),
        "STIR signal, L5": percent([1 + d for d in shifts]),
        "T2 signal, CSF": percent([1 + d / 2 for d in shifts]),
        "VBQ-T1": percent([(1 + d) / (1 + d / 2) for d in shifts]),
        "VBQ-T2-STIR": percent([(1 + d) / (1 + d / 2) for d in shifts]),
    }
    for title, differences in expected.items():
        row = row_of(table, kind, title)
        assert row.subjects == ("S0", "S1", "S2", "S3")
        assert row.limits.percent == pytest.approx(differences)
        assert row.limits.bias == pytest.approx(np.mean(differences))
        assert row.limits.upper == pytest.approx(np.mean(differences) + 1.96 * np.std(differences, ddof=1))
        assert row.quality is Quality.FLAGGED
        assert "only 4 pairs" in row.note
    assert len(table.of(table.comparisons[0])) == 4 + 3 * (1 + 1 + 6)  # scores; L1-L4, CSF and T12-L5 of each sequence


def test_ten_percent_rule(table):
    csf, body = (row_of(table, "intra-observer", f"T1 signal, {where}").limits for where in ("CSF", "L1-L4"))
    assert csf.accepted  # -3.9, 2.0, -1.0 and 0 %: bias -0.7, SD 2.5, limits -5.5 and 4.1
    assert not body.accepted  # -7.7, 4.1, -2.0 and 0 %: bias -1.4, SD 4.9, limits -10.9 and 8.1
    assert body.share_within == 1.0


def test_order_of_the_files_does_not_matter(table, cohort):
    assert agreement_columns(table) == agreement_columns(agreement(cohort[::-1]))


def test_third_reading_is_not_used_and_said(read, cohort, table):
    more = agreement([*cohort, read("S1", "R1", 90, body=9.0), read("S2", "R2", 90, body=9.0)])
    notes = {c.kind: " ".join(c.notes) for c in more.comparisons}
    assert "first two readings are used: S1 (3 readings)" in notes["intra-observer"]
    assert "each reader's first reading is used: S0, S1, S2, S3" in notes["inter-observer"]
    for kind in notes:
        ours, theirs = (row_of(t, kind, "VBQ-T1").limits for t in (table, more))
        assert ours == theirs
    assert "Intra-observer: R2, first against second reading: only 1 subject, not computed" in more.notes


def test_missing_sequence_is_left_out_and_said(full):
    cohort = [reading for reading in full if reading.time < START + timedelta(days=30)]

    def without_stir(reading):
        rows = [row for row in reading.measurements if not row.name.startswith(("stir", "vbq_stir", "vbq_t2_stir"))]
        kept = {s: found for s, found in reading.images.items() if s is not STIR}
        facts = {s: reading.acquisition[s] for s in kept}
        return replace(reading, measurements=MeasurementTable(rows), images=kept, acquisition=facts)

    one = [without_stir(r) if (r.subject, r.reader) == ("S1", "R2") else r for r in cohort]
    row = row_of(agreement(one), "inter-observer", "STIR signal, CSF")
    assert row.subjects == ("S0", "S2", "S3")
    assert "left out, STIR not read: S1" in row.note
    two = [without_stir(r) if r.subject in ("S1", "S2") else r for r in cohort]
    row = row_of(agreement(two), "inter-observer", "VBQ-T2-STIR")
    assert (row.quality, row.limits, row.icc_2_1) == (Quality.ABSENT, None, None)
    assert "only 2 subjects with both values" in row.note


def test_fractured_levels_are_not_compared(cohort):
    fractured = [replace(r, fractured=(VertebralLevel.L2,)) if r.subject == "S1" else r for r in cohort]
    row = row_of(agreement(fractured), "inter-observer", "T1 signal, L2")
    assert (row.subjects, "left out, fractured: S1" in row.note) == (("S0", "S2", "S3"), True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images": {T1: "0" * 16}}, r"different images \(T1\)"),
        ({"statistic": "median"}, "by mean and by median"),
        ({"fractured": (VertebralLevel.L3,)}, r"different fractured levels \(none and L3\)"),
    ],
)
def test_readings_that_were_not_made_alike_are_refused(cohort, changes, said):
    def other(reading):
        if "images" not in changes:
            return replace(reading, **changes)
        rows = [replace(row, source=replace(row.source, image=changes["images"][T1])) for row in reading.measurements]
        return replace(reading, measurements=MeasurementTable(rows), **changes)

    changed = [other(r) if (r.subject, r.reader) == ("S2", "R2") else r for r in cohort]
    with pytest.raises(UserError, match=said) as refused:
        agreement(changed)
    assert "S2 by R1 and R2" in refused.value.what


def test_readings_of_other_settings_are_refused(cohort):
    def other(reading):
        rows = [replace(row, protocol_id="vbq-other") for row in reading.measurements]
        return replace(reading, measurements=MeasurementTable(rows))

    with pytest.raises(UserError, match="different region settings"):
        agreement([other(r) if (r.subject, r.reader) == ("S2", "R2") else r for r in cohort])


def test_too_few_subjects(cohort):
    with pytest.raises(UserError, match=r"at least 3 subjects.*only 2 subjects"):
        agreement([r for r in cohort if r.subject in ("S0", "S1")])
    with pytest.raises(UserError, match="the 4 readings have none"):
        agreement([r for r in cohort if r.reader == "R2"])


def test_a_reading_given_twice(cohort):
    with pytest.raises(UserError, match="S3 by R1 bear the same time"):
        agreement([*cohort, cohort[-1]])


def test_what_makes_agreement_worthless_is_said(read):
    soon = [read(s, "R1", day, level) for s, (level, _) in FACTORS.items() for day in (0, 3)]
    table = agreement(soon)
    assert "the very same regions" in table.comparisons[0].notes[0]
    assert "within 28 days" in table.comparisons[0].notes[1]
    row = table.rows[0]
    assert (row.limits.bias, row.limits.sd, row.icc_2_1) == (0, 0, None)
    assert "the same in every subject" in row.note


def test_table_as_csv(table, tmp_path):
    write_csv(tmp_path / "agreement.csv", agreement_columns(table))
    with (tmp_path / "agreement.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(table)
    row = next(r for r in rows if r["comparison"] == "intra-observer" and r["name"] == "vbq_t1")
    expected = row_of(table, "intra-observer", "VBQ-T1")
    assert float(row["lower_limit_percent"]) == pytest.approx(expected.limits.lower, rel=1e-9)
    assert float(row["icc_3_1"]) == pytest.approx(expected.icc_3_1.value, rel=1e-9)
    assert (row["pairs"], row["quality"], row["limits_within_10_percent"]) == ("4", "flagged", "yes")


def test_figure_names_the_limits_and_is_the_same_each_time(table, tmp_path):
    draw_agreement(table, tmp_path / "a.svg", tmp_path / "a.png")
    draw_agreement(table, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "a.svg").read_text("utf-8")  # matplotlib leaves the text of its paths as comments
    shown = [row for row in table if not row.quantity.single_level]
    for row in shown:
        assert f"<!-- {row.limits.upper:+.1f} % -->" in text
        assert text.count(f"<!-- {row.quantity.title} -->") == 2  # once a comparison
    assert [row.quantity.title for row in shown[:3]] == ["VBQ-T1", "T1 signal, L1-L4", "T1 signal, CSF"]
    with pytest.raises(UserError, match=r"a\.pdf"):
        draw_agreement(table, tmp_path / "a.pdf")


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(agreement_command)
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=True)


def test_command(cohort, run, tmp_path):
    (tmp_path / "readings" / "r2").mkdir(parents=True)
    for reading in cohort:
        folder = tmp_path / "readings" / ("r2" if reading.reader == "R2" else "")
        write_reading(folder / reading.file_name, reading)
    one = tmp_path / "readings" / cohort[-1].file_name  # named twice: by itself and by its folder
    done = run(tmp_path / "out", tmp_path / "readings", one)
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"agreement.csv", "agreement.png", "agreement.svg", "run.json"}
    manifest = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert len(manifest["readings"]) == 12
    assert [len(c["pairs"]) for c in manifest["comparisons"]] == [4, 4]
    assert "Inter-observer: R1 against R2" in done.output
    assert "T1 signal, CSF" in done.output


@pytest.mark.parametrize(("given", "said"), [("nowhere", "does not exist"), ("", "holds no")])
def test_command_without_readings(run, tmp_path, given, said):
    (tmp_path / "empty").mkdir()
    done = run(tmp_path / "out", tmp_path / (given or "empty"))
    assert isinstance(done.exception, UserError)
    assert said in done.exception.what
    assert not (tmp_path / "out").exists()
