"""Measurements of many patients become one row each, and a model can ask for a column as it was made."""

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.measurement import MeasurementTable
from OVFRiskLib.models.facts import Facts
from OVFRiskLib.models.inputs import Record, pick
from OVFRiskLib.study.cohort import one_row_a_patient

from .cohort_patients import HU, L1, L2, L3, row, rows, table


def test_wide_columns_name_part_level_and_measurement():
    found = one_row_a_patient(table())
    assert list(found.table.index) == ["p1", "p2", "p3"]
    assert list(found.table) == [
        "age",
        "erector_spinae_muscle_volume",
        "cancellous_L1_trabecular_attenuation",
        "cancellous_L2_trabecular_attenuation",
        "cancellous_L3_trabecular_attenuation",
    ]
    assert found.table["cancellous_L1_trabecular_attenuation"].to_list() == [100, 90, 70]
    at = "cancellous_L2_trabecular_attenuation"
    assert np.isnan(found.table.loc["p2", at])
    assert found.reason("p2", at) == "cement"
    assert found.reason("p3", at) == "not measured"
    assert found.flagged == {("p1", "cancellous_L3_trabecular_attenuation"): "metal near"}


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("mean", [100, 90, 70]), ("median", [100, 90, 70]), ("minimum", [80, 90, 70]), ("maximum", [120, 90, 70])],
)
def test_levels_become_one_number(statistic, expected):
    found = one_row_a_patient(table(), (L1, L2, L3), statistic)
    title = f"cancellous_{statistic}_trabecular_attenuation"
    assert found.table[title].to_list() == expected
    said = found.flagged["p2", title]
    assert said == f"{statistic} of L1 only (L2 cement; L3 not measured)"
    assert found.columns[title].levels == (L1, L2, L3)


def test_too_few_levels_give_no_number():
    found = one_row_a_patient(table(), (L1, L2, L3), "mean", least=2)
    title = "cancellous_mean_trabecular_attenuation"
    assert found.table[title].isna().to_list() == [False, True, True]
    assert found.reason("p2", title) == "1 of 3 levels have a value, 2 are needed (L2 cement; L3 not measured)"


def test_a_level_of_each_patient_s_own():
    found = one_row_a_patient(table(), level_of={"p1": L2, "p2": L1, "p3": L3})
    assert list(found.table) == ["age", "cancellous_trabecular_attenuation"]
    assert found.table["cancellous_trabecular_attenuation"].fillna(-1).to_list() == [120, 90, -1]
    assert found.columns["cancellous_trabecular_attenuation"].levels == ()
    with pytest.raises(UserError, match="No level is named for patient p3"):
        one_row_a_patient(table(), level_of={"p1": L2, "p2": L1})


@pytest.mark.parametrize("how", [{}, {"levels": (L1, L2, L3), "statistic": "mean"}, {"level_of": dict.fromkeys("123")}])
def test_a_model_that_takes_the_column_picks_the_same_number(how):
    """The column's input, given to the scorer with the patient's rows, gives the table's cell or nothing, too."""
    own = {"p1": L2, "p2": L1, "p3": L3}
    how = {"level_of": own} if "level_of" in how else how
    found = one_row_a_patient(table(), **how)
    for key, cells_ in found.table.iterrows():
        record = Record.of(key, [one for one in rows() if one.subject == key], Facts())
        for title, column in found.columns.items():
            level = own[key] if "level_of" in how else None
            picked = pick(record, column.input(), level)
            assert picked.value == (None if np.isnan(cells_[title]) else cells_[title]), title
            assert not picked.refusals


def test_a_column_s_input_keeps_no_patient():
    found = one_row_a_patient(table())
    title = "cancellous_L1_trabecular_attenuation"
    made = found.columns[title].input(found.table[title], impute=86.0, center=86.0, scale=2.0)
    assert (made.title, made.unit, made.protocol_id, made.levels) == (title, HU, "ct-1", (L1,))
    assert (made.training.minimum, made.training.maximum) == (70, 100)
    assert made.training.mean == pytest.approx(260 / 3)
    assert made.training.sd == pytest.approx(np.std([100, 90, 70], ddof=1))
    assert made.training.quantiles[0.5] == 90
    assert made.impute == 86.0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([row("p4", L1, 1.0, unit="mg/cm3")], r"trabecular_attenuation has 2 units: .*mg/cm3 \(e.g. p4\)"),
        ([row("p4", L1, 1.0, protocol="ct-2")], r"trabecular_attenuation has 2 protocols: ct-1 .*ct-2 \(e.g. p4\)"),
        ([row("p1", L1, 1.0, protocol="ct-2")], "2 protocols"),
        ([row("p1", L1, 100.0)], "Patient p1 has two values of cancellous_L1_trabecular_attenuation"),
    ],
)
def test_what_does_not_fit_together_is_refused(more, message):
    with pytest.raises(UserError, match=message):
        one_row_a_patient([*table(), MeasurementTable(more)])


def test_protocols_can_be_chosen_and_no_patient_disappears():
    both = [*table(), MeasurementTable([row("p4", L1, 1.0, protocol="ct-2")])]
    found = one_row_a_patient(both, protocols=["ct-1"])
    assert list(found.table.index) == ["p1", "p2", "p3", "p4"]
    assert found.table.loc["p4"].isna().all()
    assert "age" in found.table
    with pytest.raises(UserError, match="no measurement"):
        one_row_a_patient([MeasurementTable(rows()[:4])], protocols=["ct-9"])
