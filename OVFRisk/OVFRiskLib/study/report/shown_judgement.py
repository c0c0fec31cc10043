"""The page's tables of performance."""

from collections.abc import Iterator

import pandas as pd

from ..cohort.table_one import p_text
from ..design.design import Way
from ..judgement.judged import Judged, Judgement, Optimism, Validated
from ..judgement.performance import title_of
from ..judging.confusion import Confusion
from ..judging.estimate import SignificanceTest
from ..running.results import StudyRun
from .methods_judging import SETS, at
from .shown import ABSENT, Cell, Shown, of_estimate, of_frame, of_numbers, shown, signed
from .words import capital

_SHARES = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "kappa", "mcc")
_SHARE_TITLES = ("Accuracy", "Sensitivity", "Specificity", "PPV", "NPV", "F1", "Kappa", "MCC")
_IN_MATCHED = "PPV and NPV hold for the share of events in these patients only."
_OTHER = "AUC compared on other patients, and as published"
_INTERVAL = "Below each figure: its 95 % interval, or why there is none."


def both_ways(judgement: Judgement) -> list[Shown]:
    """Return as published beside leak-free, the primary set first."""
    places = sorted(dict.fromkeys(one.on for one in judgement.optimism), key=lambda on: on != judgement.primary)
    columns = ("Model", "As published", "Leak-free", "Optimism", "P")
    return [
        shown(
            f"AUC by order, {at(on)}",
            columns,
            [_optimism(one) for one in judgement.optimism if one.on == on],
            "As published: the steps saw all patients before the split. Optimism: as published less leak-free.",
            folder="" if on == judgement.primary else f"AUC by order, {at(on)}",
        )
        for on in places
    ]


def _optimism(one: Optimism) -> tuple[Cell, ...]:
    figures = (one.as_published, one.leak_free, one.optimism)
    return Cell(one.title), *map(of_estimate, figures), _p(one.optimism.test)


def _p(test: SignificanceTest | None) -> Cell:
    """Return the P value; why there is none stands at the figure that it is of."""
    return Cell(ABSENT if test is None or test.p is None else p_text(test.p))


def performance(judgement: Judgement) -> list[Shown]:
    """Return discrimination, calibration and cut-offs, the leak-free models on the primary set first."""
    found: list[Shown] = []
    for way in (Way.LEAK_FREE, Way.AS_PUBLISHED):
        for on in sorted(SETS, key=lambda one: one != judgement.primary):
            models = judgement.on(on, way)
            if models:
                first = way is Way.LEAK_FREE and on == judgement.primary
                found += _of_set(models, way, on, "" if first else f"{capital(way)}, {at(on)}")
    return found


def _of_set(models: tuple[Judged, ...], way: Way, on: str, folder: str) -> Iterator[Shown]:
    first = models[0]
    where = f"{way}, {at(on)} (n = {first.n:,}, {first.events:,} with the event)"
    columns = ("Model", "AUC", "Brier", "Scaled Brier", "Slope", "Intercept", "In the large", "P, Hosmer–Lemeshow")
    rows = [_fit(one) for one in models]
    yield shown(f"Discrimination and calibration: {where}", columns, rows, _INTERVAL, folder)
    for rule in dict.fromkeys(rule for one in models for rule in one.confusion):
        rows = [_at(one.title, one.confusion[rule]) for one in models if rule in one.confusion]
        inside = folder or ("" if rule == "Youden" else f"At the cut-off by {rule}")
        heads = ("Model", "Cut-off", "TP, FP, FN, TN", *_SHARE_TITLES)
        yield shown(f"At the cut-off by {rule}: {where}", heads, rows, f"{_INTERVAL} {_IN_MATCHED}", inside)


def _fit(one: Judged) -> tuple[Cell, ...]:
    fit = one.calibration
    figures = (one.auc, fit.brier, fit.scaled_brier, fit.slope, fit.intercept, fit.in_the_large)
    return Cell(one.title), *map(of_estimate, figures), _p(one.hosmer_lemeshow)


def _at(title: str, found: Confusion) -> tuple[Cell, ...]:
    cutoff = found.cutoff
    value = Cell(ABSENT, cutoff.reason or "") if cutoff.value is None else Cell(signed(cutoff.value))
    counts = (found.true_positives, found.false_positives, found.false_negatives, found.true_negatives)
    matrix = ABSENT if None in counts else ", ".join(map(str, counts))
    return Cell(title), value, Cell(matrix), *(of_estimate(getattr(found, name)) for name in _SHARES)


