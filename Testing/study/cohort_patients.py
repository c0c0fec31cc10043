"""Measurements of three invented patients: p1 has all, p2 lacks one level, p3 has one."""

from OVFRiskLib.anatomy import Compartment, Structure, VertebralLevel
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality

L1, L2, L3 = VertebralLevel.L1, VertebralLevel.L2, VertebralLevel.L3
CANCELLOUS = Compartment.CANCELLOUS
HU = "[hnsf'U]"
IDMN = "original_glcm_Idmn"


def row(subject, level, value, name="trabecular_attenuation", part=CANCELLOUS, unit=HU, protocol="ct-1", note=""):
    quality = Quality.ABSENT if value is None else Quality.FLAGGED if note else Quality.OK
    return Measurement(subject, level, part, name, value, unit, protocol, quality=quality, note=note)


def rows():
    return [
        row("p1", L1, 100.0),
        row("p1", L2, 120.0),
        row("p1", L3, 80.0, note="metal near"),
        row("p1", None, 55.5, "muscle_volume", Structure.ERECTOR_SPINAE, "cm3"),
        row("p2", L1, 90.0),
        row("p2", L2, None, note="cement"),
        row("p3", L1, 70.0),
        row("p3", None, 61.0, "age", None, "a", "said by the chart"),
    ]


def table():
    return [MeasurementTable(rows())]
