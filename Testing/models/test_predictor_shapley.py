"""Shapley values against their definition and against closed forms."""

from itertools import permutations

import numpy as np
import pytest
from OVFRiskLib.models.predictors.shapley import METHOD, shapley


def by_definition(function, x, typical):
    """The mean over every order of what each input adds when its turn comes."""
    amounts = np.zeros(x.size)
    orders = list(permutations(range(x.size)))
    for order in orders:
        row = typical.copy()
        for i in order:
            before = function(row[np.newaxis])[0]
            row[i] = x[i]
            amounts[i] += function(row[np.newaxis])[0] - before
    return amounts / len(orders)


def rough(x):
    return np.sin(x[:, 0] * x[:, 1]) + np.maximum(x[:, 2], x[:, 3]) * x[:, 0] - (x[:, 4] > 0) * x[:, 1]


def test_few_inputs_follow_the_definition():
    random = np.random.default_rng(3)
    x, typical = random.normal(size=(2, 5))
    found = shapley(rough, x, typical)
    assert found.amounts == pytest.approx(by_definition(rough, x, typical), abs=1e-12)
    assert found.base == rough(typical[np.newaxis])[0]
    assert found.method == METHOD


def test_inputs_that_do_not_differ_give_nothing():
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    typical = np.array([1.0, 0.0, 3.0, 0.0, 5.0])
    found = shapley(rough, x, typical)
    assert found.amounts[[0, 2, 4]].tolist() == [0.0, 0.0, 0.0]
    assert found.amounts.sum() == pytest.approx((rough(x[np.newaxis]) - rough(typical[np.newaxis]))[0], abs=1e-12)
    assert shapley(rough, x, x).amounts.tolist() == [0.0] * 5


def test_many_inputs_with_pairs_are_exact():
    """Orders walked both ways split what two inputs do together in halves, as Shapley values do."""
    random = np.random.default_rng(5)
    x, typical = random.normal(size=(2, 16))
    linear, pairs = random.normal(size=16), np.triu(random.normal(size=(16, 16)), 1)

    def function(rows):
        return rows @ linear + np.einsum("ni,ij,nj->n", rows, pairs, rows)

    difference, middle = x - typical, (x + typical) / 2
    expected = difference * (linear + (pairs + pairs.T) @ middle)
    found = shapley(function, x, typical)
    assert found.amounts == pytest.approx(expected, abs=1e-9)
    assert "512 orders" in found.method


def test_many_inputs_lie_within_the_stated_error():
    x, typical = np.linspace(1.0, 2.0, 12), np.zeros(12)

    def function(rows):
        return np.prod(rows, axis=1)  # all inputs together: each gets the same share

    found = shapley(function, x, typical)
    total = np.prod(x)
    stated = float(found.method.rpartition(" ")[2].rstrip(")"))
    assert np.abs(found.amounts - total / 12).max() < 4 * stated
    assert found.amounts.sum() == pytest.approx(total, abs=1e-9)
    assert shapley(function, x, typical).amounts.tolist() == found.amounts.tolist()


@pytest.mark.parametrize("inputs", [5, 12, 700])
def test_the_function_is_called_once(inputs):
    calls = []

    def function(rows):
        calls.append(rows.shape)
        return rows.sum(axis=1)

    found = shapley(function, np.ones(inputs), np.zeros(inputs), "value")
    assert len(calls) == 1
    assert found.amounts == pytest.approx(np.ones(inputs), abs=1e-9)
    assert found.scale == "value"
