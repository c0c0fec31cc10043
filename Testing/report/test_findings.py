"""Fractures, density, angles and muscle in the report: what is said, and that nothing is said that was not found."""

from dataclasses import replace

import pytest
from OVFRiskLib.anatomy import Compartment, Structure, VertebralLevel
from OVFRiskLib.files.report import render_report
from OVFRiskLib.files.report_findings import alignment_table, at_a_glance
from OVFRiskLib.files.report_muscle import muscle_table
from OVFRiskLib.files.report_tables import DENSITY, HEIGHTS, level_table
from OVFRiskLib.files.report_values import Lookup, level_grades
from OVFRiskLib.measurement import MeasurementTable, Quality
from OVFRiskLib.models.catalogue import published_models
from OVFRiskLib.models.facts import Facts
from OVFRiskLib.models.scoring import score

T12, L1, L2, L3, L5 = (VertebralLevel(name) for name in ("T12", "L1", "L2", "L3", "L5"))
GRADED = {L1: (2, 1, 0.31, ""), L2: (1, 2, 0.22, "borderline: 19 to 25 %")}
CLASSES = "ACR–SPR–SSR"


@pytest.fixture(scope="module")
def spine(make_spine):
    return make_spine(graded=GRADED, cut=(T12,), ungraded=(L5,))


def glance(analysis):
    return {line["name"]: line for line in at_a_glance(analysis)}


def without(analysis, *names):
    return scored(analysis, MeasurementTable(row for row in analysis.measurements if row.name not in names))


def scored(analysis, table, age=71.0):
    """Return the analysis with another table, and the published models applied to it."""
    return replace(analysis, measurements=table, scores=score(published_models(), table, Facts(sex="F", age=age)))


def with_rows(analysis, *rows):
    changed = {(row.level, row.compartment, row.name) for row in rows}
    kept = [r for r in analysis.measurements if (r.level, r.compartment, r.name) not in changed]
    return scored(analysis, MeasurementTable([*kept, *rows]))


def test_the_first_findings_are_fractures_attenuation_density_and_ratios(spine):
    assert list(glance(spine))[:4] == [
        "Vertebral fractures",
        "Attenuation of non-fractured levels",
        "Bone mineral density (vBMD)",
        "Lowest height ratios",
    ]


def test_fractures_are_counted_named_and_called_no_diagnosis(spine):
    line = glance(spine)["Vertebral fractures"]
    assert line["text"] == "2 of 4 graded levels deformed, worst grade 2, spinal deformity index 3"
    assert "L1: grade 2, wedge, −31 %; L2: grade 1, biconcave, −22 %, borderline." in line["remarks"]
    assert "Not graded: T12, L5." in line["remarks"]
    assert line["method"].startswith("A grade of deformity from the mask, not a diagnosis")
    assert "1993;8:1137" in line["method"]


def test_a_borderline_grade_0_is_named_without_a_loss(make_spine):
    line = glance(make_spine("L1-L3", graded={L2: (0, 0, 0.18, "borderline")}, muscles=False))["Vertebral fractures"]
    assert line["text"] == "no graded level is deformed (3 graded)"
    assert line["remarks"].startswith("L2: grade 0, borderline. ")


def test_levels_that_all_lack_a_grade_are_not_called_healthy(make_spine, row):
    spine = make_spine("L1-L3", muscles=False)
    absent = [row(level, Compartment.BODY, "genant_grade", None, note="too thick slices") for level in (L1, L2, L3)]
    absent.append(row(None, None, "fractured_levels", None, note="no level could be graded"))
    assert glance(with_rows(spine, *absent))["Vertebral fractures"]["text"] == "not graded: no level could be graded"


def test_the_means_name_their_levels(spine):
    assert glance(spine)["Attenuation of non-fractured levels"]["text"] == "98 HU"
    assert glance(spine)["Attenuation of non-fractured levels"]["remarks"] == "Mean of L3, L4, L5."


