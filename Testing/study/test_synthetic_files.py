"""A synthetic patient's tables read back as the cohort's row, and score as the model on that row."""

import math

import numpy as np
import pytest

pytest.importorskip("sklearn")

from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.files.read_features import read_features
from OVFRiskLib.files.tables import read_measurements
from OVFRiskLib.models.card import Statistic
from OVFRiskLib.study.cohort.tables import read_patients
from OVFRiskLib.study.cohort.wide import one_row_a_patient
from OVFRiskLib.study.synthetic import synthetic_cohort
from OVFRiskLib.study.synthetic_files import write_patient


def test_means_of_levels_come_back(tmp_path):
    drawn = synthetic_cohort("fracture-risk", 2, patients=12, repeated=0)
    keys = list(drawn.cohort.table.index[:2])
    for key in keys:
        (tmp_path / key).mkdir()
        write_patient(drawn, key, tmp_path / key)
    tables = read_patients(tmp_path / key for key in keys)
    found = one_row_a_patient(tables, VertebralLevel.span("T11-L2"), Statistic.MEAN)
    titles = [*drawn.features, "cancellous_mean_vbmd"]
    expected = drawn.cohort.table.loc[keys, titles].to_numpy()
    assert found.table[titles].to_numpy() == pytest.approx(expected, rel=1e-8, abs=1e-8)
    for title in titles:
        mine, read = drawn.cohort.columns[title], found.columns[title]
        assert (read.name, read.unit, read.compartment, read.levels, read.statistic, read.protocol_id) == (
            mine.name,
            mine.unit,
            mine.compartment,
            mine.levels,
            mine.statistic,
            mine.protocol_id,
        )


def test_levels_differ(tmp_path):
    drawn = synthetic_cohort("fracture-risk", 2, patients=12, repeated=0)
    write_patient(drawn, drawn.cohort.table.index[0], tmp_path)
    values = [row.value for row in read_measurements(tmp_path / "measurements.csv") if row.name == "vbmd"]
    assert len(set(values)) == 4


@pytest.mark.parametrize("name", ["residual-back-pain", "malignant-fracture"])
def test_the_patient_s_own_level_comes_back(name, tmp_path):
    drawn = synthetic_cohort(name, 2, patients=12, repeated=0)
    key = drawn.cohort.table.index[3]
    write_patient(drawn, key, tmp_path)
    level = VertebralLevel(drawn.cohort.table.at[key, "level"])
    found = one_row_a_patient([read_features(tmp_path / "features.csv")], level_of={key: level})
    titles = list(drawn.features)
    expected = drawn.cohort.table.loc[[key], titles].to_numpy()
    assert found.table[titles].to_numpy() == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_every_row_says_that_it_is_synthetic_and_gaps_are_absent(tmp_path):
    drawn = synthetic_cohort("vbq", 2)
    table = drawn.cohort.table
    key = table.index[table["femoral_neck_bmd"].isna()][0]
    write_patient(drawn, key, tmp_path)
    rows = {row.name: row for row in read_measurements(tmp_path / "measurements.csv")}
    assert {row.note.partition(":")[0] for row in rows.values()} == {"SYNTHETIC"}
    assert rows["femoral_neck_bmd"].value is None
    assert rows["vbq_t2"].value == pytest.approx(table.at[key, "vbq_t2"])
    assert not {"age", "sex_male"} & set(rows)
    assert not (tmp_path / "features.csv").exists()
    assert all(row.value is None or math.isfinite(row.value) for row in rows.values())
    assert np.isfinite(table.drop(columns=["synthetic", "femoral_neck_bmd"]).to_numpy(float)).all()
