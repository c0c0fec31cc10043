"""A wide table's titles say what was measured where."""

import pytest

pytest.importorskip("sklearn")

from OVFRiskLib.anatomy import Compartment, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.models.card import Statistic
from OVFRiskLib.radiomics import Protocol
from OVFRiskLib.study.cohort.wide_table import read_wide

LEVELS = VertebralLevel.span("T11-L2")
TITLES = "subject,cancellous_mean_original_glcm_Idmn,body_original_glcm_Idmn,cortical_L1_vbmd,age,centre"


def write(folder, text=f"{TITLES}\na,0.9,0.8,110,70,A\nb,,0.7,90,71,B\n"):
    path = folder / "features.csv"
    path.write_text(text)
    return path


def test_titles_become_columns(tmp_path):
    protocol = Protocol.load("fracture-risk")
    found = read_wide(write(tmp_path), protocol=protocol, levels=LEVELS, least=3, units={"cortical_L1_vbmd": "mg/cm3"})
    mean, body, density, age, centre = (found.columns[title] for title in TITLES.split(",")[1:])
    assert (mean.name, mean.compartment, mean.levels, mean.statistic, mean.least, mean.protocol_id) == (
        "original_glcm_Idmn",
        Compartment.CANCELLOUS,
        LEVELS,
        Statistic.MEAN,
        3,
        protocol.id,
    )
    assert (body.name, body.compartment, body.levels, body.statistic) == (mean.name, Compartment.BODY, (), None)
    assert (density.name, density.levels, density.unit, density.protocol_id) == (
        "vbmd",
        (VertebralLevel("L1"),),
        "mg/cm3",
        "",
    )
    assert (age.name, age.unit, age.compartment, centre.unit) == ("age", "a", None, "")
    assert found.table.loc["a", "cancellous_mean_original_glcm_Idmn"] == 0.9
    assert found.table["cancellous_mean_original_glcm_Idmn"].isna().tolist() == [False, True]


def test_joined_columns_need_their_levels(tmp_path):
    with pytest.raises(UserError, match="joins several levels"):
        read_wide(write(tmp_path))