def test_without_a_mean_the_levels_stand_and_the_reason(spine, row):
    reason = "no graded, non-fractured level of L1 to L5"
    mean = row(None, Compartment.CANCELLOUS, "trabecular_attenuation_non_fractured", None, "[hnsf'U]", reason)
    line = glance(with_rows(spine, mean))["Trabecular attenuation"]
    assert (
        line["text"]
        == f"L1 {120 - L1.rank}, L2 {120 - L2.rank}, L3 {120 - L3.rank}, L4 {119 - L3.rank}, L5 {118 - L3.rank} HU"
    )
    assert reason in line["remarks"]


@pytest.mark.parametrize(
    ("vbmd", "error", "expected"),
    [
        (79.9, 0, "osteoporosis"),
        (80.0, 0, "osteopenia"),
        (120.0, 0, "osteopenia"),
        (120.1, 0, "normal"),
        (84.0, 5.0, "osteoporosis or osteopenia: a bound lies within the error"),
        (90.0, 5.0, "osteopenia"),
        (100.0, 25.0, "osteoporosis or osteopenia or normal: a bound lies within the error"),
    ],
)
def test_density_classes_are_the_acrs(spine, row, vbmd, error, expected):
    rows = [
        row(None, Compartment.CANCELLOUS, "vbmd_non_fractured", vbmd, "mg/cm3"),
        row(None, Compartment.CANCELLOUS, "vbmd_non_fractured_error", error, "mg/cm3"),
    ]
    text = glance(with_rows(spine, *rows))["Bone mineral density (vBMD)"]["text"]
    assert text.partition(": ")[2] == expected


def test_density_has_its_class_error_and_source(spine):
    line = glance(spine)["Bone mineral density (vBMD)"]
    assert line["text"] == "93 ± 4.0 mg/cm³: osteopenia"
    assert CLASSES in line["method"]
    unknown = glance(without(spine, "vbmd_non_fractured_error"))["Bone mineral density (vBMD)"]
    assert unknown["text"] == "93 mg/cm³: osteopenia"
    assert "not known" in unknown["remarks"]


def test_without_calibration_there_is_neither_density_nor_class(make_spine):
    spine = make_spine("L1-L3", calibrated=False, muscles=False)
    assert "Bone mineral density (vBMD)" not in glance(spine)
    table = level_table(spine.measurements, spine.levels, DENSITY)
    assert "vBMD" not in [column["cell"]["text"] for column in table["columns"]]
    assert table["absent"] == [("vBMD", "no calibration given")]
    html = render_report(spine)
    assert '<td class="n">—</td><td>no class</td>' in html
    assert "There is no bone mineral density" in html


def test_a_density_that_contrast_medium_forbids_says_so(make_spine, row):
    reason = "vBMD needs a CT without contrast medium; the phase is arterial"
    spine = make_spine("L1-L3", muscles=False)
    rows = [row(level, Compartment.CANCELLOUS, "vbmd", None, "mg/cm3", reason) for level in (L1, L2, L3)]
    rows.append(row(None, Compartment.CANCELLOUS, "vbmd_non_fractured", None, "mg/cm3", reason))
    line = glance(with_rows(spine, *rows))["Bone mineral density (vBMD)"]
    assert line["text"] == "—"
    assert "without contrast medium" in line["remarks"]


def test_there_is_no_class_without_the_mean_nor_for_the_young(spine):
    line = glance(without(spine, "vbmd_non_fractured"))["Bone mineral density (vBMD)"]
    assert "osteo" not in line["text"] + line["method"]
    assert "No class" in line["remarks"]
    young = glance(scored(spine, spine.measurements, age=34.0))["Bone mineral density (vBMD)"]["text"]
    assert young.startswith("93 ± 4.0 mg/cm³: no class (age 34: ")


