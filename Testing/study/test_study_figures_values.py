"""Figures of a study draw what was judged: against scikit-learn, and counted by hand."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.study.cohort import Balance
from OVFRiskLib.study.design.design import Way
from OVFRiskLib.study.figures.calibration import calibration, calibration_of_all
from OVFRiskLib.study.figures.decision import decision, impact, reduction
from OVFRiskLib.study.figures.distribution import distribution
from OVFRiskLib.study.figures.forests import ablation, odds, subgroups, validated
from OVFRiskLib.study.figures.importance import importance
from OVFRiskLib.study.figures.lasso import lasso_coefficients, lasso_path
from OVFRiskLib.study.figures.learning import learning
from OVFRiskLib.study.figures.love import love
from OVFRiskLib.study.figures.matrix import matrix
from OVFRiskLib.study.figures.panels import Panel, panels_of
from OVFRiskLib.study.figures.roc import roc
from OVFRiskLib.study.figures.selection import selection
from OVFRiskLib.study.figures.ways import ways
from OVFRiskLib.study.judgement.judged import Judged, Judgement, Optimism, Validated
from OVFRiskLib.study.judging.estimate import Estimate, absent
from OVFRiskLib.study.running.results import ModelResult, StepRecord, StudyRun
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve

from .study_figures_data import LEARNERS, diabetes


@dataclass(frozen=True)
class Shown:
    """What the figures show: two models of the diabetes table, the best on the test patients."""

    run: StudyRun
    judgement: Judgement
    panels: tuple[Panel, ...]
    best: Judged
    score: pd.Series
    y: np.ndarray


@pytest.fixture(scope="module")
def shown() -> Shown:
    run, judgement = diabetes()
    panels = panels_of(judgement.on("test"), run.design, LEARNERS, judgement.best)
    best = next(one for one in judgement.on("test") if one.key == judgement.best)
    score = next(one for one in run.models if one.variant == best.variant).predictions["test"]
    return Shown(run, judgement, panels, best, score, run.outcome.loc[score.index].to_numpy())


def line(ax, name: str):
    return next(one for one in ax.get_lines() if one.get_gid() == name)


def texts(ax) -> list[str]:
    return [one.get_text() for one in ax.texts]


def points(ax) -> list[float]:
    """Where a forest plot's values stand, from top to bottom."""
    found = [one.get_xydata()[0] for one in ax.get_lines() if one.get_marker() in "oDs^" and len(one.get_xdata()) == 1]
    return [x for x, _ in sorted(found, key=lambda xy: xy[1])]


def test_roc_curve_has_the_corners_of_scikit_learn_and_its_area(shown):
    figure = roc(shown.panels, {one.key: one for one in shown.judgement.on("training")}).figure
    ax, legend = figure.axes
    false, true, _ = roc_curve(shown.y, shown.score, drop_intermediate=False)
    np.testing.assert_allclose(line(ax, shown.best.title).get_xydata(), np.column_stack([false, true]), atol=1e-12)
    named = [text.get_text() for text in legend.get_legend().get_texts()]
    assert any(
        text.startswith(f"{shown.best.title}\nAUC {roc_auc_score(shown.y, shown.score):.3f} (") for text in named
    )
    assert line(ax, f"apparent {shown.best.title}").get_linestyle() == "--"


def test_calibration_draws_groups_curve_and_every_patient(shown):
    ax, place, below, _ = calibration(shown.best, "black").figure.axes
    edges = np.unique(np.quantile(shown.score, np.linspace(0, 1, 11)))
    group = np.searchsorted(edges[1:-1], shown.score)
    means = [(shown.score[group == k].mean(), shown.y[group == k].mean()) for k in np.unique(group)]
    np.testing.assert_allclose(ax.containers[0].lines[0].get_xydata(), means)
    assert line(ax, "smooth").get_xdata()[0] == shown.score.min()
    assert sum(bar.get_height() for bar in below.patches) == len(shown.score) == 110
    np.testing.assert_allclose(np.mean((shown.score - shown.y) ** 2), shown.best.calibration.brier.value)
    assert f"Brier score {np.mean((shown.score - shown.y) ** 2):.3f}" in texts(place)[0]


def test_calibration_of_all_has_a_curve_a_model(shown):
    ax = calibration_of_all(shown.panels).figure.axes[0]
    for one in shown.judgement.on("test"):
        assert tuple(line(ax, one.title).get_ydata()) == one.calibration.smooth.observed


def at(ax, name: str, threshold: float) -> float:
    x, y = line(ax, name).get_data()
    return float(np.interp(threshold, x, y))


