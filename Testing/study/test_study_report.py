"""The report of a study: page, text and checklists, of a small study that was really trained."""

from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.cohort import Cohort
from OVFRiskLib.study.design.design import How, SplitPlan, Way
from OVFRiskLib.study.figures.study_figure import StudyFigure
from OVFRiskLib.study.judging.estimate import absent
from OVFRiskLib.study.report.checklists import checklists, score
from OVFRiskLib.study.report.page import render_page
from OVFRiskLib.study.report.paragraph import methods_and_results
from OVFRiskLib.study.report.words import Nameless
from OVFRiskLib.study.report.writing import write_report
from sklearn.metrics import brier_score_loss, roc_auc_score

from .study_report_data import larger, the_judgement, the_run  # noqa: F401 - fixtures
from .study_run_data import CLINICAL, OUTCOME

VOID = {"meta", "img", "br", "link", "input"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"></svg>'
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def figures():
    return [StudyFigure(key, f"Title {key}", f"Caption {key}.", f"Alt {key}", SVG, b"") for key in ("roc", "love")]


class Page(HTMLParser):
    """What is in a page; raises where tags are not nested."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.tables, self.text, self.style = [], [], [], "", ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            self.style += data
            return
        self.text += data
        if "tr" in self.open and ("td" in self.open or "th" in self.open):
            self.tables[-1][-1][-1] += " " + data.strip() if "small" in self.open else data

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    def column(self, heading, first):
        """The cells below a heading, by the rows' first cell, of the first table that has both headings."""
        table = next(one for one in self.tables if one and heading in one[0] and one[0][0] == first)
        place = table[0].index(heading)
        return {row[0]: row[place] for row in table[1:]}


@pytest.fixture(scope="module")
def html(run, judgement, figures):
    return render_page(run, judgement, figures)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


@pytest.fixture(scope="module")
def text(run, judgement):
    return methods_and_results(run, judgement).replace("\\", "")


def test_page_loads_nothing(page):
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert max(Counter(ids).values()) == 1
    assert all(attrs["src"].startswith("data:image/svg+xml;base64,") for attrs in page.all("img"))
    assert {attrs["href"][1:] for attrs in page.all("a")} <= set(ids)
    assert not page.all("script")
    assert not page.all("link")
    assert "url(" not in page.style
    assert "@import" not in page.style
    policies = [attrs["content"] for attrs in page.all("meta") if "http-equiv" in attrs]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_page_can_be_heard(page):
    assert all(attrs.get("alt") for attrs in page.all("img"))
    assert {attrs.get("scope") for attrs in page.all("th")} == {"col", "row"}
    assert len(page.all("caption")) == len(page.all("table")) - 1  # the glance has a sentence above it
    assert page.all("html")[0]["lang"] == "en"


def test_page_shows_each_figure_once(page, figures):
    shown = [attrs["id"] for attrs in page.all("figure")]
    assert shown == [f"figure-{figure.key}" for figure in figures]
    assert all(figure.caption in page.text and figure.title in page.text for figure in figures)


def test_page_holds_each_table(page, run, judgement):
    for model in judgement.on("test"):
        assert page.column("AUC", "Model")[model.title].startswith(f"{model.auc.value:.3f} {model.auc.low:.3f} to")
    assert all(one.title in page.column("Leak-free", "Model") for one in judgement.optimism if one.on == "test")
    assert set(CLINICAL) <= {name.split(" ")[0] for name in page.column("P", "Variable")}
    assert page.column("Missing", "Column") == {"cea": "6"}
    assert {one.kind.capitalize() for one in judgement.validated} <= set(page.column("By", "Model").values()) | {
        row[1] for table in page.tables for row in table if len(row) > 2
    }
    headings = {cell for table in page.tables if table for cell in table[0]}
    assert {"Subgroup", "Left out", "Events a variable", "Odds ratio", "Loss of AUC", "SHA-256"} <= headings
    bundles = page.column("Parameters", "Model")
    assert len(bundles) == len({(one.variant, one.learner) for one in run.models})


def test_synthetic_patients_are_announced(run, judgement, figures, text):
    html = render_page(run, judgement, figures)
    assert html.index("SYNTHETIC DATA") < html.index("<h1>")
    assert text.split("\n\n")[2].startswith("All patients of this study are SYNTHETIC")
    real = replace(run, synthetic=False)
    assert "SYNTHETIC" not in render_page(real, replace(judgement, warnings=()), figures)
    assert "SYNTHETIC" not in methods_and_results(real, judgement)


def test_page_escapes_what_comes_from_outside(run, judgement, figures):
    hostile = replace(run.design, title=HOSTILE, question=HOSTILE, event=HOSTILE, source=HOSTILE)
    models = tuple(replace(model, note=HOSTILE, bundle=HOSTILE) for model in run.models)
    tables = replace(run.table_one, rows=tuple(replace(row, variable=HOSTILE) for row in run.table_one.rows))
    made = replace(run, design=hostile, models=models, table_one=tables, facts={**run.facts, "started": HOSTILE})
    html = render_page(made, replace(judgement, warnings=(HOSTILE,)), [replace(figures[0], caption=HOSTILE)])
    assert HOSTILE not in html
    assert not Page(html).all("script")
    assert HOSTILE in Page(html).text
    assert "\\<script\\>" in methods_and_results(made, judgement)


def test_same_study_gives_the_same_bytes(run, judgement, figures, tmp_path):
    names = write_report(tmp_path / "a", run, judgement, figures)
    assert write_report(tmp_path / "b", run, judgement, figures) == names
    assert set(names) == {path.name for path in (tmp_path / "a").iterdir()}
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)


