"""Splits keep patients together, classes alike and do not depend on the rows' order; the external set opens once."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.cohort import (
    ExternalSet,
    folds,
    leave_one_centre_out,
    split_by_centre,
    split_by_chance,
    split_by_date,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score


def ge():
    """A table of Ge's size: 856 patients, 102 with the outcome."""
    outcome = np.zeros(856)
    outcome[::8][:102] = 1
    frame = pd.DataFrame({"outcome": outcome}, index=[f"p{n:03d}" for n in range(856)])
    frame["date"] = [f"20{20 + n // 172}-0{1 + n % 9}-1{n % 7}" for n in range(856)]
    frame["centre"] = np.where(np.arange(856) % 3 == 0, "north", "south")
    frame["x"] = np.random.default_rng(1).normal(size=856) + outcome
    return frame


def levels():
    """Three rows a patient; a patient may have fractured and whole vertebrae."""
    rows = [(f"p{p:02d}", f"p{p:02d} L{n}", float(p % 4 == 0 and n == 1)) for p in range(60) for n in (1, 2, 3)]
    return pd.DataFrame(rows, columns=["patient", "key", "outcome"]).set_index("key")


def test_600_train_and_256_test_with_as_many_events():
    frame = ge()
    split = split_by_chance(frame, "outcome", 256, seed=7)
    assert (len(split.train), len(split.test)) == (600, 256)
    assert set(split.train) | set(split.test) == set(frame.index)
    assert not set(split.train) & set(split.test)
    assert frame.loc[list(split.train), "outcome"].sum() in (71, 72)  # 102 × 600 / 856 = 71.5
    assert "stratified" in split.how


def test_a_seed_gives_one_split_however_the_rows_lie():
    frame = ge()
    shuffled = frame.sample(frac=1, random_state=2)
    first, again = split_by_chance(frame, "outcome", 0.3, 7), split_by_chance(shuffled, "outcome", 0.3, 7)
    assert set(first.test) == set(again.test)
    assert set(first.test) != set(split_by_chance(frame, "outcome", 0.3, 8).test)
    ours, theirs = folds(frame, "outcome", 5, 3), folds(shuffled, "outcome", 5, 3)
    assert [set(a.test) for a in ours] == [set(b.test) for b in theirs]


def test_a_patient_s_rows_stay_together():
    frame = levels()
    parts = [split_by_chance(frame, "outcome", 0.3, 5, groups="patient"), *folds(frame, "outcome", 5, 5, "patient")]
    for split in parts:
        patients = [set(frame.loc[list(keys), "patient"]) for keys in (split.train, split.test)]
        assert not patients[0] & patients[1]
        assert frame.loc[list(split.test), "outcome"].sum() > 0
    assert len(set(frame.loc[list(parts[0].test), "patient"])) == 18
    assert frame.loc[list(parts[0].test), "outcome"].sum() in (4, 5)  # 15 patients have a fracture: 4.5


def test_each_patient_tests_once_and_scikit_learn_takes_the_folds():
    frame = ge()
    found = folds(frame, "outcome", 5, 3)
    assert sorted(key for split in found for key in split.test) == sorted(frame.index)
    assert all(frame.loc[list(split.test), "outcome"].sum() in (20, 21) for split in found)
    cv = [split.positions(frame.index) for split in found]
    scores = cross_val_score(LogisticRegression(), frame[["x"]], frame["outcome"], cv=cv, scoring="roc_auc")
    assert scores.mean() == pytest.approx(0.76, abs=0.06)  # Φ(1 / √2), two normals one SD apart
    with pytest.raises(UserError, match="lacks patients"):
        found[0].positions(frame.index[:10])


def test_the_later_ones_test():
    frame = ge()
    split = split_by_date(frame, "outcome", "date", "2023-01-01")
    assert max(frame.loc[list(split.train), "date"]) < "2023-01-01" <= min(frame.loc[list(split.test), "date"])
    assert len(split.test) == 856 - 3 * 172
    wrong = frame.assign(date=frame["date"].where(frame.index != "p003", "31.12.2020"))
    with pytest.raises(UserError, match=r"p003: '31.12.2020' is no date"):
        split_by_date(wrong, "outcome", "date", "2023-01-01")
    with pytest.raises(UserError, match="no patient with outcome"):
        split_by_date(frame, "outcome", "date", "2030-01-01")


def test_centres_test_as_a_whole():
    frame = ge()
    split = split_by_centre(frame, "outcome", "centre", ["north"])
    assert set(frame.loc[list(split.test), "centre"]) == {"north"}
    assert set(frame.loc[list(split.train), "centre"]) == {"south"}
    assert [s.how for s in leave_one_centre_out(frame, "outcome", "centre")] == [
        "centre-wise: north tests",
        "centre-wise: south tests",
    ]
    with pytest.raises(UserError, match="centre west"):
        split_by_centre(frame, "outcome", "centre", ["west"])


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda f: split_by_chance(f.assign(outcome=0.0), "outcome", 0.3, 1), "one class"),
        (lambda f: split_by_chance(f, "outcome", 1, 1), "cannot be split"),
        (lambda f: split_by_chance(f, "result", 0.3, 1), "no column 'result'"),
        (lambda f: split_by_chance(f.assign(x=f["x"].where(f.index != "p005")), "x", 0.3, 1), "empty for p005"),
        (lambda f: folds(f, "outcome", 103, 1), "102 patients of the rarest class"),
        (lambda f: folds(pd.concat([f, f]), "outcome", 5, 1), "same key"),
    ],
)
def test_what_cannot_be_split_is_said(act, message):
    with pytest.raises(UserError, match=message):
        act(ge())


def test_the_external_set_opens_once():
    kept = ExternalSet(ge(), "north")
    assert len(kept.take("final AUC")) == 856
    with pytest.raises(UserError, match="used already, for: final AUC"):
        kept.take("another try")
    assert kept.uses == ("final AUC",)
    kept.take("figures", again=True)
    assert kept.uses == ("final AUC", "figures")
    with pytest.raises(UserError, match="used already"):
        ExternalSet(ge(), "north", uses=kept.uses).take("after a restart")


def test_the_external_set_cannot_be_copied_or_changed_from_outside():
    frame = ge()
    kept = ExternalSet(frame, "north")
    frame["outcome"] = 9.0
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="copied or pickled"):
            way(kept)
    taken = kept.take("judging")
    assert set(taken["outcome"]) == {0.0, 1.0}
    assert "p000" not in repr(kept)


def test_the_external_set_shares_no_patient():
    kept = ExternalSet(ge().iloc[:10], "north")
    kept.check_apart(ge().index[10:])
    with pytest.raises(UserError, match="1 patients are in the external set north"):
        kept.check_apart(ge().index[9:])
    assert kept.uses == ()