def comparisons(run: StudyRun, judgement: Judgement) -> list[Shown]:
    """Return DeLong's tests, NRI and IDI; those of the primary set are open."""
    first = (Way.LEAK_FREE, judgement.primary)
    places = dict.fromkeys((way, on) for way, on, *_ in judgement.comparisons)
    found = [_compared(judgement, place, None) for place in places if place == first]
    found += _reclassified(run, judgement)
    return found + [_compared(judgement, place, _OTHER) for place in places if place != first]


def _compared(judgement: Judgement, place: tuple[Way, str], folder: str | None) -> Shown:
    rows = [
        (a, b, of_estimate(test.a), of_estimate(test.b), of_estimate(test.difference), _p(test.test))
        for (way, on, a, b), test in judgement.comparisons.items()
        if (way, on) == place
    ]
    title = f"AUC compared by DeLong's paired test: {place[0]}, {at(place[1])}"
    heads = ("First", "Second", "AUC first", "AUC second", "First less second", "P")
    note = "P values are not corrected for their number."
    return shown(title, heads, rows, note, folder)


def _reclassified(run: StudyRun, judgement: Judgement) -> list[Shown]:
    rows = []
    for (variant, learner, on), values in judgement.reclassification.items():
        model = next(one for one in run.models if (one.variant, one.learner) == (variant, learner))
        title = title_of(run.design, model)
        for name, one in values.items():
            parts = map(of_estimate, (one.total, one.events, one.non_events))
            rows.append((title, capital(on), name, *parts, _p(one.total.test)))
    if not rows:
        return []
    reference = run.design.variant(run.design.judging.reference or run.design.variants[0].name).title
    heads = ("Model", "Set", "Measure", "Total", "With the event", "Without", "P")
    note = "Larger is better. The same kind of model with other inputs."
    return [shown(f"Reclassification against {reference}: leak-free", heads, rows, note)]


def validation(judgement: Judgement) -> list[Shown]:
    """Return the AUCs by resampling, leak-free open."""
    heads = ("Model", "By", "AUC", "SD", "Repeats", "Note")
    note = "The whole procedure, from the first step to the model, on other patients each time."
    found = []
    for way in dict.fromkeys(one.way for one in judgement.validated):
        rows = [_validated(one) for one in judgement.validated if one.way is way]
        title = f"AUC in resampling: {way}"
        found.append(shown(title, heads, rows, note, "" if way is Way.LEAK_FREE else title))
    return found


def _validated(one: Validated) -> tuple[Cell, ...]:
    spread = Cell(ABSENT if one.spread is None else signed(one.spread))
    return (
        Cell(one.title),
        Cell(capital(one.kind)),
        of_estimate(one.auc),
        spread,
        Cell(f"{one.repeats:,}"),
        Cell(one.note),
    )


def subgroups(judgement: Judgement) -> list[Shown]:
    """Return the AUC by subgroup, a table a set; absent ones with their reason."""
    frame = judgement.subgroups
    if frame.empty:
        return []
    heads = ("Model", "Subgroup", "n", "Events", "AUC", "P of the interaction")
    found = []
    for on, part in sorted(frame.groupby("on", sort=False), key=lambda one: one[0] != judgement.primary):
        rows = [
            (row.title, row.subgroup, str(row.n), str(row.events), _auc(row), _p_of_row(row.p))
            for row in part.itertuples()
        ]
        folder = None if on == judgement.primary else "Subgroups of other patients"
        found.append(shown(f"AUC in subgroups: leak-free, {at(str(on))}", heads, rows, "", folder))
    return found


def _p_of_row(p: float | None) -> str:
    return ABSENT if p is None or pd.isna(p) else p_text(p)


def _auc(row: object) -> Cell:
    reason = getattr(row, "reason", None)
    return of_numbers(row.auc, row.low, row.high, reason if isinstance(reason, str) else None)


def ablation(judgement: Judgement) -> list[Shown]:
    """Return what leaving inputs out costs."""
    titles = {"title": "Model", "left_out": "Left out", "number": "Inputs left out", "auc": "AUC", "low": "From"}
    titles |= {"high": "To", "difference": "Difference", "p": "P", "f1": "F1"}
    frame = judgement.ablation
    if frame.empty:
        return []
    frame = frame.assign(left_out=frame["left_out"].replace("", "nothing"))
    return [of_frame("Leaving out inputs", frame, titles, "Against nothing left out; P by DeLong's paired test.")]


def learning_curve(judgement: Judgement) -> list[Shown]:
    """Return the learning curve as numbers."""
    titles = {"title": "Model", "share": "Share of training patients", "patients": "Patients", "events": "Events"}
    titles |= {"inputs": "Inputs", "events_per_variable": "Events a variable", "auc": "AUC", "low": "From"}
    titles |= {"high": "To", "repeats": "Repeats"}
    frame = judgement.learning_curve
    return [] if frame.empty else [of_frame("Learning curve", frame, titles)]
