"""How alike cases and controls are before and after matching."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .matching import Matching
from .propensity import design_matrix

THRESHOLD = 0.1
"""Standardised differences below this are commonly taken as balanced."""


@dataclass(frozen=True)
class Balance:
    """Balance before and after matching.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a variable, the distance first: variable; mean of cases and controls, standardised difference and variance
        ratio (cases / controls; NaN for variables of 0 and 1), each ``before`` and ``after``.
    sizes : pandas.DataFrame
        A row a group: all, matched, effective (of the weighted controls), unmatched.
    """

    table: pd.DataFrame
    sizes: pd.DataFrame

    def love_plot(self) -> pd.DataFrame:
        """Return the points of a love plot, the variable of the largest difference before matching first.

        Columns: variable, matching (``before`` or ``after``), difference (absolute).
        """
        drawn = [
            pd.DataFrame(
                {"variable": self.table["variable"], "matching": when, "difference": self.table[f"smd {when}"].abs()}
            )
            for when in ("before", "after")
        ]
        order = drawn[0].sort_values(["difference", "variable"], ascending=[False, True])["variable"]
        rank = {name: n for n, name in enumerate(order)}
        both = pd.concat(drawn, ignore_index=True)
        return both.sort_values("variable", key=lambda names: names.map(rank), kind="stable", ignore_index=True)


def balance(frame: pd.DataFrame, matching: Matching, variables: Sequence[str] | None = None) -> Balance:
    """Compare cases and controls before and after matching, as MatchIt's summary does.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table that was matched.
    matching : Matching
    variables : sequence of str, optional
        The covariates and exact columns where it is not given.

    Returns
    -------
    Balance
        Differences are divided by the standard deviation of all cases before matching, in both columns alike, so that
        they change with the means only. Variance of a share p: p (1 - p).

    Raises
    ------
    UserError
        When a variable is not there, has missing values or does not vary.
    """
    asked = dict.fromkeys((*matching.design.covariates, *matching.design.exact)) if variables is None else variables
    design = design_matrix(frame.loc[matching.is_case.index], list(asked))
    design.insert(0, f"distance ({matching.design.scale})", matching.distance)
    case, weights = matching.is_case.to_numpy(), matching.weights.to_numpy()
    rows = [_row(title, design[title].to_numpy(), case, weights) for title in design]
    return Balance(pd.DataFrame(rows), _sizes(case, weights))


def _row(title: str, values: np.ndarray, case: np.ndarray, weights: np.ndarray) -> dict[str, object]:
    share = bool(np.isin(values, (0, 1)).all())
    spread = np.sqrt(_variance(values[case], np.ones(case.sum()), share))
    row: dict[str, object] = {"variable": title}
    for when, weight in (("before", np.ones(len(values))), ("after", weights)):
        means = [np.average(values[part], weights=weight[part]) for part in (case, ~case)]
        variances = [_variance(values[part], weight[part], share) for part in (case, ~case)]
        row |= {f"mean cases {when}": means[0], f"mean controls {when}": means[1]}
        row[f"smd {when}"] = (means[0] - means[1]) / spread if spread > 0 else np.nan
        row[f"variance ratio {when}"] = np.nan if share or not variances[1] > 0 else variances[0] / variances[1]
    return row


def _variance(values: np.ndarray, weights: np.ndarray, share: bool) -> float:
    weights = weights / weights.sum()
    mean = float(weights @ values)
    if share:
        return mean * (1 - mean)
    free = 1 - float(weights @ weights)
    return float(weights @ (values - mean) ** 2) / free if free > 0 else 0.0


def _sizes(case: np.ndarray, weights: np.ndarray) -> pd.DataFrame:
    rows = []
    for name, part in (("cases", case), ("controls", ~case)):
        mine = weights[part]
        matched = int((mine > 0).sum())
        effective = float(mine.sum() ** 2 / (mine**2).sum())
        rows.append({"group": name, "all": len(mine), "matched": matched, "effective": effective})
    return pd.DataFrame(rows).assign(unmatched=lambda one: one["all"] - one["matched"])
