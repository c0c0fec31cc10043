"""Which number an input takes; expected values are calculated by hand."""

from dataclasses import replace

import pytest
from OVFRiskLib.anatomy import Compartment, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.measurement import Measurement, Quality, Source
from OVFRiskLib.models.card import Input, Statistic, Summary
from OVFRiskLib.models.facts import Facts
from OVFRiskLib.models.inputs import Record, pick
from OVFRiskLib.models.remarks import told
from OVFRiskLib.radiomics import Protocol

L1, L2, L3, L4 = VertebralLevel.span("L1-L4")
BONE = Compartment.CANCELLOUS
DENSITY = Input("vbmd", "vBMD", "mg/cm3", BONE)
MEAN = replace(DENSITY, levels=(L1, L2, L3, L4), statistic=Statistic.MEAN, least=3)


def row(value, level=L1, name="vbmd", unit="mg/cm3", protocol="line-1", **more):
    if value is None:
        more = {"quality": Quality.ABSENT, "note": "cut off"} | more
    return Measurement("p", level, BONE, name, value, unit, protocol, **more)


def picked(wanted, *rows, level=L1, facts=None, **more):
    return pick(Record.of("p", rows, facts or Facts(), **more), wanted, level)


def test_the_row_of_the_scored_level():
    found = picked(DENSITY, row(90.0), row(80.0, L2), row(1.0, name="vbmd_sd"), level=L2)
    assert found.value == 80.0
    assert picked(replace(DENSITY, levels=(L1,)), row(90.0), row(80.0, L2), level=L2).value == 90.0
    assert picked(replace(DENSITY, center=100.0, scale=20.0), row(90.0)).scaled == -0.5


def test_what_is_no_part_of_a_vertebra_is_the_patients_where_the_level_has_none():
    marker = Input("ca125", "CA125", "[arb'U]/mL")
    own = Measurement("p", None, None, "ca125", 16.0, marker.unit, "")
    at_l1 = replace(own, level=L1, value=20.0)
    assert picked(marker, own).value == 16.0
    assert picked(marker, own, at_l1).value == 20.0
    assert picked(marker, own, at_l1, level=L2).value == 16.0
    assert picked(marker).value is None
    of_patient = replace(row(90.0), level=None)
    assert picked(DENSITY, of_patient).value is None  # a vertebra's density is never the patient's


@pytest.mark.parametrize(
    ("statistic", "value"),
    [(Statistic.MEAN, 80.0), (Statistic.MEDIAN, 75.0), (Statistic.MINIMUM, 60.0), (Statistic.MAXIMUM, 110.0)],
)
def test_statistics_over_levels(statistic, value):
    rows = [row(v, level) for v, level in zip((110.0, 60.0, 70.0, 80.0), (L1, L2, L3, L4))]
    assert picked(replace(MEAN, statistic=statistic), *rows).value == value


def test_levels_without_a_value_are_said_and_at_least_some_are_needed():
    three = (row(110.0), row(None, L2), row(70.0, L3), row(90.0, L4))
    found = picked(MEAN, *three)
    assert found.value == 90.0
    assert told(found.notes) == ("vBMD: mean of L1, L3, L4 only (L2: cut off)",)
    few = picked(MEAN, *three[:3])
    assert few.value is None
    assert few.missing == ("vBMD: 2 of 4 levels have a value, 3 are needed (L2: cut off; L4: not measured)",)


def test_what_is_absent_is_missing_with_its_own_note():
    assert picked(DENSITY, row(None)).missing == ("vBMD: cut off",)
    assert picked(DENSITY).missing == ("vBMD: not measured",)


def test_flagged_rows_count_and_their_notes_are_told_once():
    flag = {"quality": Quality.FLAGGED, "note": "noisy; contrast medium"}
    found = picked(replace(MEAN, least=2), row(90.0, L1, **flag), row(70.0, L2, **flag), row(80.0, L3, note="rods"))
    assert found.value == 80.0
    assert told(found.notes)[:2] == ("vBMD (L1, L2): noisy", "vBMD (L1, L2): contrast medium")
    assert "rods" not in str(found.notes)


def test_another_unit_is_refused():
    found = picked(replace(DENSITY, impute=80.0), row(0.09, unit="g/cm3"))
    assert found.value is None
    assert told(found.refusals) == ("vBMD (L1): in g/cm3, the model needs mg/cm3; convert the rows and their unit",)


def test_another_protocol_is_refused_naming_what_differs():
    """The settings of ct-original, as its file has them, against fracture-risk's: no normalisation to 100."""
    needed, other = Protocol.load("fracture-risk"), Protocol.load("ct-original")
    wanted = Input("original_glcm_Idmn", "Idmn", "1", BONE, protocol_id=needed.id, impute=0.9)
    found = picked(
        wanted, row(0.95, name=wanted.name, unit="1", protocol=other.id), protocols={needed.id: needed.to_dict()}
    )
    (refusal,) = told(found.refusals)
    assert found.value is None
    assert f"measured with the protocol {other.id}, the model needs {needed.id}" in refusal
    assert "setting normalizeScale: 1.0 instead of 100.0" in refusal


def test_an_unknown_other_protocol_is_named():
    (refusal,) = told(picked(replace(DENSITY, protocol_id="line-2"), row(90.0)).refusals)
    assert refusal == (
        "vBMD (L1): measured with the protocol line-1, the model needs line-2; measure it again as the model needs it"
    )