def test_net_benefit_impact_and_reduction_are_counted_by_hand(shown):
    treated, share = shown.score.to_numpy() >= 0.3, shown.y.mean()
    true, false = np.mean(treated & (shown.y == 1)), np.mean(treated & (shown.y == 0))
    benefit, weight = true - false * 0.3 / 0.7, 0.3 / 0.7
    ax = decision(shown.panels).figure.axes[0]
    assert at(ax, shown.best.title, 0.3) == pytest.approx(benefit)
    treat_all = next(one for one in ax.get_lines() if one.get_label() == "treat all")
    assert np.interp(0.3, *treat_all.get_data()) == pytest.approx(share - (1 - share) * weight)
    ax = impact(shown.best).figure.axes[0]
    assert at(ax, "at high risk", 0.3) == pytest.approx(1000 * treated.mean())
    assert at(ax, "at high risk, with the event", 0.3) == pytest.approx(1000 * true)
    avoided = 100 * (benefit - (share - (1 - share) * weight)) / weight
    assert at(reduction(shown.best).figure.axes[0], shown.best.title, 0.3) == pytest.approx(avoided)


def test_distribution_has_a_dot_a_patient_in_the_row_of_its_outcome(shown):
    ax = distribution(shown.best, shown.score, shown.run.outcome, ("no event", "event")).figure.axes[0]
    dots = [one for one in ax.get_lines() if one.get_linestyle() == "None"]
    for outcome, found in enumerate(dots):
        np.testing.assert_array_equal(found.get_xdata(), np.sort(shown.score[shown.y == outcome]))
    assert [text.get_text() for text in ax.get_yticklabels()] == ["no event\nn = 56", "event\nn = 54"]
    assert [(shown.y == 0).sum(), (shown.y == 1).sum()] == [56, 54]


def test_confusion_matrix_is_that_of_scikit_learn(shown):
    ax = matrix(shown.best, ("no event", "event")).figure.axes[0]
    expected = confusion_matrix(shown.y, shown.score >= shown.best.confusion["Youden"].cutoff.value)
    assert [int(text.partition("\n")[0]) for text in texts(ax)] == expected.ravel().tolist()
    assert texts(ax)[0].endswith(f"{100 * expected[0, 0] / expected[0].sum():.1f} %")


def test_love_plot_shows_before_and_after():
    table = pd.DataFrame({"variable": ["age", "sex", "BMI"], "smd before": [0.6, -0.9, np.nan]})
    table["smd after"] = [-0.05, 0.02, np.nan]
    sizes = pd.DataFrame({"group": ["cases", "controls"], "matched": [80, 80], "all": [84, 200]})
    found = love(Balance(table, sizes))
    ax = found.figure.axes[0]
    shown = {one.get_label(): one.get_xydata().tolist() for one in ax.get_lines()}
    assert shown["before matching"] == [[0.9, 0], [0.6, 1]]
    assert shown["after matching"] == [[0.02, 0], [0.05, 1]]
    assert "80 of 84 cases, 80 of 200 controls" in found.caption
    assert "Absent, as the cases do not vary: BMI" in found.caption


def estimate(value: float | None, width: float = 0.1) -> Estimate:
    if value is None:
        return absent(8, 0, "method", "nobody had the event")
    return Estimate(value, value - width, value + width, 40, 9, "method")


def test_as_published_stands_beside_leak_free_with_the_optimism():
    pairs = ((0.9, 0.7, 0.2), (0.8, 0.85, -0.05), (0.8, None, None))
    rows = [Optimism("v", "l", f"M{n}", "test", *map(estimate, three)) for n, three in enumerate(pairs)]
    found = ways(rows)
    ax = found.figure.axes[0]
    assert line(ax, "as published").get_xdata().tolist() == [0.9, 0.8, 0.8]
    assert line(ax, "leak-free").get_xdata().tolist() == [0.7, 0.85]
    assert texts(ax)[:3] == ["+0.200 (0.100 to 0.300)", "−0.050 (−0.150 to 0.050)", "absent"]
    assert "M2, optimism: nobody had the event" in found.caption


