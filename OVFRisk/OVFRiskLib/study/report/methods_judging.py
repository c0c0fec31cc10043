"""How the models were judged, in the past tense."""

from ..design.design import Way
from ..judgement.judged import Judged, Judgement
from ..running.results import StudyRun
from .words import counted, joined

SETS = {
    "training": "the training patients (apparent)",
    "cross-validation": "cross-validation of the training patients",
    "test": "the test set",
    "external": "the external set",
}


def at(on: str) -> str:
    """Return on which patients, with the preposition: ``on the test set``."""
    return f"{'in' if on == 'cross-validation' else 'on'} {SETS.get(on, on)}"


def evaluation(run: StudyRun, judgement: Judgement) -> str:
    """Return the measures and figures, and on whom."""
    if not judgement.judged:
        return "No model was judged."
    places = dict.fromkeys(one.on for one in judgement.judged)
    curves = any(not one.decision.reason for one in judgement.judged)
    decision = " Use: net benefit (decision curves)." if curves else ""
    where = joined(map(at, places))
    return (
        f"Models were judged {where}; {SETS[judgement.primary]} was the primary one. Discrimination: area under the "
        "ROC curve (AUC). Calibration: slope and intercept of logistic recalibration, Brier score, smooth curve. At a "
        "cut-off: accuracy, sensitivity, specificity, positive and negative predictive value, F1, Cohen's kappa and "
        f"Matthews' correlation.{decision}{_prevalence(run)}"
    )


def _prevalence(run: StudyRun) -> str:
    share = run.design.judging.prevalence
    return "" if share is None else f" Decision curves were drawn for a share of {100 * share:g} % with the event."


def uncertainty(run: StudyRun) -> str:
    """Return how intervals came about."""
    return (
        "Intervals are of 95 %: DeLong's for the AUC, Wald's for slope and intercept, Wilson's for shares, percentiles "
        f"of {counted(run.design.judging.replicates, 'bootstrap resample')} for F1, kappa, Matthews' correlation and "
        "the Brier score."
    )


def comparison(judgement: Judgement) -> str:
    """Return how models were compared."""
    found = []
    if judgement.comparisons:
        found.append("AUCs of the same patients were compared by DeLong's paired test")
    if judgement.reclassification:
        found.append(
            "variants of one kind of model by net reclassification (NRI) and integrated discrimination "
            "improvement (IDI)"
        )
    if not found:
        return ""
    return f"{joined(found)}. P values are two-sided and not corrected for the number of comparisons."


def output(judgement: Judgement) -> str:
    """Return what the models put out, and the cut-offs of the best one."""
    rules = dict.fromkeys(rule for one in judgement.judged for rule in one.confusion)
    text = "The models put out the probability of the event."
    if rules:
        text += (
            f" Cut-offs by {len(rules)} {'rule' if len(rules) == 1 else 'rules'} ({joined(rules)}) were chosen in "
            "cross-validation of the training patients, and kept for all other patients."
        )
    return text + _cutoffs(best_of(judgement))


def _cutoffs(best: Judged | None) -> str:
    if best is None:
        return ""
    found = [
        f"{rule}: {cutoff.value:.3f}" if cutoff.value is not None else f"{rule}: absent ({cutoff.reason})"
        for rule, cutoff in ((rule, one.cutoff) for rule, one in best.confusion.items())
    ]
    return f" Those of {best.title}: {'; '.join(found)}." if found else ""


def choice(judgement: Judgement) -> str:
    """Return how the model that is reported first was chosen."""
    if judgement.best is None:
        return ""
    return (
        "The model reported first is the leak-free one of the highest AUC in cross-validation of the training "
        "patients; no test patient had a part in the choice."
    )


def best_of(judgement: Judgement, on: str = "", way: Way = Way.LEAK_FREE) -> Judged | None:
    """Return the best model (or its twin of the other way) judged on a set, the primary one where none is named."""
    if judgement.best is None:
        return None
    _, variant, learner = judgement.best
    key, where = (way, variant, learner), on or judgement.primary
    return next((one for one in judgement.judged if one.key == key and one.on == where), None)


def subgroups(run: StudyRun) -> str:
    """Return by what subgroups were made."""
    plan = run.design.judging.subgroups
    if not plan:
        return ""
    return (
        f"Models were judged in subgroups by {joined(plan)} (numbers cut at the median), with a test of interaction "
        "between two groups by DeLong's unpaired test."
    )
