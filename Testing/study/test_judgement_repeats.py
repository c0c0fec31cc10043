"""Predictions that were made several times: pooled with DeLong's variance, or their spread."""

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.study.judgement.repeats import each_auc, pooled, pooled_auc, spread_of
from OVFRiskLib.study.judging.roc import auc
from sklearn.metrics import roc_auc_score

PATIENTS = pd.Index([f"p{n:02d}" for n in range(60)])
OUTCOME = pd.Series(np.arange(60) % 3 == 0, PATIENTS).astype(int)


def rows(*seeds: int) -> pd.DataFrame:
    """A repeat a seed, of predictions that know a little; the patients in another order each time."""
    parts = []
    for repeat, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        score = pd.Series(rng.normal(OUTCOME.to_numpy(), 1.0), PATIENTS).sample(frac=1, random_state=seed)
        parts.append(pd.DataFrame({"repeat": repeat, "subject": score.index, "probability": score.to_numpy()}))
    return pd.concat(parts, ignore_index=True)


def whole(table: pd.DataFrame) -> object:
    """The pooled AUC."""
    return pooled_auc(pooled(table, OUTCOME), table, OUTCOME)


def test_one_repeat_is_delong():
    table = rows(1)
    score = table.set_index("subject")["probability"].loc[PATIENTS]
    found, expected = whole(table), auc(OUTCOME, score)
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))
    assert (found.n, found.events) == (60, 20)


def test_repeats_are_averaged_and_a_repeat_of_the_same_adds_nothing():
    table = rows(1, 2, 3)
    each = [roc_auc_score(OUTCOME[part["subject"]], part["probability"]) for _, part in table.groupby("repeat")]
    assert whole(table).value == pytest.approx(np.mean(each))
    assert list(each_auc(table, OUTCOME)) == pytest.approx(each)
    once, twice = whole(rows(1)), whole(rows(1, 1))
    assert (once.low, once.high) == pytest.approx((twice.low, twice.high))


def test_the_variance_of_averaged_repeats_by_hand():
    table = rows(4, 5)
    scores = table.pivot(index="repeat", columns="subject", values="probability")[PATIENTS].to_numpy()
    event = OUTCOME.to_numpy() == 1
    above = (scores[:, event][:, :, None] > scores[:, ~event][:, None, :]).mean(axis=0)  # no ties
    variance = above.mean(axis=1).var(ddof=1) / 20 + above.mean(axis=0).var(ddof=1) / 40
    found = whole(table)
    assert (found.high - found.low) / 2 == pytest.approx(1.959963985 * variance**0.5)


def test_incomplete_repeats_are_left_out():
    table = rows(1, 2).drop(index=[65])
    found = pooled(table, OUTCOME)
    assert found.incomplete == 1
    assert whole(table).value == pytest.approx(whole(rows(1)).value)
    assert whole(rows(1).drop(index=[3])).n == 59  # who is nowhere is not missed
    lacking = pd.concat([rows(1, 2).drop(index=[3, 70])])
    assert whole(lacking).value is None
    assert whole(lacking).reason == "in no repeat has every patient a prediction"


def test_one_outcome_gives_a_reason():
    table = rows(1)
    table = table[table["subject"].map(OUTCOME) == 0]
    assert whole(table).reason == "none of the 40 patients had the event"
    assert each_auc(table, OUTCOME).empty


def test_the_spread_is_no_confidence_interval():
    each = pd.Series([0.6, 0.7, 0.8, 0.9])
    found = spread_of(each, 60, 20, "AUC")
    assert (found.value, found.low, found.high) == pytest.approx((0.75, 0.6075, 0.8925))  # linear between the ranks
    assert "no confidence interval" in found.method
    assert spread_of(each.iloc[:1], 60, 20, "AUC").reason == "one repeat has no spread"
    assert spread_of(each.iloc[:0], 60, 20, "AUC").value is None
