"""The picture of a nomogram: everything is legible, and the patient's dots stand where the points are."""

import base64
import re
from itertools import combinations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.figures import nomogram as drawing
from OVFRiskLib.files.figures.nomogram import nomogram_figure, write_nomogram
from OVFRiskLib.models.card import Combination, Input, Summary
from OVFRiskLib.models.nomogram import nomogram_of, points_of

from .cards import example_card

LONG = "wavelet-LLH glszm LargeAreaHighGrayLevelEmphasis of the cancellous bone, mean of L1 to L4 (native CT, 1 mm)"
# name, title, unit, lowest, highest, SD, coefficient, the patient's value
ROWS = (
    ("age", "Age", "a", 41, 92, 10, 0.04, 95),
    ("vbmd", "vBMD L1–L2", "mg/cm3", 20, 220, 30, -0.02, 61.3),
    ("sex_male", "Sex", "1", 0, 1, 0.46, 0.1, 1),
    ("f1", LONG, "1", 1234567, 98765432, 1e7, 3e-8, 4.4e7),
    ("f2", "original_ngtdm_Busyness_" * 9, "1", 1e-5, 9.3e-5, 1e-5, 2e4, 8.1e-5),
    ("hu", "Attenuation", "[hnsf'U]", -31, 303, 30, -0.006, 44.25),
    ("zero", "Without effect", "1", 0.2, 0.9, 0.1, 0.0, 0.5),
    ("small", "Small effect", "mm", 12.5, 38.1, 4, 0.01, 20.1),
    ("prior", "Prior fracture", "1", 0, 1, 0.46, 0.9, 1),
    ("t", "T-score", "1", -4.9, 1.2, 1, -0.5, -3.1),
    ("ca125", "CA125 $U/mL$ & more", "[U]/mL", 3, 412, 30, 0.004, 88),
    ("k", "Kyphosis angle", "deg", 0, 41, 5, 0.03, -7),
)


def model(rows, intercept=-7.0, **changes):
    """A nomogram with these inputs, and the patient's values."""
    inputs = tuple(
        Input(name, title, unit, training=Summary(low, high, (low + high) / 2, sd))
        for name, title, unit, low, high, sd, _, _ in rows
    )
    card = example_card(inputs=inputs, calibration=None, **changes)
    return nomogram_of(card, intercept, [row[6] for row in rows]), {row[1]: row[7] for row in rows}


def svg(illustration) -> str:
    return base64.b64decode(illustration.uri.partition(",")[2]).decode()


def said(figures) -> list[str]:
    """The texts of the figure drawn last."""
    return [text.get_text() for text in figures[-1].axes[0].texts]


@pytest.fixture
def figures(monkeypatch) -> list:
    """The matplotlib figures that were drawn."""
    kept = []
    original = drawing.data_uri
    monkeypatch.setattr(drawing, "data_uri", lambda figure, kind: (kept.append(figure), original(figure, kind))[1])
    return kept


@pytest.mark.parametrize("count", [1, 2, 3, 12])
@pytest.mark.parametrize("marked", [False, True])
def test_no_text_covers_another_or_leaves_the_picture(figures, count, marked):
    title = "Risk of an osteoporotic vertebral fracture within five years, from radiomics and clinical data " * 4
    made, patient = model(ROWS[:count], title=title, combination=Combination.LEVEL, outcome="outcome " * 30)
    nomogram_figure(made, patient if marked else None, ("T-score",) if marked and count == 12 else ())
    (figure,) = figures
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in figure.axes[0].texts]
    width, height = figure.bbox.size
    for name, box in boxes:
        assert box.x0 > 0, name
        assert box.x1 < width, name
        assert box.y0 > 0, name
        assert box.y1 < height, name
    for (one, a), (other, b) in combinations(boxes, 2):
        across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(across, up) < 1.5, f"'{one}' and '{other}' cover each other"


def test_dots_stand_at_the_points_and_total_above_its_probability():
    made, patient = model((ROWS[1], ROWS[5], ROWS[8]))
    drawn = nomogram_figure(made, patient)
    dots = [float(x) for x in re.findall(r'<use [^>]*x="([\d.]+)"[^>]*fill: #0072b2', svg(drawn))]
    reading = points_of(made, patient)
    width = 8.95 - 3.0  # inches; SVG has 72 units an inch
    expected = [72 * (3.0 + width * points / 100) for points in reading.points.values()]
    total = 72 * (3.0 + width * reading.total / made.total_ticks[-1])
    assert dots == pytest.approx([*expected, total, total], abs=1e-3)


def test_the_numbers_are_written(figures):
    """vBMD 70 and age 80 by hand: 65 and 37.5 of 100 and 62.5 points; log-odds -3.725 - 1.4 + 4 = -1.125, 24.5 %."""
    rows = (("vbmd", "vBMD", "mg/cm3", 0, 200, 25, -0.02, 70.0), ("age", "Age", "a", 50, 100, 10, 0.05, 80.0))
    drawn = nomogram_figure(*model(rows, intercept=-3.725))
    for text in ("70", "80", "65.0", "37.5", "= 102.5", "25 %", "mg/cm³", "years", "example 1.0 · no diagnosis"):
        assert text in said(figures), text
    assert "vBMD 65.0, Age 37.5; total 102.5, probability 25 %" in drawn.alt


def test_a_synthetic_model_says_so_in_the_picture(figures):
    for synthetic in (True, False):
        nomogram_figure(*model(ROWS[:2], synthetic=synthetic))
        assert any("simulated patients" in text for text in said(figures)) is synthetic


def test_a_value_outside_is_said(figures):
    made, patient = model(ROWS)
    nomogram_figure(made, patient)
    assert "Age 95 lies outside the model's range 41 to 92." in said(figures)
    assert "Kyphosis angle -7 lies outside the model's range 0 to 41." in said(figures)
    assert any(text.startswith("Arrowhead") for text in said(figures))
    nomogram_figure(made, patient | {"Age": 60.0, "Kyphosis angle": 10.0})
    assert not any(text.startswith("Arrowhead") or "outside" in text for text in said(figures))


def test_what_was_not_measured_is_said(figures):
    made, patient = model(ROWS[:2])
    nomogram_figure(made, patient, ("Age",))
    assert any("not measured" in text and "Age" in text for text in said(figures))


@pytest.mark.parametrize(("intercept", "written"), [(-30.0, "< 0.1 %"), (30.0, "> 99.9 %"), (-5.0, "3.1 %")])
def test_no_probability_is_rounded_to_certainty(figures, intercept, written):
    made, patient = model(ROWS[:2], intercept)
    nomogram_figure(made, patient | {"Age": 70.0})  # log-odds: intercept + 2.8 - 1.226
    assert written in said(figures)
    assert "0 %" not in said(figures)
    scale = said(figures)[said(figures).index("Probability, %") :]
    assert "100" not in scale
    assert not any("e-" in text for text in scale)


def test_files(tmp_path):
    made, patient = model(ROWS[:3])
    write_nomogram(made, tmp_path / "a.png", patient)
    write_nomogram(made, tmp_path / "a.svg", patient)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.svg").read_text() == svg(nomogram_figure(made, patient))
    with pytest.raises(UserError, match=r"a\.jpg"):
        write_nomogram(made, tmp_path / "a.jpg")
    with pytest.raises(UserError, match="cannot be written"):
        write_nomogram(made, tmp_path / "missing" / "a.png")