def test_folder_that_cannot_be_written(run, judgement, figures, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError):
        write_report(tmp_path / "file" / "below", run, judgement, figures)


def test_no_patient_is_named(run, judgement, figures, tmp_path):
    made = larger(run)
    warned = replace(judgement, warnings=(f"{run.cohort.table.index[5]} is odd.",))
    names = write_report(tmp_path, made, warned, figures)
    keys = [*made.cohort.table.index, *made.external.table.index, *made.cohort.left_out]
    for name in names:
        written = (tmp_path / name).read_text("utf-8")
        assert [key for key in keys if key in written] == [], name
    assert "results/[patient]/features.csv" in (tmp_path / "study.html").read_text("utf-8")


def test_short_keys_are_words_like_others(run):
    table = run.cohort.table.set_axis([str(n) for n in range(len(run.cohort))])
    nameless = Nameless(replace(run, cohort=Cohort(table, run.cohort.columns), matching=None))
    assert nameless("AUC of 5 patients, 12 inputs") == "AUC of 5 patients, 12 inputs"
    longer = table.set_axis([f"{n + 1234567}" for n in range(len(table))])
    nameless = Nameless(replace(run, cohort=Cohort(longer, run.cohort.columns), matching=None))
    assert nameless("empty for 1234567, 1234568.") == "empty for [patient], [patient]."


def test_text_counts_patients(run, judgement):
    made = larger(run)
    text = methods_and_results(made, judgement).replace("\\", "")
    train, test = (run.cohort.table.loc[list(keys), OUTCOME] for keys in (run.split.train, run.split.test))
    assert f"training ({len(train)} patients, {int(train.sum())} with the event)" in text
    assert f"test ({len(test)} patients, {int(test.sum())} with the event)" in text
    events = int(run.cohort.table[OUTCOME].sum())
    assert f"120 patients took part: {events} of 120 ({100 * events / 120:.1f} %) had the event." in text
    assert "3 patients of the tables did not take part: has no 'age' (2); is a twin of [patient] (1)." in text
    outside = int(made.external.table[OUTCOME].sum())
    assert f"The external set had 20 patients, {outside} with the event." in text
    pairs = made.matching.pairs
    assert f"{pairs['control'].nunique()} controls were matched to {pairs['case'].nunique()} of {events}" in text
    age = run.cohort.table["age"]
    apart = [age[pairs[who]].mean() for who in ("case", "control")]
    spread = age[run.cohort.table[OUTCOME] == 1].std(ddof=1)
    assert f"and {abs(apart[0] - apart[1]) / spread:.3f} after matching." in text
    assert "7 models were trained. Clinical, Logistic regression (leak-free) failed: Column 'age' is empty" in text


