"""A small analysis of hand-made images: two levels measured, one not, with everything a report may have to show."""

import numpy as np
import pytest
from OVFRiskLib.analysis import Analysis
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality
from OVFRiskLib.models.cutoffs import assess
from OVFRiskLib.radiomics import Features
from OVFRiskLib.segmentation.level_quality import Fault, Finding, LevelQuality
from OVFRiskLib.vbq import Plane, Regions, Roi

T12, L1, L2 = VertebralLevel.T12, VertebralLevel.L1, VertebralLevel.L2
HOSTILE = "<script>alert('x')</script>\"&"
HU = "[hnsf'U]"


@pytest.fixture(scope="session")
def hostile():
    """Text from outside that must never become markup."""
    return HOSTILE


@pytest.fixture(scope="session")
def analysis():
    ct, compartments = _ct()
    table = MeasurementTable([*_ct_rows(), *_mr_rows()])
    t2 = Volume(np.random.default_rng(3).random((40, 40, 5)) * 100, _matrix(4.0, 2.0, 3.0), modality=Modality.T2)
    return Analysis(
        subject=f"P-01 {HOSTILE}",
        volumes={Modality.CT: ct, Modality.T2: t2},
        compartments=compartments,
        levels=(
            LevelQuality(T12, (Finding(Fault.CUT, "cut off by the image", 0.0),)),
            LevelQuality(L1),
            LevelQuality(L2, (Finding(Fault.PIECES, "odd", 0.8),)),
        ),
        regions=Regions(_rois()),
        measurements=table,
        features={
            Region(Compartment.CANCELLOUS, L1): Features(
                {"original_firstorder_Mean": 1.5}, {"original_glcm_Idmn": "one grey level"}, {}, ("resampled",), "p-1"
            )
        },
        assessments=assess(table, {"vbq_t2": t2}, "mean"),
        caveats=("The contrast phase was not given.", f"Caveat with {HOSTILE}"),
        run={
            "patient": {"sex": None, "age": 71.0, "phase": None, "synthetic": True},
            "calibration": None,
            "settings": {"levels": (L1, L2), "inset_mm": 4.0, "statistic": HOSTILE},
            "images": {"CT": {"hash": "c0ffee"}},
        },
    )


def _matrix(i: float, j: float, k: float) -> np.ndarray:
    matrix = np.diag([i, j, k, 1.0])
    matrix[:3, 3] = -40.0, -50.0, -60.0
    return matrix


def _ct() -> tuple[Volume, LabelMap]:
    """Three stacked blocks with shell, core and arch; nothing of a CT but its geometry."""
    shape = (40, 50, 40)
    array, meanings = np.zeros(shape, np.int16), {}
    for n, level in enumerate((T12, L1, L2)):
        rows = slice(26 - 12 * n, 36 - 12 * n)
        array[rows, 22:42, 10:30] = 10 * n + 1
        array[rows.start + 2 : rows.stop - 2, 24:40, 12:28] = 10 * n + 2
        array[rows, 5:18, 14:26] = 10 * n + 3
        for m, part in enumerate((Compartment.CORTICAL, Compartment.CANCELLOUS, Compartment.POSTERIOR), start=1):
            meanings[10 * n + m] = Region(part, level)
    values = np.where(array > 0, 200, 0) + np.random.default_rng(1).integers(-40, 40, shape)
    matrix = _matrix(2.0, 2.0, 3.0)
    return Volume(values.astype(np.int16), matrix, modality=Modality.CT), LabelMap(array, matrix, meanings)


def _ct_rows() -> list[Measurement]:
    rows = [
        Measurement("P", L1, Compartment.CANCELLOUS, "trabecular_attenuation", 123.4, HU, "t-1"),
        Measurement("P", L1, Compartment.CANCELLOUS, "trabecular_attenuation_sd", 31.2, HU, "t-1"),
        Measurement("P", L2, Compartment.CANCELLOUS, "trabecular_attenuation", -12.4, HU, "t-1"),
        Measurement("P", L1, Compartment.BODY, "wedge_angle", -0.04, "deg", "h-1"),
        Measurement(
            "P",
            L2,
            Compartment.BODY,
            "wedge_angle",
            None,
            "deg",
            "h-1",
            quality=Quality.ABSENT,
            note="no end plate seen",
        ),
        Measurement(
            "P", L1, Compartment.BODY, "volume", 30.0, "cm3", "v-1", quality=Quality.FLAGGED, note=f"thick {HOSTILE}"
        ),
    ]
    for level, ratio in ((L1, 0.72), (L2, 0.95)):
        rows.append(Measurement("P", level, Compartment.BODY, "anterior_posterior_ratio", ratio, "1", "h-1"))
        rows += [
            Measurement("P", level, Compartment.BODY, f"{where}_height", 25 * share, "mm", "h-1")
            for where, share in (("anterior", ratio), ("middle", 0.9), ("posterior", 1.0))
        ]
    return rows


def _mr_rows() -> list[Measurement]:
    rows = [
        Measurement("P", level, part, f"t2_signal_intensity{end}", value, "[arb'U]", "vbq-1")
        for level, part, mean in ((L1, Compartment.BODY, 52.5), (VertebralLevel.L3, Structure.CSF, 104.0))
        for end, value in (("", mean), ("_sd", 5.5))
    ]
    rows.append(Measurement("P", None, None, "vbq_t2", 0.6123, "1", "vbq-1"))
    why = f"no CSF region: {HOSTILE}"
    rows.append(Measurement("P", None, None, "vbq_t1", None, "1", "vbq-1", quality=Quality.ABSENT, note=why))
    return rows


def _rois() -> tuple[Roi, ...]:
    plane = Plane((-30.0, -10.0, 0.0), ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    square = ((0.0, 0.0), (20.0, 0.0), (20.0, 15.0), (0.0, 15.0))
    behind = ((-20.0, 0.0), (-12.0, 0.0), (-12.0, 8.0), (-20.0, 8.0))
    return (
        Roi(Region(Compartment.BODY, L1), plane, square, 1.5),
        Roi(Region(Compartment.BODY, L2), plane.shifted(8.0), tuple((u, v - 25) for u, v in square), 1.5),
        Roi(Region(Structure.CSF, VertebralLevel.L3), plane, behind, 1.5),
    )
