"""TabNet as an estimator: it stops by held-out patients, says nothing, and leaves the process as it was."""

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("pytorch_tabnet")

from OVFRiskLib.errors import UserError
from OVFRiskLib.study.learners.tabnet_classifier import TabNetHoldOut
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

torch = pytest.importorskip("torch")
SMALL = {"width": 4, "steps": 2, "independent": 1, "shared": 1, "batch_size": 64}


def patients(rows=240, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 4))
    return x, (x[:, 0] + random.normal(size=rows) / 3 > 0).astype(int)


@pytest.fixture(scope="module")
def model():
    return TabNetHoldOut(**SMALL, random_state=4).fit(*patients())


def test_it_learns(model):
    x, y = patients(1000, seed=1)
    assert roc_auc_score(y, model.predict_proba(x)[:, 1]) > 0.85
    assert model.feature_importances_.argmax() == 0
    assert model.predict_proba(x).sum(axis=1) == pytest.approx(1.0)


def test_it_stops_ten_epochs_after_the_best_and_keeps_the_best(model):
    found = np.array(model.history_["auroc"])
    assert model.epochs_ == len(found) < 100
    assert model.epochs_ - 1 - int(found.argmax()) == 10
    x, y = patients()
    _, held, _, outcome = train_test_split(x.astype(np.float32), y, test_size=0.2, stratify=y, random_state=4)
    assert roc_auc_score(outcome, model.predict_proba(held)[:, 1]) == pytest.approx(found.max())
    assert model.history_["loss"][0] > model.history_["loss"][-1]


def test_one_seed_one_network(model):
    torch.rand(3)
    again = clone(model).fit(*patients())
    x, _ = patients(100, seed=2)
    assert np.array_equal(again.predict_proba(x), model.predict_proba(x))
    other = clone(model).set_params(random_state=5).fit(*patients())
    assert not np.allclose(other.predict_proba(x), model.predict_proba(x))


def test_the_process_stays_as_it_was(capfd):
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    TabNetHoldOut(**SMALL, max_epochs=2).fit(*patients())
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert capfd.readouterr() == ("", "")


def test_fewer_patients_than_a_batch():
    x, y = patients(40)
    found = TabNetHoldOut(**{**SMALL, "batch_size": 256}, max_epochs=3).fit(x, y).predict_proba(x)
    assert np.isfinite(found).all()


def test_too_few_patients_are_told():
    x, _ = patients(12)
    with pytest.raises(UserError, match="12 patients, 1 with the event"):
        TabNetHoldOut(**SMALL).fit(x, np.arange(12) == 3)


def test_other_outcomes_are_refused():
    x, y = patients()
    with pytest.raises(UserError, match="0 and 1"):
        TabNetHoldOut(**SMALL).fit(x, y + 1)
