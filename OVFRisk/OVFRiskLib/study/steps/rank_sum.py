"""Keeping what differs between the groups, by Wilcoxon's rank-sum test."""

from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu

from ...errors import import_optional
from .base import Filter, outcome_of, varies
from .parameter import Parameter

CORRECTIONS = ("none", "bonferroni", "holm", "fdr_bh", "fdr_by")


class RankSumFilter(Filter):
    """Keeps features with a small P of Wilcoxon's rank-sum (Mann-Whitney) test.

    P is two-sided, by the normal approximation with the variance corrected for ties and a continuity correction, as
    R's ``wilcox.test(exact = FALSE)``.

    Parameters
    ----------
    alpha : float
        What is below it stays.
    correction : str
        For the number of features: ``none`` (as the papers), ``bonferroni``, ``holm``, ``fdr_bh`` (Benjamini and
        Hochberg) or ``fdr_by`` (Benjamini and Yekutieli).

    Fitted attributes
    -----------------
    table_ : DataFrame
        ``auc`` (the share of pairs in which the event has the higher value, ties by half), ``p``, ``p_corrected``,
        ``kept``, ``note``. Without P where there is one value only.
    """

    PARAMETERS: ClassVar = (
        Parameter("alpha", float, 0.1, "Ge 2025", 0.0, 1.0),
        Parameter("correction", str, "none", "Ge 2025 names none", choices=CORRECTIONS),
    )

    def __init__(self, alpha: float = 0.1, correction: str = "none") -> None:
        self.alpha = alpha
        self.correction = correction

    def _judge(self, x: np.ndarray, y: object) -> pd.DataFrame:
        event = outcome_of(y, len(x)) == 1
        moving = varies(x)
        table = pd.DataFrame({"auc": np.full(x.shape[1], 0.5), "p": np.nan, "p_corrected": np.nan})
        if moving.any():
            found = mannwhitneyu(x[np.ix_(event, moving)], x[np.ix_(~event, moving)], method="asymptotic", axis=0)
            table.loc[moving, "auc"] = found.statistic / (event.sum() * (~event).sum())
            table.loc[moving, "p"] = found.pvalue
            table.loc[moving, "p_corrected"] = self._corrected(found.pvalue)
        table["kept"] = table["p_corrected"] < self.alpha
        table["note"] = np.where(moving, "", "has one value")
        return table

    def _corrected(self, p: np.ndarray) -> np.ndarray:
        if self.correction == "none":
            return p
        multitest = import_optional("statsmodels.stats.multitest", "Correcting P values")
        return multitest.multipletests(p, method=self.correction)[1]
