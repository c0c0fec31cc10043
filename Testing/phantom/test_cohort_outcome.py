"""Outcomes of synthetic cohorts: drawn by the rule that stands in truth.json, and joined with what is measured."""

import json
from math import exp

import numpy as np
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.tables import read_measurements
from OVFRiskLib.models.card import Statistic
from OVFRiskLib.phantom import EVENT_SHARE, follow_up, make_cohort, write_follow_up
from OVFRiskLib.phantom.outcome import RULE, SYNTHETIC, values_of
from OVFRiskLib.study.cohort import join, one_row_a_patient, read_clinical, read_patients
from sklearn.linear_model import LogisticRegression

from ..conftest import run_here


@pytest.fixture(scope="module")
def many():
    return follow_up(list(make_cohort(2000, 1)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One patient's images with the outcome; the CT as analysed."""
    folder = tmp_path_factory.mktemp("cohort")
    run = run_here("phantom", folder / "images", "--cohort", 1, "--seed", 4, "--spacing", 4, "--event-share", 0.25)
    assert run.returncode == 0, run.stderr
    assert "of 1 patients (clinical.csv)" in run.printed
    (patient,) = (folder / "images").glob("phantom-*/")
    images = ("--ct", patient / "ct.nii.gz", "--labels", patient / "labels.nii.gz", "--scheme", "ovfrisk")
    few = ("--levels", "L1-L4", "--parts", "cancellous", "--tables-only")
    run = run_here("analyze", folder / "result", "--subject", patient.name, *images, *few)
    assert run.returncode == 0, run.stderr
    return folder


def test_patients_are_those_they_were_before_they_had_outcomes():
    assert [patient.seed for patient in make_cohort(3, 1)] == [1555123226, 309507529, 1253714867]


def test_the_rule_is_what_truth_says(many, tmp_path):
    write_follow_up(many, 1, tmp_path)
    truth = json.loads((tmp_path / "truth.json").read_text("utf-8"))
    subject, one = next(item for item in truth["patients"].items() if item[1]["values"]["prevalent_fractures"] == 2)
    values = one["values"]
    by_hand = truth["intercept"] - 1.2 * (values["trabecular_attenuation"] - 116) / 29
    by_hand += 0.5 * (values["age"] - 69) / 8 + 0.8 * 2
    assert one["log_odds"] == pytest.approx(by_hand)
    assert one["probability"] == pytest.approx(1 / (1 + exp(-by_hand)))
    patient = next(patient for patient in many.patients if patient.subject == subject)
    lumbar = [patient.cancellous_hu[level] for level in VertebralLevel.span("L1-L4")]
    assert values["trabecular_attenuation"] == pytest.approx(sum(lumbar) / 4)
    assert truth["terms"]["age"]["coefficient"] == 0.5
    assert len(truth["patients"]) == 2000
    assert truth["seed"] == 1


def test_outcomes_follow_the_rule(many):
    expected, spread = many.probability.sum(), np.sqrt((many.probability * (1 - many.probability)).sum())
    assert many.probability.mean() == pytest.approx(EVENT_SHARE)
    assert abs(many.fracture.sum() - expected) < 4 * spread
    values = np.array([list(values_of(patient).values()) for patient in many.patients])
    z = (values - [term.center for term in RULE.values()]) / [term.scale for term in RULE.values()]
    found = LogisticRegression(C=np.inf).fit(z, many.fracture)
    design = np.column_stack([np.ones(len(z)), z])
    weight = many.probability * (1 - many.probability)
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ (design * weight[:, None]))))  # of maximum likelihood
    given = np.array([many.intercept, *(term.coefficient for term in RULE.values())])
    assert (np.abs(np.r_[found.intercept_, found.coef_[0]] - given) < 4 * errors).all()
    assert errors.max() < 0.2


def test_companions_move_nothing_but_the_intercept(many):
    some = many.patients[:300]
    again = follow_up(some, float(many.probability[:300].mean()))
    assert again.intercept == pytest.approx(many.intercept)
    assert np.array_equal(again.fracture, many.fracture[:300])
    more = follow_up(some, 0.6)
    assert more.probability.mean() == pytest.approx(0.6)
    assert more.fracture[again.fracture].all()
    assert more.fracture.sum() > again.fracture.sum()


def test_same_seed_same_bytes(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_follow_up(follow_up(list(make_cohort(20, 7)), 0.4), 7, tmp_path / name)
    for file in ("clinical.csv", "truth.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_study_reads_what_is_known_and_not_the_truth(many, tmp_path):
    write_follow_up(many, 1, tmp_path)
    table = read_clinical(tmp_path / "clinical.csv").table
    assert list(table) == ["synthetic", "age", "sex_male", "prevalent_fractures", "fracture"]
    assert list(table.index) == [patient.subject for patient in many.patients]
    assert (table["synthetic"] == SYNTHETIC).all()
    assert table["fracture"].tolist() == many.fracture.tolist()
    assert table["sex_male"].tolist() == [patient.sex == "M" for patient in many.patients]
    assert table["age"].tolist() == [patient.age for patient in many.patients]


def test_images_and_outcomes_join(folder):
    clinical = read_clinical(folder / "images" / "clinical.csv")
    levels = VertebralLevel.span("L1-L4")
    measured = one_row_a_patient(read_patients([folder / "result"]), levels, Statistic.MEAN)
    cohort = join([clinical, measured], ["clinical.csv", "the results"])
    truth = json.loads((folder / "images" / "truth.json").read_text("utf-8"))
    (subject,) = cohort.table.index
    assert truth["event_share"] == 0.25
    assert truth["patients"][subject]["probability"] == pytest.approx(0.25)  # alone
    seen = cohort.table.at[subject, "cancellous_mean_trabecular_attenuation"]
    assert seen == pytest.approx(truth["patients"][subject]["values"]["trabecular_attenuation"], abs=6)
    rows = read_measurements(folder / "images" / subject / "truth.csv")
    assert cohort.table.at[subject, "age"] == rows.where(name="age").rows[0].value


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--event-share", 0.5), "--event-share is about a cohort"),
        (("--cohort", 2, "--event-share", 1.5), "The share of events is 1.5"),
        (("--cohort", 2, "--event-share", 0), "The share of events is 0"),
        (("--cohort", 2, "--noise", 20), "--cohort goes with --seed, --spacing and --event-share only"),
    ],
)
def test_what_makes_no_cohort_is_told(arguments, what, tmp_path):
    run = run_here("phantom", tmp_path / "out", *arguments)
    assert run.returncode == 2
    assert what in " ".join(run.stderr.split())
    assert not (tmp_path / "out").exists()


def test_nobody_cannot_be_followed(tmp_path):
    with pytest.raises(UserError, match="no patient"):
        follow_up([])
    with pytest.raises(UserError, match="cannot be written"):
        write_follow_up(follow_up(list(make_cohort(2, 1))), 1, tmp_path / "nowhere")
