"""The bar chart of what led to a result: its bars, by their text alternative and in the drawing."""

import base64
import re

import pytest
from OVFRiskLib.image import Modality
from OVFRiskLib.models.card import Combination, Input, ModelCard, Origin, Output, Population
from OVFRiskLib.models.model import Model
from OVFRiskLib.models.prediction import Contribution, Prediction
from OVFRiskLib.models.scoring import Scored

pytest.importorskip("matplotlib")
from OVFRiskLib.files.figures.contributions import contribution_chart


def scored(*contributions: Contribution, value: float | None = 0.4) -> Scored:
    card = ModelCard(
        name="m", version="1", title="A model", intended_use="", not_for="", outcome="", origin=Origin.TRAINED,
        population=Population(""), modality=Modality.CT, inputs=(Input("a", "A", "1"),),
        combination=Combination.PATIENT, output=Output.PROBABILITY, licence="", citation="",
    )  # fmt: skip
    found = Prediction("P-1", "m 1", None, Output.PROBABILITY, value, contributions=contributions)
    found = Prediction(
        **{**{k: getattr(found, k) for k in found.__dataclass_fields__}, "contribution_scale": "log-odds"}
    )
    return Scored(Model(card, None, "m-1"), found)


def drawn(chart) -> str:
    return base64.b64decode(chart.uri.partition(",")[2]).decode()


def widths(chart) -> list[float]:
    """Return the signed length of each bar in points: the first edge of each filled path."""
    bars = re.findall(r'<path d="M ([\d.]+) [\d.]+ \nL ([\d.]+) [\d.]+ \n[^"]*" clip-path', drawn(chart))
    return [float(end) - float(start) for start, end in bars if start != end]  # the line at 0 has none


def test_bars_are_as_long_as_the_amounts_and_point_their_way():
    chart = contribution_chart(
        scored(Contribution("Density", 70.0, "mg/cm3", 0.8), Contribution("Age", 60.0, "a", -0.4)), "svg"
    )
    high, low = widths(chart)
    assert high > 0 > low
    assert high / low == pytest.approx(-2.0, rel=1e-3)


def test_each_input_is_named_with_value_and_unit():
    chart = contribution_chart(scored(Contribution("Density", 70.25, "mg/cm3", 0.8)), "svg")
    assert chart.alt == "Density: 70.25 mg/cm³ +0.80"
    assert "A model" in chart.title


def test_what_was_not_measured_says_so():
    chart = contribution_chart(scored(Contribution("Age", 68.0, "a", -0.1, imputed=True)), "svg")
    assert "(not measured)" in chart.alt
    assert "Not measured" in chart.caption


def test_terms_of_a_radscore_stand_below_it():
    terms = (Contribution("glcm Idmn", 0.9, "1", 0.5), Contribution("glrlm LRE", 3.0, "1", -0.1))
    chart = contribution_chart(scored(Contribution("Radscore", None, "1", 0.4, parts=terms)), "svg")
    assert chart.alt == "Radscore +0.40; glcm Idmn +0.50; glrlm LRE −0.10"
    assert len(widths(chart)) == 3


def test_the_smallest_of_many_are_one_bar_and_nothing_is_lost():
    many = [Contribution(f"Input {n}", 1.0, "1", 1.0 - n / 100) for n in range(20)]
    chart = contribution_chart(scored(*many), "svg")
    bars = dict(text.rsplit(" ", 1) for text in chart.alt.split("; "))
    assert len(bars) == 13
    assert float(bars["8 other inputs together"]) == pytest.approx(sum(1.0 - n / 100 for n in range(12, 20)), abs=0.005)


def test_no_value_no_chart():
    assert contribution_chart(scored(value=None), "png") is None
    assert contribution_chart(scored(), "png") is None