def test_forests_stand_where_the_values_are(shown):
    columns = {"variant": "v", "learner": "l", "title": "Model", "on": "test", "low": 0.6, "high": 0.9, "p": 0.03}
    frame = pd.DataFrame({"auc": [0.7, 0.8, np.nan], "n": [60, 40, 10], "events": [20, 9, 0]}).assign(**columns)
    frame["column"], frame["subgroup"] = ["sex", "sex", "age"], ["sex: 0", "sex: 1", "age above 70"]
    frame["reason"] = ["", "", "none of the 10 patients had the event"]
    found = subgroups(frame, shown.best)
    assert points(found.figure.axes[0]) == pytest.approx([shown.best.auc.value, 0.7, 0.8])
    assert texts(found.figure.axes[0])[1] == "0.700 (0.600 to 0.900)   n = 60 (20)   P = 0.030"
    assert "P =" not in texts(found.figure.axes[0])[2]
    assert "age above 70: none of the 10 patients had the event" in found.caption
    left = frame.assign(left_out=["", "age", "sex"], p=[None, 0.0004, None])
    found = ablation(left)
    assert [text.get_text() for text in found.figure.axes[0].get_yticklabels()][:2] == [
        "nothing left out",
        "without age",
    ]
    assert texts(found.figure.axes[0])[1].endswith("P < 0.001")
    rows = [Validated(Way.LEAK_FREE, "v", "l", "M", "repeated hold-out", estimate(0.7), 0.02, 5, "a; b")]
    rows.append(Validated(Way.LEAK_FREE, "v", "l", "N", "repeated hold-out", estimate(None), None, 0, "c; a"))
    found = validated(rows, "validation")
    assert points(found.figure.axes[0]) == [0.7]
    assert "N, repeated hold-out: nobody had the event" in found.caption
    assert "Repeated hold-out: a." in found.caption


def test_odds_ratios_end_in_arrowheads_where_the_axis_ends():
    frame = pd.DataFrame({"odds_ratio": [2.0, 1e6], "low": [1.5, 1e-3], "high": [2.7, 1e15], "p": [0.001, 0.9]})
    found = odds(frame.set_axis(["age", "x"]), "m", "Model")
    ax = found.figure.axes[0]
    assert points(ax) == [2.0]  # the other lies beyond
    assert {one.get_marker() for one in ax.get_lines()} >= {"<", ">"}
    assert ax.get_xlim() == (0.01, 100)
    assert "Arrowheads" in found.caption


def test_importance_learning_and_selection_show_their_numbers():
    frame = pd.DataFrame({"importance": np.linspace(0.3, -0.01, 14), "sd": 0.02}, [f"x{n}" for n in range(14)])
    found = importance(frame, "Model")
    assert [bar.get_width() for bar in found.figure.axes[0].patches] == frame["importance"].tolist()[:10]
    assert "10 most important of 14" in found.caption
    sizes = {"patients": [30, 60], "events": [9, 18], "events_per_variable": [0.75, 1.5], "auc": [0.6, 0.7]}
    curve = pd.DataFrame(sizes | {"low": [0.5, 0.6], "high": [0.7, 0.8]}).assign(
        variant="v", learner="l", title="Model", repeats=5
    )
    ax = learning(curve, None).figure.axes[0]
    assert ax.get_lines()[0].get_xydata().tolist() == [[30, 0.6], [60, 0.7]]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["30\n9\n0.8", "60\n18\n1.5"]
    counts = (("reproducibility", 1223, 940), ("rank-sum", 940, 106), ("mrmr", 106, 20))
    steps = tuple(StepRecord("radiomics", name, a, b, pd.DataFrame()) for name, a, b in counts)
    model = ModelResult(Way.LEAK_FREE, "v", "l", "L", steps=steps)
    ax = selection(model, {"radiomics": "Radiomics"}, "Model").figure.axes[0]
    assert [bar.get_width() for bar in ax.containers[1]] == [1223, 940, 106, 20]  # Ge 2025
    assert texts(ax) == ["  1,223", "  940", "  106", "  20"]


def test_lasso_paths_and_coefficients_are_those_of_the_step():
    curves = {"penalties": [0.2, 0.1, 0.05], "coefficients": [[0, 0], [0.5, 0], [0.7, -0.2]], "names": ["a", "b"]}
    curves |= {"mean": [1.4, 1.3, 1.35], "se": [0.1] * 3, "nonzero": [0, 1, 2], "measure": ["deviance"]}
    facts = {"lambda_min": 0.1, "lambda_1se": 0.2, "lambda": 0.1}
    record = StepRecord("radiomics", "lasso", 9, 1, pd.DataFrame(), facts, curves)
    left, right = (ax for ax in lasso_path(record, "Radiomics").figure.axes)
    assert line(left, "b").get_xydata().tolist() == [[0.2, 0], [0.1, 0], [0.05, -0.2]]
    assert right.containers[0].lines[0].get_ydata().tolist() == [1.4, 1.3, 1.35]
    stand = {one.get_label(): one.get_xdata()[0] for one in right.get_lines() if one.get_label().startswith("λ")}
    assert stand == {"λ min": 0.1, "λ 1-SE": 0.2}
    bars = lasso_coefficients(record, "Radiomics").figure.axes[0].patches
    assert [bar.get_width() for bar in bars] == [0.5]
    radscore = pd.DataFrame({"center": 0, "scale": 1, "coefficient": [0.1, -0.4]}, ["a", "b"])
    record = StepRecord("radiomics", "radscore", 9, 1, radscore, facts, curves)
    assert [bar.get_width() for bar in lasso_coefficients(record, "R").figure.axes[0].patches] == [-0.4, 0.1]
