"""What the columns of a study's tables mean."""

_ANYWHERE = {
    "way": "leak-free: every step saw the training patients only; as published: steps saw all patients",
    "variant": "which groups of columns the model gets, as the design names it",
    "learner": "the model's kind, as the design names it; several where they share a step",
    "title": "variant and learner, as the figures call the model",
    "on": "who was predicted: training (who trained the model: apparent), cross-validation (training patients, by "
    "folds that did not train), test, external",
    "subject": "the patient's key",
    "n": "patients",
    "events": "patients with the event",
    "low": "lower end of the 95 % interval; see method for what it covers",
    "high": "upper end of the 95 % interval; see method for what it covers",
    "statistic": "of the test",
    "p": "two-sided, not adjusted for the number of tests",
    "method": "how value and interval were computed",
    "reason": "why a value, its interval or its test is absent",
    "note": "what to know",
    "group": "group of columns, as the design names it; empty: all",
    "step": "as the design names it",
    "feature": "column of the tables",
    "input": "column that the model takes",
    "auc": "area under the ROC curve",
    "repeats": "how often it was repeated",
    "kind": "what it is, see the values",
}
_OF = {
    "performance.csv": {
        "measure": "auc; calibration: slope, intercept, in_the_large, brier, scaled_brier, average_error (Eavg, ICI), "
        "median_error (E50), e90, emax, eci, and the tests unreliability, spiegelhalter, hosmer_lemeshow; at a cut-off "
        "itself and counts (exact, without interval), accuracy, sensitivity, specificity, ppv, npv, f1, kappa, mcc",
        "cut_off": "rule of the cut-off, chosen in cross-validation of the training patients",
        "value": "of the measure",
    },
    "comparisons.csv": {
        "a": "title of the first model",
        "b": "title of the second model",
        "auc_a": "of the first model",
        "auc_b": "of the second model",
        "difference": "auc_a - auc_b",
        "p": "DeLong's paired test, not adjusted for the number of pairs",
    },
    "reclassification.csv": {
        "measure": "NRI (without categories) or IDI, of the leak-free variant against the reference variant",
        "of": "all patients, those with the event, those without",
        "value": "larger is better",
    },
    "as_published_and_leak_free.csv": {
        "on": "set of patients, or way of resampling",
        "as_published": "AUC in the order of the publications",
        "leak_free": "AUC with every step inside the training",
        "optimism": "as published - leak-free",
    },
    "validation.csv": {
        "kind": "way of resampling",
        "spread": "standard deviation over repeats or folds, see note",
    },
    "calibration_curve.csv": {
        "kind": "smooth: a place of the smooth curve; group: patients of similar predictions",
        "predicted": "probability; of a group the mean",
        "observed": "share of events",
    },
    "decision_curve.csv": {
        "threshold": "probability from which on one acts",
        "net_benefit": "of the model, a patient",
        "treat_all": "net benefit of treating everybody",
        "net_reduction": "interventions avoided in 100 patients against treating everybody",
        "gain": "net benefit above the better of treating all and none",
        "high_risk": "patients of the population at or above the threshold",
        "high_risk_with_event": "of these, those with the event",
        "prevalence": "share of events that the curves hold for",
        "population": "that the numbers of patients are of",
    },
    "ablation.csv": {
        "left_out": "inputs that were left out; empty: none",
        "number": "how many inputs were left out",
        "difference": "AUC - that with nothing left out",
        "p": "DeLong's paired test against nothing left out",
        "f1": "with as many patients called positive as by the final model at its Youden cut-off",
    },
    "learning_curve.csv": {
        "share": "of the training patients",
        "patients": "who trained, mean of the repeats",
        "events": "patients with the event who trained, mean of the repeats",
        "inputs": "columns that the model took, mean of the repeats",
        "events_per_variable": "events / inputs",
        "low": "2.5th percentile of the repeats: no confidence interval",
        "high": "97.5th percentile of the repeats: no confidence interval",
    },
    "subgroups.csv": {
        "column": "that makes the groups",
        "subgroup": "numbers are cut at the median",
        "p": "DeLong's unpaired test between the two groups of the column",
    },
    "warnings.csv": {"warning": "what to know before the figures"},
    "table_one.csv": {"P": "of the difference between the groups", "test": "which test"},
    "table_split.csv": {"P": "of the difference between the parts", "test": "which test"},
    "missing.csv": {
        "n": "patients with a value",
        "missing": "patients without",
        "share": "of patients without a value, 0-1",
        "reasons": "why, as far as it is known",
        "P": "whether values are missing more often with one outcome",
    },
    "left_out.csv": {"reason": "why the patient takes no part"},
    "matching.csv": {"distance": "between the two, on the scale of the matching"},
    "balance.csv": {"variable": "the distance first; before and after: matching; smd: standardised difference"},
    "models.csv": {
        "inputs": "columns that the model takes",
        "search_score": "best candidate's mean AUC over the folds: the best of many, an estimate of nothing",
        "bundle": "file below models",
        "reason": "why there is no model",
    },
    "steps.csv": {
        "columns_in": "columns before the step",
        "columns_out": "columns after it",
        "facts": "what the step says of itself, as JSON",
    },
    "parameters.csv": {"parameter": "setting of the learner", "value": "as JSON"},
    "candidates.csv": {
        "phase": "of the search",
        "mean": "AUC, mean of the folds",
        "sd": "over the folds",
        "rank": "1 is the best",
    },
    "importance.csv": {
        "importance": "mean loss of AUC when the column is shuffled, in folds that did not train",
        "sd": "of the loss",
    },
    "odds_ratios.csv": {
        "coefficient": "log-odds a unit of the input",
        "se": "standard error of the coefficient",
        "odds_ratio": "a unit of the input",
        "p": "Wald's test",
    },
    "predictions.csv": {"probability": "of the event", "outcome": "1 with the event, 0 without"},
}
_OTHERS = {
    "selection.csv": "of the step, see its documentation",
    "candidates.csv": "setting of the learner, or AUC of a fold",
    "table_one.csv": "as the column's name says",
    "table_split.csv": "as the column's name says",
    "missing.csv": "as the column's name says",
    "matching.csv": "as the column's name says",
    "balance.csv": "as the column's name says",
    "importance.csv": "as the column's name says",
    "odds_ratios.csv": "as the column's name says",
}


def meaning_of(table: str, column: str) -> str:
    """Return what a column of a table means.

    Raises
    ------
    KeyError
        When nothing is written of it: add it here.
    """
    own = _OF.get(table, {})
    for end, words in (("_low", "lower"), ("_high", "upper")):
        if column.endswith(end) and column.removesuffix(end) in own:
            return f"{words} end of the 95 % interval of {column.removesuffix(end)}; see method for what it covers"
    for known in (own, _ANYWHERE):
        if column in known:
            return known[column]
    return _OTHERS[table]