def test_of_two_protocols_the_needed_one_is_taken():
    rows = (row(90.0), row(70.0, protocol="line-2"))
    assert picked(replace(DENSITY, protocol_id="line-2"), *rows).value == 70.0
    assert "different protocols (line-1, line-2)" in told(picked(DENSITY, *rows).refusals)[0]
    absent = picked(replace(DENSITY, protocol_id="line-2"), row(90.0), row(None, protocol="line-2"))
    assert (absent.missing, absent.refusals) == (("vBMD: cut off",), ())
    assert picked(replace(DENSITY, protocol_id="line-3"), row(None)).missing == ("vBMD: cut off",)


def test_levels_of_different_protocols_never_mix():
    found = picked(replace(MEAN, least=2), row(90.0), row(70.0, L2, protocol="line-2"))
    assert found.value is None
    assert "different protocols" in told(found.refusals)[0]


def test_stale_rows_are_refused():
    old = row(90.0, source=Source("image", "mask"))
    (refusal,) = told(picked(replace(DENSITY, impute=80.0), old, stale={old}).refusals)
    assert "edited" in refusal
    assert "update" in refusal
    assert picked(DENSITY, old, stale={row(1.0)}).value == 90.0


def test_age_and_sex_come_from_the_facts():
    age, sex = Input("age", "Age", "a"), Input("sex_male", "Sex", "1")
    assert picked(age, facts=Facts(age=70.0)).value == 70.0
    assert [picked(sex, facts=Facts(sex=s)).value for s in "MF"] == [1.0, 0.0]
    assert picked(sex).missing == ("Sex: not given",)
    assert picked(age, Measurement("p", None, None, "age", 61.0, "a", "")).value == 61.0
    assert told(picked(replace(age, unit="mo"), facts=Facts(age=70.0)).refusals)[0].startswith("Age: in a")
    with pytest.raises(UserError, match="sex 'W'"):
        picked(sex, facts=Facts(sex="W"))


def test_imputation_only_where_the_card_has_one_and_always_told():
    found = picked(replace(DENSITY, impute=80.0, training=Summary(90.0, 100.0, 95.0, 2.0)), row(None))
    assert (found.value, found.imputed, found.outside) == (80.0, True, ())
    assert found.missing == ("vBMD: cut off",)
    assert told(found.notes) == ("vBMD: no value (cut off), 80 mg/cm3 stands for it",)


@pytest.mark.parametrize(("value", "outside"), [(19.9, True), (20.0, False), (220.0 * (1 + 1e-11), False), (221, True)])
def test_out_of_the_training_range(value, outside):
    found = picked(replace(DENSITY, training=Summary(20.0, 220.0, 100.0, 30.0)), row(value))
    assert bool(found.outside) is outside


def test_the_uncertainty_measured_with_a_value():
    """Of a mean it is at most the mean of the levels', however their errors go together; of the others the largest."""
    rows = [row(v, level) for v, level in zip((110.0, 60.0, 70.0, 80.0), (L1, L2, L3, L4))]
    errors = [row(e, level, "vbmd_error") for e, level in zip((4.0, 2.0, 6.0, 8.0), (L1, L2, L3, L4))]
    assert picked(DENSITY, *rows, *errors).half_width == 4.0
    assert picked(MEAN, *rows, *errors).half_width == 5.0
    assert picked(replace(MEAN, statistic=Statistic.MEDIAN), *rows, *errors).half_width == 8.0
    assert picked(MEAN, *rows, *errors[:3]).half_width is None


def radscore(**changes):
    terms = (
        Input("original_glcm_Idmn", "Idmn", "1", BONE, center=0.9, scale=0.05),
        Input("original_shape_Sphericity", "Sphericity", "1", BONE, center=0.5, scale=0.1),
    )
    plain = Input("radscore", "Radscore", "1", terms=terms, coefficients=(2.0, -3.0), intercept=0.5)
    return replace(plain, **changes)


def features(idmn=0.95, sphericity=0.7, level=L1):
    names = ("original_glcm_Idmn", "original_shape_Sphericity")
    return tuple(row(v, level, n, "1") for n, v in zip(names, (idmn, sphericity)))


def test_radscore():
    """0.5 + 2 × (0.95 - 0.9) / 0.05 - 3 × (0.7 - 0.5) / 0.1 = -3.5."""
    assert picked(radscore(), *features()).value == pytest.approx(-3.5, abs=1e-12)


def test_a_missing_term_makes_the_radscore_missing_unless_imputed():
    rows = features(sphericity=None)
    assert picked(radscore(), *rows).missing == ("Sphericity: cut off",)
    terms = radscore().terms
    filled = picked(radscore(terms=(terms[0], replace(terms[1], impute=0.6))), *rows)
    assert filled.value == pytest.approx(0.5 + 2 - 3)
    assert filled.imputed
    assert filled.missing == ("Sphericity: cut off",)
    whole = picked(radscore(impute=-1.0), *rows)
    assert (whole.value, whole.imputed) == (-1.0, True)
    assert told(whole.notes) == ("Radscore: no value (Sphericity: cut off), -1 stands for it",)


def test_a_radscore_over_levels():
    """At L2: 0.5 + 2 × (1.0 - 0.9) / 0.05 - 3 × (0.6 - 0.5) / 0.1 = 1.5; at L1 -3.5."""
    over = radscore(levels=(L1, L2), statistic=Statistic.MAXIMUM)
    found = picked(over, *features(), *features(1.0, 0.6, L2), level=None)
    assert found.value == pytest.approx(1.5)
    assert found.terms == ()


def test_a_table_of_remarks_stays_short():
    flag = {"quality": Quality.FLAGGED, "note": "noisy"}
    notes = [n for k in range(9) for n in picked(replace(DENSITY, title=f"T{k}"), row(1.0, **flag)).notes]
    assert told(notes) == ("T0 (L1), T1 (L1), T2 (L1) and 6 more: noisy",)
    assert told(notes, named=False) == ("noisy",)
