"""What each step did, in the words of a methods section."""

from collections.abc import Callable, Mapping

from ..design.design import StepDesign
from ..steps import STEPS
from .words import plain, settings

_MEASURES = {
    "ccc": "Lin's concordance correlation coefficient",
    "icc_2_1": "ICC(2,1)",
    "icc_3_1": "ICC(3,1)",
}
_KURTOSIS = {"excess": "excess kurtosis", "pearson": "kurtosis"}
_OUTLIERS = {
    "fences": "more than 1.5 interquartile ranges beyond the quartiles",
    "three-sd": "more than three standard deviations from the mean",
}
_CHOICES = {"min": "with the best mean over the folds", "1se": "that is largest within one standard error of the best"}
Set = Mapping[str, object]


def set_of(step: StepDesign) -> dict[str, object]:
    """Return all settings of a step that a design can set, with its defaults."""
    known = {one.name: one.default for one in STEPS[step.name].PARAMETERS if one.kind is not object}
    return {**known, **step.set}


def step_words(step: StepDesign) -> str:
    """Return a clause on what the step did, with its settings; e.g. ``features of P < 0.1 … were kept``."""
    write = _WORDS.get(step.name)
    found = set_of(step)
    return write(found) if write else f"the step '{step.name}' was applied ({settings(found) or 'no settings'})"


def _scaling(a: Set) -> str:
    shape = f"skewness below {plain(a['skewness'])} and {_KURTOSIS[a['kurtosis_kind']]} below {plain(a['kurtosis'])}"
    return (
        f"features of an absolute {shape} were scaled by mean and standard deviation; the others, and those with more "
        f"than {100 * a['outlier_share']:g} % of outliers ({_OUTLIERS[a['outlier_rule']]}), by median and "
        "interquartile range"
    )


def _reproducibility(a: Set) -> str:
    return (
        f"features whose {_MEASURES[a['measure']]} between repeated segmentations was at least {plain(a['minimum'])} "
        "were kept"
    )


def _rank_sum(a: Set) -> str:
    corrected = "" if a["correction"] == "none" else f" after correction ({a['correction']})"
    return f"features of P < {plain(a['alpha'])}{corrected} in Wilcoxon's rank-sum test were kept"


def _univariate(a: Set) -> str:
    apart = {"keep": "kept", "drop": "left out"}[a["separated"]]
    return (
        f"predictors of P < {plain(a['alpha'])} in a logistic regression of their own were kept, those that separate "
        f"the groups {apart}"
    )


def _multivariate(a: Set) -> str:
    apart = {"keep": "all were to be kept", "drop": "the study was to stop"}[a["separated"]]
    return (
        f"predictors of P < {plain(a['alpha'])} in one logistic regression of all of them were kept ({apart} where "
        "they separate the groups)"
    )


def _correlation(a: Set) -> str:
    kept = {"stronger": "the one with the larger association with the outcome", "first": "the first one"}[a["keep"]]
    method = {"spearman": "Spearman", "pearson": "Pearson"}[a["method"]]
    return f"of features with an absolute {method} correlation above {plain(a['threshold'])}, {kept} was kept"


def _mrmr(a: Set) -> str:
    return (
        f"up to {plain(a['count'])} features were chosen by maximum relevance and minimum redundancy "
        f"(variant {a['variant']})"
    )


def _penalty(a: Set) -> str:
    reach = "" if a["ratio"] is None else f" down to {plain(a['ratio'])} of the largest"
    return (
        f"({plain(a['penalties'])} penalties{reach}; the one {_CHOICES[a['choice']]}, {plain(a['folds'])}-fold "
        f"cross-validation of the {a['measure']})"
    )


def _lasso(a: Set) -> str:
    return f"features with a coefficient in L1-penalised logistic regression {_penalty(a)} were kept"


def _radscore(a: Set) -> str:
    return f"the features were joined to one radscore by L1-penalised logistic regression {_penalty(a)}"


def _components(a: Set) -> str:  # noqa: ARG001 - there are no settings
    return "their principal components were looked at as a check, without a change"


def _oversampled(name: str) -> Callable[[Set], str]:
    def write(a: Set) -> str:
        neighbours, ratio = plain(a["neighbours"]), plain(a["share"])
        return (
            f"patients of the rarer outcome were added by {name} ({neighbours} neighbours, up to a ratio of {ratio} to "
            "the other outcome)"
        )

    return write


def _tomek(a: Set) -> str:
    whose = {
        "controls": "those without the event",
        "majority": "those of the more frequent outcome",
        "both": "both patients of each",
    }
    return f"Tomek links were removed ({whose[a['remove']]})"


def _combat(a: Set) -> str:
    what = "location" if a["mean_only"] else "location and spread"
    prior = "parametric" if a["parametric"] else "non-parametric"
    return (
        f"the {what} that each scanner (column '{a['column']}') adds to a feature was taken away by ComBat ({prior} "
        "empirical Bayes)"
    )


_WORDS: Mapping[str, Callable[[Set], str]] = {
    "adaptive-scaling": _scaling,
    "combat": _combat,
    "reproducibility": _reproducibility,
    "rank-sum": _rank_sum,
    "univariate-logistic": _univariate,
    "multivariate-logistic": _multivariate,
    "correlation": _correlation,
    "mrmr": _mrmr,
    "lasso": _lasso,
    "radscore": _radscore,
    "components": _components,
    "adasyn": _oversampled("ADASYN"),
    "smote": _oversampled("SMOTE"),
    "tomek-links": _tomek,
}