def test_height_table_has_grades_and_losses(spine):
    table = level_table(spine.measurements, spine.levels, HEIGHTS)
    titles = [column["cell"]["text"] for column in table["columns"]]
    rows = {row["level"]["text"]: row for row in table["rows"]}
    cells = {level: dict(zip(titles, row["cells"])) for level, row in rows.items()}
    assert [cells[level]["Grade"]["text"] for level in ("L1", "L2", "L3", "L5")] == [
        "2, wedge",
        "1, biconcave ?",
        "0",
        "—",
    ]
    assert (cells["L1"]["Loss"]["text"], cells["L1"]["own"]["text"], cells["L1"]["nb."]["text"]) == ("31", "31", "29")
    assert (cells["L1"]["Ha"]["text"], cells["L1"]["±"]["text"]) == ("17.2", "0.7")
    assert [rows[level]["fractured"] for level in ("T12", "L1", "L3")] == [False, True, False]
    notes = dict(table["footnotes"])
    for title in ("Grade", "Loss"):
        assert [notes[mark] for mark in cells["L5"][title]["marks"]] == ["too uncertain to grade"]


def test_a_note_that_a_whole_column_shares_stands_at_its_title(spine):
    table = level_table(spine.measurements, spine.levels, DENSITY)
    first = table["columns"][0]["cell"]
    assert [dict(table["footnotes"])[mark] for mark in first["marks"]] == ["left out: vessel 2.0%"]
    assert [row["cells"][0]["marks"] for row in table["rows"] if row["usable"]] == [[]] * 5


def test_grades_read_type_by_code_and_doubt_by_note(row):
    rows = [
        row(L1, Compartment.BODY, "genant_grade", 3.0, note="Borderline against grade 2"),
        row(L1, Compartment.BODY, "genant_type", 3.0),
        row(L1, Compartment.BODY, "height_reduction", 0.41),
        row(L2, Compartment.BODY, "genant_grade", None, note="cut"),
    ]
    grades = level_grades(Lookup(MeasurementTable(rows)), [L1, L2, L3])
    assert {level: str(grade) for level, grade in grades.items()} == {
        L1: "grade 3, crush, −41 %, borderline",
        L2: "no grade",
    }


def test_angles_have_method_and_reason(spine):
    table = {line["title"]: line for line in alignment_table(spine)}
    assert [line["value"] for line in table.values()] == ["38°", "—", "0°", "13°"]
    assert table["Lordosis L1–S1"]["note"] == "the label map holds no S1"
    assert all(line["method"] for line in table.values())
    assert alignment_table(without(spine, *(row.name for row in spine.measurements if row.unit == "deg"))) == []


def test_muscles_stand_by_side_with_their_asymmetry(spine):
    table = muscle_table(spine.measurements)
    assert table["slab"] == "L1–L5"
    erector, psoas = table["groups"]
    texts = {line["title"]: [cell["text"] for cell in line["cells"]] for line in erector["rows"]}
    assert texts["Volume"] == ["102", "98", "200", "+4 %"]
    assert texts["Attenuation"] == ["28 ± 20", "28 ± 20", "28 ± 20", "−2 HU"]
    assert texts["Infiltrated by fat"][:3] == ["14", "14", "14"]
    assert texts["Lean"][:3] == ["81", "81", "81"]
    assert psoas["rows"][3]["cells"][1]["marks"] == ["a"]
    assert table["footnotes"] == [("a", "streaks")]


def test_a_slab_that_is_not_whole_gives_way_to_l3(spine, row):
    muscles = {r.compartment for r in spine.measurements if r.name == "lean_fraction"}
    rows = [r for r in spine.measurements if r.level is None and r.compartment in muscles]
    absent = [row(None, r.compartment, r.name, None, r.unit, "L5 is not in the image") for r in rows]
    assert muscle_table(with_rows(spine, *absent).measurements)["slab"] == "L3"


def test_no_muscle_no_table_and_absent_muscle_with_its_reason(make_spine, row):
    bare = make_spine("L1-L3", muscles=False)
    assert muscle_table(bare.measurements) is None
    assert "Paraspinal muscle" not in render_report(bare)
    reason = "the label map holds no muscle"
    absent = row(None, Structure.PSOAS, "muscle_volume", None, "cm3", reason, Quality.ABSENT)
    assert muscle_table(MeasurementTable([absent]))["groups"] == []
    assert f"Not measured: {reason}." in render_report(with_rows(bare, absent))
