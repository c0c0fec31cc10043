"""The report as a reader's browser sees it: whole, self-contained, and silent about nothing."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from OVFRiskLib.analysis import Analysis
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.report import render_report, write_report
from OVFRiskLib.files.report_findings import at_a_glance
from OVFRiskLib.files.report_tables import DENSITY, HEIGHTS, Footnotes, level_table, signal_table
from OVFRiskLib.image import Modality
from OVFRiskLib.measurement import MeasurementTable
from OVFRiskLib.vbq import Regions

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Checks that tags close in order; collects text, attributes and tag names."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.fixture(scope="module")
def html(analysis):
    return render_report(analysis)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_tags_close_in_order_and_no_script_runs(page):
    assert {"h1", "table", "img", "details"} <= set(page.tags)
    assert not {"script", "iframe", "link", "object", "embed", "form", "base"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_nothing_is_loaded_from_elsewhere(page, html):
    loads = [
        value for _, name, value in page.attributes if name in ("src", "href", "srcset", "data", "action", "poster")
    ]
    assert loads
    assert all(value.startswith(("data:image/png;base64,", "data:image/svg+xml;base64,")) for value in loads)
    css = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    assert "url(" not in css
    assert "@import" not in css
    assert ("meta", "content", "default-src 'none'; img-src data:; style-src 'unsafe-inline'") in page.attributes


def test_text_from_outside_stays_text(page, hostile):
    assert page.text.count(hostile) >= 5  # subject, caveat, note, reason, settings


def test_every_caveat_and_every_reason_is_shown(page, analysis):
    for caveat in analysis.caveats:
        assert caveat in page.text
    for row in analysis.measurements:
        assert row.note in page.text
    for scored in analysis.scores:
        assert all(text in page.text for text in scored.remarks)
    for quality in analysis.levels:
        assert quality.note in page.text
    assert "one grey level: original_glcm_Idmn" in page.text
    assert "resampled" in page.text


def test_no_cut_off_without_what_is_needed_to_read_it(page, analysis):
    for card in (scored.model.card for scored in analysis.scores):
        known = [rate for cut in card.thresholds for rate in (cut.sensitivity, cut.specificity) if rate]
        texts = [
            *(f"{cut.name} {cut.value:g}" for cut in card.thresholds),
            *(f"{rate.value:.0%}" for rate in known),
            *(f"{auc.value:.2f} ({auc.interval[0]:.2f}–{auc.interval[1]:.2f})" for auc in card.performance),
            *(card.intended_use, card.not_for, card.population.text, card.citation, card.outcome, card.validation),
        ]
        assert [text for text in texts if text not in page.text] == []
    assert "not a diagnosis" in page.text
    assert "above the published cut-off" in page.text


def test_features_come_with_the_conformance_of_their_engine(html, analysis):
    assert "Conformance of the feature engine with the IBSI reference values" in html
    for text in ("102 of 105 features", "glcm_Idmn", "WF0Z", "IBSI does not define this feature"):
        assert text in html
    assert "Conformance of the feature engine" not in render_report(replace(analysis, features={}))


def test_unknown_facts_are_called_not_given(page):
    for fact in ("Sex", "Contrast phase of the CT", "Density calibration"):
        assert re.search(rf"{fact} ?not given", page.text)
    assert re.search(r"Age ?71 years", page.text)


def test_what_follows_from_an_unknown_fact_is_said_once_beside_it(page):
    assert re.search(r"Contrast phase of the CT ?not given ?The contrast phase was not given\.", page.text)
    assert page.text.count("The contrast phase was not given.") == 1
    assert re.search(r"Density calibration ?not given ?There is no bone mineral density", page.text)


def test_synthetic_data_is_announced_only_when_it_is(page, analysis):
    assert "SYNTHETIC DATA" in page.text
    real = replace(analysis, run={**analysis.run, "patient": {"synthetic": False}})
    assert "SYNTHETIC DATA" not in Page(render_report(real)).text


def test_every_figure_is_there_and_described(page):
    described = [value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")]
    assert len(described) == 5
    assert all(len(text) > 20 for text in described)


def test_the_same_analysis_gives_the_same_page(html, analysis):
    assert render_report(analysis) == html


def test_an_analysis_of_nothing_but_mri_has_a_page(analysis):
    rows = MeasurementTable(row for row in analysis.measurements if row.name.startswith(("vbq", "t2")))
    volumes = {Modality.T2: analysis.volumes[Modality.T2]}
    mr = replace(analysis, volumes=volumes, compartments=None, levels=(), features={}, measurements=rows)
    text = Page(render_report(mr)).text
    assert "Fractures and heights" not in text
    assert "Attenuation and density" not in text
    assert "Vertebral bone quality on MRI" in text


def test_an_analysis_without_any_result_has_a_page():
    empty = Analysis("P", {}, None, (), Regions(()), MeasurementTable(), {}, (), (), {})
    assert "All 0 measurements" in Page(render_report(empty)).text


def test_a_page_that_cannot_be_written_is_named(analysis, tmp_path):
    bare = replace(analysis, volumes={}, compartments=None, levels=(), regions=Regions(()), scores=())
    with pytest.raises(UserError, match=r"report\.html cannot be written"):
        write_report(tmp_path / "nowhere" / "report.html", bare)


def test_level_tables_mark_what_is_flagged_or_absent(analysis):
    table = level_table(analysis.measurements, analysis.levels, HEIGHTS)
    titles = [column["cell"]["text"] for column in table["columns"]]
    assert "Grade" not in titles, "a column that nothing was measured for"
    off, l1, l2 = table["rows"]
    assert (off["usable"], off["reason"], off["cells"]) == (False, "cut off by the image", [])
    marks = dict(table["footnotes"])
    assert [marks[mark] for mark in l2["level"]["marks"]] == ["odd"]
    assert (l1["quality"], l2["quality"]) == ("1.00", "0.80")
    assert dict(zip(titles, l1["cells"]))["Wedge"]["text"] == "0.0", "never minus zero"
    absent = dict(zip(titles, l2["cells"]))["Wedge"]
    assert absent["text"] == "—"
    assert [marks[mark] for mark in absent["marks"]] == ["no end plate seen"]
    density = level_table(analysis.measurements, analysis.levels, DENSITY)
    cells = [row["cells"][0] for row in density["rows"][1:]]
    assert [cell["text"] for cell in cells] == ["123 ± 31", "−12"]


def test_signal_table_has_a_region_a_row(analysis):
    table = signal_table(analysis.measurements)
    assert table["columns"] == ["T2"]
    assert [(row["name"], row["cells"][0]["text"]) for row in table["rows"]] == [
        ("L1 body", "52.5 ± 5.5"),
        ("L3 CSF", "104 ± 5.5"),
    ]


def test_at_a_glance_names_the_lowest_ratio_and_the_levels_left_out(analysis):
    rows = {row["name"]: row for row in at_a_glance(analysis)}
    assert rows["Levels measured on CT"]["text"] == "L1, L2. Not measured: T12"
    assert rows["Lowest height ratios"]["text"] == "Ha/Hp 0.72 at L1"
    scores = rows["Vertebral bone quality on MRI"]
    assert scores["text"] == "VBQ-T1 —; VBQ-T2 0.612 (above the published cut-off of 0.555)"
    assert "no CSF region" in scores["remarks"]
    assert rows["Vertebral fractures"]["text"] == "not graded: not part of this analysis"
    assert rows["Trabecular attenuation"]["text"] == "L1 123, L2 −12 HU"


def test_footnotes_share_marks_and_never_run_out():
    footnotes = Footnotes()
    assert footnotes.cell("1", "first; second", "first")["marks"] == ["a", "b"]
    for n in range(60):
        footnotes.cell("", f"note {n}")
    marks = [mark for mark, _ in footnotes.items()]
    assert marks[25:29] == ["z", "aa", "ab", "ac"]
    assert len(set(marks)) == len(marks)


def test_colours_of_the_table_are_those_of_the_levels(analysis):
    from OVFRiskLib.anatomy import Compartment, Region
    from OVFRiskLib.terminology import term

    row = level_table(analysis.measurements, analysis.levels, HEIGHTS)["rows"][1]
    assert row["color"] == "rgb({}, {}, {})".format(*term(Region(Compartment.WHOLE, VertebralLevel.L1)).rgb)
