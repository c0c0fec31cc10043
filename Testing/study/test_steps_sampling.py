"""Samplers: only fitting changes rows, and they are imbalanced-learn's."""

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.steps import AdaptiveScaler, Adasyn, Smote, TomekLinks, pipeline_of
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

over = pytest.importorskip("imblearn.over_sampling")
under = pytest.importorskip("imblearn.under_sampling")


def uneven(rows: int = 300, share: float = 0.12) -> tuple[pd.DataFrame, pd.Series]:
    random = np.random.default_rng(0)
    y = (np.arange(rows) < share * rows).astype(int)
    x = random.normal(size=(rows, 5)) + 0.8 * y[:, None]
    return pd.DataFrame(x, columns=list("abcde")), pd.Series(y)


@pytest.mark.parametrize(
    ("step", "theirs"),
    [
        (Adasyn(seed=3), over.ADASYN(random_state=3)),
        (Smote(neighbours=4, share=0.5, seed=3), over.SMOTE(sampling_strategy=0.5, k_neighbors=4, random_state=3)),
        (TomekLinks(), under.TomekLinks(sampling_strategy=[0])),
        (TomekLinks("both"), under.TomekLinks(sampling_strategy="all")),
    ],
    ids=["adasyn", "smote", "tomek-links", "tomek-links-both"],
)
def test_rows_are_those_of_imbalanced_learn(step, theirs):
    x, y = uneven()
    found, wanted = clone(step).fit_resample(x, y), theirs.fit_resample(x, y)
    pd.testing.assert_frame_equal(found[0], wanted[0])
    assert found[1].tolist() == wanted[1].tolist()
    step.fit_resample(x, y)
    assert step.counts_before_ == {0: 264, 1: 36}
    assert step.counts_after_ == {0: int((wanted[1] == 0).sum()), 1: int((wanted[1] == 1).sum())}
    assert step.counts_after_ != step.counts_before_


def test_links_lose_the_control_though_events_are_the_majority():
    x = pd.DataFrame({"a": [0.0, 1.0, 1.1, 5.0, 5.2, 5.4]})  # 1.0 and 1.1 are a link
    y = pd.Series([0, 0, 1, 1, 1, 1])
    assert TomekLinks().fit_resample(x, y)[0]["a"].tolist() == [0.0, 1.1, 5.0, 5.2, 5.4]
    assert TomekLinks("majority").fit_resample(x, y)[0]["a"].tolist() == [0.0, 1.0, 5.0, 5.2, 5.4]


def test_only_fitting_changes_rows():
    x, y = uneven()
    steps = [("scale", AdaptiveScaler()), ("more", Adasyn(seed=0)), ("links", TomekLinks())]
    pipeline = pipeline_of([*steps, ("model", LogisticRegression())]).fit(x, y)
    assert pipeline.predict_proba(x).shape == (300, 2)
    assert pipeline["more"].counts_after_[1] > 200
    assert pipeline["scale"].center_ == pytest.approx(AdaptiveScaler().fit(x).center_)  # of the patients, not made up
    alone = LogisticRegression().fit(
        *TomekLinks().fit_resample(*Adasyn(seed=0).fit_resample(pipeline["scale"].transform(x), y))
    )
    assert pipeline["model"].coef_ == pytest.approx(alone.coef_)
    assert type(pipeline_of([("scale", AdaptiveScaler())])).__module__.startswith("sklearn.")


def test_even_groups_stay_and_it_is_said():
    x, y = uneven(share=0.5)
    step = Smote(seed=0)
    assert step.fit_resample(x, y)[0] is x
    assert step.note_ == "the groups are even already"


@pytest.mark.parametrize(
    ("step", "what"),
    [(Smote(), "seed is None"), (Adasyn(share=2.0, seed=1), "share is 2"), (TomekLinks("some"), "remove is 'some'")],
)
def test_wrong_parameters_are_told(step, what):
    with pytest.raises(UserError, match=what):
        step.fit_resample(*uneven())


def test_too_few_events_are_told():
    x, y = uneven(share=0.01)
    with pytest.raises(UserError, match="Smote"):
        Smote(seed=0).fit_resample(x, y)