def test_sampling_is_told(run, judgement, figures):
    made = larger(run)
    assert "added by ADASYN (4 neighbours, up to a ratio of 1 " in methods_and_results(made, judgement)
    assert "resampling of the training patients came before the folds" in methods_and_results(made, judgement)
    assert "before (0 49, 1 35), after (0 49, 1 48)" in Page(render_page(made, judgement, figures)).text
    assert "came before the folds" not in methods_and_results(run, judgement)


def test_text_has_the_best_models_figures(run, judgement, text):
    best = next(one for one in run.models if (one.way, one.variant, one.learner) == judgement.best)
    score = best.predictions["test"]
    truth = run.outcome[score.index]
    assert f"AUC {roc_auc_score(truth, score):.3f} (95 % CI" in text
    assert f"Brier score {brier_score_loss(truth, score):.3f} (95 % CI" in text
    inner = best.predictions["cross-validation"]
    trained = run.outcome[inner.index]
    hits = {cut: ((inner[trained == 1] >= cut).mean(), (inner[trained == 0] >= cut).mean()) for cut in inner}
    cut = min(hits, key=lambda one: (round(hits[one][1] - hits[one][0], 9), one))  # the most sensitive of equals
    lower = max(value for value in inner if value < cut)
    cutoff = (cut + lower) / 2  # half-way, as pROC
    positive = score >= cutoff
    assert f"At the cut-off {cutoff:.3f} (Youden)" in text
    assert f"sensitivity {positive[truth == 1].mean():.3f} (95 % CI" in text
    assert f"specificity {1 - positive[truth == 0].mean():.3f} (95 % CI" in text
    assert f"It took {len(best.inputs)} inputs." in text


def test_text_has_the_optimism(run, judgement, text):
    _, variant, learner = judgement.best
    areas = {}
    for model in run.models:
        if (model.variant, model.learner) == (variant, learner):
            score = model.predictions["test"]
            areas[model.way] = roc_auc_score(run.outcome[score.index], score)
    published, leak_free = areas[Way.AS_PUBLISHED], areas[Way.LEAK_FREE]
    expected = f"{published:.3f} as published, {leak_free:.3f} leak-free, optimism {published - leak_free:.3f}"
    assert expected.replace("optimism -", "optimism −") in text


def test_text_names_what_is_absent(run, judgement, figures):
    none = absent(36, 0, "AUC", "nobody had the event")
    judged = tuple(replace(one, auc=none) if one.on == "test" else one for one in judgement.judged)
    made = replace(judgement, judged=judged)
    assert "AUC absent (nobody had the event)" in methods_and_results(run, made)
    cells = Page(render_page(run, made, figures)).column("AUC", "Model").values()
    assert set(cells) == {"— nobody had the event"}
    assert "no seed" not in methods_and_results(run, made)


def test_nothing_judged_is_said(run, judgement, figures):
    empty = replace(
        judgement, judged=(), best=None, comparisons={}, reclassification={}, optimism=(), validated=(), warnings=()
    )
    html = render_page(run, empty, figures)
    assert "No leak-free model was judged on the test set." in html
    assert "No model was judged." in html
    assert "there is nothing to compare" in html
    assert "No leak-free model was judged on the test set." in methods_and_results(run, empty)
    assert [score(one.items)[0] for one in checklists(run, empty)] == [None, None, None]


def test_model_chosen_where_it_is_judged_is_said(run, judgement, figures):
    models = tuple(
        replace(one, predictions={on: found for on, found in one.predictions.items() if on != "test"})
        for one in run.models
    )
    made = replace(run, models=models, split=None, design=replace(run.design, split=SplitPlan(How.NONE)))
    judged = tuple(one for one in judgement.judged if one.on != "test")
    without = replace(judgement, judged=judged, primary="cross-validation")
    words = "The same patients chose it among 4 models"
    assert words in methods_and_results(made, without)
    assert words in render_page(made, without, figures)
    assert words not in methods_and_results(run, judgement)
