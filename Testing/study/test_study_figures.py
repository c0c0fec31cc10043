"""All figures of a study: which there are, that nothing is cut off, how they are written."""

import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.figures.style import styled
from OVFRiskLib.study.design.design import Way
from OVFRiskLib.study.figures import StudyFigure, draw, draw_figures, write_figures
from OVFRiskLib.study.figures.importance import importance
from OVFRiskLib.study.figures.panels import panels_of
from OVFRiskLib.study.figures.study_figure import SYNTHETIC, finished, lay_out
from OVFRiskLib.study.figures.words import figures_of, labels, one_line, p_value
from OVFRiskLib.study.judgement.judge import judge
from OVFRiskLib.study.running.results import ModelResult

from .study_figures_data import LEARNERS, diabetes, fifteen_and_more, many, study
from .study_run_data import small_run

FEATURES = [
    f"cancellous_mean_wavelet-{band}_glcm_{name}"
    for band in ("LLH", "LHL", "HHH")
    for name in ("Idmn", "InverseVariance", "DifferenceEntropyOfTheWholeVertebralBodyWithACementedNeighbour")
]


def sketches(run, judgement):
    with styled():
        return [one for one in draw._sketches(run, judgement) if one]


def outside(figure) -> list[str]:
    """Texts that the border cuts off, at the resolution of the PNG: at others letters differ a little in width."""
    with styled():
        lay_out(figure, True)
    figure.set_dpi(160)
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    beyond = {text for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for text in undrawn(axis)}
    found = []
    for text in set(figure.findobj(Text)) - beyond:
        box = text.get_window_extent()
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        found += [] if inside or not text.get_visible() or not text.get_text() else [text.get_text()]
    return found


def undrawn(axis) -> list[Text]:
    """Labels of ticks beyond the axis' ends."""
    low, high = sorted(axis.get_view_interval())
    ticks = axis.get_major_ticks() + axis.get_minor_ticks()
    return [label for one in ticks if not low <= one.get_loc() <= high for label in (one.label1, one.label2)]


@pytest.fixture(scope="module")
def small():
    run = small_run(Path())
    return run, judge(run)


def test_small_study_has_every_figure_in_reading_order(small, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures = draw_figures(*small)
    assert [figure.key for figure in figures] == [
        "roc_test",
        "as_published_test",
        "as_published_cross-validation",
        "as_published_nested_cross-validation",
        "as_published_repeated_hold-out",
        "calibration_test",
        "calibration_all_test",
        "decision_test",
        "impact_test",
        "reduction_test",
        "predictions_test",
        "confusion_test",
        "subgroups_test",
        "importance",
        "ablation",
        "selection",
        "lasso_path_radiomics",
        "lasso_coefficients_radiomics",
        "odds_ratios_clinical_logistic-unpenalised",
        "learning_curve",
        "validation",
    ]
    assert all(figure.caption.startswith(SYNTHETIC) and figure.alt.startswith(SYNTHETIC) for figure in figures)
    names = write_figures(figures, tmp_path)
    assert len(names) == 2 * len(figures) == len(list((tmp_path / "figures").iterdir()))
    assert (tmp_path / names[0]).read_bytes().startswith(b"<?xml")
    assert (tmp_path / names[1]).read_bytes().startswith(b"\x89PNG")


def test_no_figure_of_the_small_study_is_cut_off(small):
    for sketch in sketches(*small):
        assert outside(sketch.figure) == [], sketch.key


def test_same_study_gives_the_same_bytes():
    run, judgement = diabetes()
    with styled():
        first, second = ([finished(one, False) for one in sketches(run, judgement)[:4]] for _ in range(2))
    assert first == second
    assert not any(SYNTHETIC in figure.caption for figure in first)


def test_synthetic_figure_says_so_on_its_face():
    frame = pd.DataFrame({"importance": [0.1], "sd": [0.02]}, ["age"])
    real, made = importance(frame, "M"), importance(frame, "M")
    assert finished(real, False).png != finished(made, True).png
    assert [text.get_text() for text in made.figure.texts] == [SYNTHETIC]
    assert not real.figure.texts
    assert made.figure.get_size_inches()[1] > real.figure.get_size_inches()[1]


def test_many_models_with_long_names_stay_inside_the_border():
    run, judgement = fifteen_and_more()
    table = pd.DataFrame({"importance": np.linspace(0.1, 0, len(FEATURES)), "sd": 0.01}, FEATURES)
    run = replace(run, models=tuple(replace(model, importance=table) for model in run.models), synthetic=True)
    found = sketches(run, judgement)
    assert [one.key for one in found if "importance" in one.key]
    for sketch in found:
        assert outside(sketch.figure) == [], sketch.key


def test_many_models_have_a_panel_for_each_variant_and_few_have_one():
    run, judgement = fifteen_and_more()
    panels = panels_of(judgement.on("test"), run.design, LEARNERS, judgement.best)
    assert [panel.title for panel in panels] == [variant.title for variant in run.design.variants]
    assert [series.label for series in panels[0].series] == list(LEARNERS.values())
    looks = {(series.style["color"], series.style["marker"]) for series in panels[0].series}
    assert len({color for color, _ in looks}) == len({marker for _, marker in looks}) == 3
    few = panels_of(judgement.on("test")[:4], run.design, LEARNERS, judgement.best)
    assert len(few) == 1
    assert few[0].series[0].label == judgement.judged[0].title


def test_names_of_features_are_apart():
    sketch = importance(pd.DataFrame({"importance": 0.1, "sd": 0.01}, FEATURES), "M")
    sketch.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in sketch.figure.axes[0].get_yticklabels()]
    assert all(lower.y1 <= upper.y0 for upper, lower in pairwise(boxes))


