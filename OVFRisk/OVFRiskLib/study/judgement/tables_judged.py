"""What was judged, as tables of plain values: a row a figure, an empty cell with its reason where there is none."""

from collections.abc import Iterable, Iterator

import pandas as pd

from ..judging.decisions import Band
from ..judging.estimate import Estimate, SignificanceTest
from .judged import Judged, Judgement

_MODEL = ("way", "variant", "learner", "title", "on")
_CALIBRATION = (
    "slope", "intercept", "in_the_large", "brier", "scaled_brier", "average_error", "median_error", "e90", "emax", "eci"
)  # fmt: skip
_TESTS = ("unreliability", "spiegelhalter")
_CONFUSION = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "kappa", "mcc")
_COUNTS = ("true_positives", "false_positives", "false_negatives", "true_negatives")
_DIGITS = 10  # of net benefits, whose zeros are sums that cancel
_BANDS = ("net_benefit", "treat_all", "net_reduction", "gain")


def judged_tables(judgement: Judgement) -> dict[str, pd.DataFrame]:
    """Return the tables of a judgement by file name."""
    return {
        "performance.csv": pd.DataFrame(row for one in judgement.judged for row in _performance(one)),
        "comparisons.csv": _comparisons(judgement),
        "reclassification.csv": _reclassification(judgement),
        "as_published_and_leak_free.csv": _optimism(judgement),
        "validation.csv": _validation(judgement),
        "calibration_curve.csv": pd.DataFrame(row for one in judgement.judged for row in _calibration_curve(one)),
        "decision_curve.csv": pd.DataFrame(row for one in judgement.judged for row in _decision_curve(one)),
        "ablation.csv": judgement.ablation,
        "learning_curve.csv": judgement.learning_curve,
        "subgroups.csv": judgement.subgroups,
        "warnings.csv": pd.DataFrame({"warning": list(judgement.warnings)}),
    }


def _model(one: Judged) -> dict[str, object]:
    return {name: getattr(one, name) for name in _MODEL}


def _interval(found: Estimate) -> dict[str, object]:
    return {"value": found.value, "low": found.low, "high": found.high}


def _told(found: Estimate) -> dict[str, object]:
    return {"n": found.n, "events": found.events, "method": found.method, "reason": found.reason or ""}


def _p(test: SignificanceTest | None) -> dict[str, object]:
    return {"statistic": test.statistic if test else None, "p": test.p if test else None}


def _performance(one: Judged) -> Iterator[dict[str, object]]:
    estimates = [("auc", one.auc), *((name, getattr(one.calibration, name)) for name in _CALIBRATION)]
    for name, found in estimates:
        yield _model(one) | _figure(name, found)
    tests = [*((name, getattr(one.calibration, name)) for name in _TESTS), ("hosmer_lemeshow", one.hosmer_lemeshow)]
    for name, test in tests:
        none = {"cut_off": "", "value": None, "low": None, "high": None}
        told = {"n": one.n, "events": one.events, "method": test.name, "reason": test.reason or ""}
        yield _model(one) | {"measure": name} | none | _p(test) | told
    for rule in one.confusion:
        yield from _confusion(one, rule)


def _confusion(one: Judged, rule: str) -> Iterator[dict[str, object]]:
    found = one.confusion[rule]
    n, events, reason = one.n, one.events, found.cutoff.reason
    numbers = [("cut_off", found.cutoff.value), *((name, getattr(found, name)) for name in _COUNTS)]
    for name, value in numbers:
        exact = Estimate(value, None, None, n, events, found.cutoff.rule, reason)
        yield _model(one) | _figure(name, exact, rule)
    for name in _CONFUSION:
        yield _model(one) | _figure(name, getattr(found, name), rule)


def _figure(name: str, found: Estimate, rule: str = "") -> dict[str, object]:
    return {"measure": name, "cut_off": rule} | _interval(found) | _p(found.test) | _told(found)


def _comparisons(judgement: Judgement) -> pd.DataFrame:
    return pd.DataFrame(
        {"way": way, "on": on, "a": a, "b": b, "auc_a": found.a.value, "auc_b": found.b.value}
        | _difference(found.difference)
        | _p(found.test)
        | _told(found.difference)
        for (way, on, a, b), found in judgement.comparisons.items()
    )


def _difference(found: Estimate) -> dict[str, object]:
    return {"difference": found.value, "low": found.low, "high": found.high}


def _reclassification(judgement: Judgement) -> pd.DataFrame:
    return pd.DataFrame(
        {"variant": variant, "learner": learner, "on": on, "measure": measure, "of": part}
        | _interval(found)
        | _p(found.test)
        | _told(found)
        for (variant, learner, on), measures in judgement.reclassification.items()
        for measure, both in measures.items()
        for part, found in {"all": both.total, "events": both.events, "non-events": both.non_events}.items()
    )


def _optimism(judgement: Judgement) -> pd.DataFrame:
    return pd.DataFrame(
        {"variant": one.variant, "learner": one.learner, "title": one.title, "on": one.on}
        | _named("as_published", one.as_published)
        | _named("leak_free", one.leak_free)
        | _named("optimism", one.optimism)
        | {"p": one.optimism.test.p if one.optimism.test else None}
        | _told(one.optimism)
        for one in judgement.optimism
    )


def _named(name: str, found: Estimate) -> dict[str, object]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _validation(judgement: Judgement) -> pd.DataFrame:
    return pd.DataFrame(
        {name: getattr(one, name) for name in ("way", "variant", "learner", "title", "kind")}
        | {"auc": one.auc.value, "low": one.auc.low, "high": one.auc.high}
        | {"spread": one.spread, "repeats": one.repeats, "note": one.note}
        | _told(one.auc)
        for one in judgement.validated
    )


def _calibration_curve(one: Judged) -> Iterator[dict[str, object]]:
    curve, columns = one.calibration.smooth, ("predicted", "observed", "low", "high")
    nobody = {"n": None, "events": None, "reason": ""}
    for place in zip(*(getattr(curve, name) for name in columns)):
        yield _model(one) | {"kind": "smooth"} | dict(zip(columns, place)) | nobody
    if curve.reason:
        yield _model(one) | {"kind": "smooth"} | dict.fromkeys(columns) | nobody | {"reason": curve.reason}
    for group in one.risk_groups:
        numbers = {name: getattr(group, name) for name in (*columns, "n", "events")}
        yield _model(one) | {"kind": "group"} | numbers | {"reason": ""}


def _decision_curve(one: Judged) -> Iterator[dict[str, object]]:
    bands = {name: getattr(one.decision, name) for name in _BANDS}
    bands |= {"high_risk": one.impact.high_risk, "high_risk_with_event": one.impact.with_event}
    told = {"prevalence": one.decision.prevalence, "population": one.impact.population}
    for place, threshold in enumerate(one.decision.thresholds):
        numbers = (_at(name, place if band.values else None, band) for name, band in bands.items())
        yield _model(one) | {"threshold": threshold} | _joined(numbers) | told | {"reason": one.decision.reason or ""}


def _at(name: str, place: int | None, band: Band) -> dict[str, object]:
    if place is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    three = (round(ends[place], _DIGITS) for ends in (band.values, band.low, band.high))
    return dict(zip((name, f"{name}_low", f"{name}_high"), three))


def _joined(parts: Iterable[dict[str, object]]) -> dict[str, object]:
    return {name: value for part in parts for name, value in part.items()}