@pytest.mark.parametrize(
    ("patients", "events", "strength", "reason"),
    [(30, 4, 1.0, None), (40, 12, 90.0, "the variance is zero")],
    ids=["eight events", "told apart completely"],
)
def test_hard_sets_are_drawn_without_a_warning(patients, events, strength, reason):
    run = many(patients, events, strength, variants=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures = {sketch.key: sketch for sketch in sketches(run, judge(run))}
        for sketch in figures.values():
            assert outside(sketch.figure) == [], sketch.key
    assert {"roc_test", "confusion_test", "predictions_test"} <= set(figures)
    if reason:
        assert reason in figures["roc_test"].caption
        assert "without 12 of 40 patients whose prediction is exactly 0 or 1" in figures["calibration_test"].caption


def test_one_outcome_alone_has_no_curves_and_no_failure():
    outcome = pd.Series([1, 0, 1, 0, 0, 0, 0], [f"p{n}" for n in range(7)])
    score = pd.Series([0.8, 0.2, 0.7, 0.4, 0.3, 0.1, 0.2], outcome.index)
    parts = {"training": score[:4], "cross-validation": score[:4], "test": score[4:]}
    run = study((ModelResult(Way.LEAK_FREE, "v", "logistic", "L", predictions=parts),), outcome, {"v": "V"})
    keys = [sketch.key for sketch in sketches(run, judge(run))]
    assert "roc_test" not in keys
    assert "decision_test" not in keys
    assert "predictions_test" in keys


def test_external_patients_have_figures_of_their_own_and_nobody_tests():
    run, _ = diabetes()
    models = tuple(
        replace(
            model,
            predictions={"cross-validation": model.predictions["training"], "external": model.predictions["test"]},
        )
        for model in run.models
    )
    run = replace(run, models=models)
    keys = [sketch.key for sketch in sketches(run, judge(run))]
    assert keys[0] == "roc_cross-validation"
    assert {"roc_external", "calibration_external", "decision_cross-validation", "confusion_external"} <= set(keys)
    assert len(keys) == len(set(keys))


def test_labels_are_two_lines_that_differ():
    assert labels(["age"]) == ["age"]
    assert labels(["cancellous_mean_wavelet-LLH_glcm_Idmn"]) == ["cancellous_mean_wavelet-LLH_\nglcm_Idmn"]
    assert labels(["Clinical and radiomics, Random forest"]) == ["Clinical and radiomics,\nRandom forest"]
    found = labels(FEATURES)
    assert len(set(found)) == len(FEATURES)
    assert all(len(row) <= 30 for text in found for row in text.split("\n"))
    start, end = "a_start_that_is_rather_long_for_", "_and_an_end_that_is_long_as_well"
    alike = labels([f"{start}one{end}", f"{start}two{end}"])
    assert [text.replace("\n", "") for text in alike] == [f"{start}one{end}", f"{start}two{end}"]
    assert one_line("x" * 50, 20) == "x" * 10 + "…" + "x" * 9


def test_numbers_are_written_as_journals_do():
    assert figures_of(-0.0501, -0.15, 0.0001) == "−0.050 (−0.150 to 0.000)"
    assert figures_of(0.5, None, None) == "0.500 (no interval)"
    assert figures_of(None, None, None) == "absent"
    assert [p_value(p) for p in (0.0004, 0.0123, 0.5, None)] == ["P < 0.001", "P = 0.012", "P = 0.50", ""]


def test_folder_that_cannot_be_written_is_a_users_mistake(tmp_path):
    (tmp_path / "figures").write_text("in the way")
    with pytest.raises(UserError, match="cannot be written"):
        write_figures([StudyFigure("k", "t", "c", "a", b"", b"")], tmp_path)
