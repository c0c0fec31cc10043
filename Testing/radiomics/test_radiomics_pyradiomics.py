"""Real regions against PyRadiomics 3.0.1: every feature of `ct-original`, resampled from 1.5 and 3 mm.

The values in `pyradiomics_values.json` were made by PyRadiomics itself, built from source, with

    PYTHONPATH=OVFRisk python Testing/radiomics/test_radiomics_pyradiomics.py ../shared/data

in an environment of Python 3.11 with pyradiomics 3.0.1, scipy and pytest. Where PyRadiomics can be imported the same
cases are computed by it once more.
"""

import json
import logging
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from OVFRiskLib.image import Mask, Volume
from OVFRiskLib.radiomics import Protocol, extract

VALUES = Path(__file__).with_name("pyradiomics_values.json")
CASES = ("whole", "interior-float", "touching-border", "oblique", "3mm", "one-slice")


def region_of(case, folder, read):
    """Return image array, mask array and ijk-to-RAS matrix of a case."""
    if case == "3mm":
        array, matrix = read(folder / "ct_abdomen_3mm/ct.nii.gz")
        return array, read(folder / "ct_abdomen_3mm/totalsegmentator_labels.nii.gz")[0] == 32, matrix
    stem = str(folder / "ct_l3_subregions/sub-ct_")
    array, matrix = read(stem + "label-22_ct.nii.gz")
    levels = read(stem + "seg-vert_label-22_msk.nii.gz")[0]
    parts = read(stem + "seg-subreg_label-22_msk.nii.gz")[0]
    if case == "interior-float":
        return array.astype(np.float32), (levels == 22) & (parts == 50), matrix
    if case == "touching-border":
        return array, levels == 21, matrix
    if case == "oblique":
        return array, levels == 22, _turned(matrix)
    if case == "one-slice":
        return array, (levels == 22) & (np.arange(len(levels)) == 36)[:, None, None], matrix
    return array, levels == 22, matrix


def _turned(matrix, angle=0.3):
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn @ matrix


@pytest.mark.parametrize("case", CASES)
def test_values_are_those_of_pyradiomics(shared_data, read_image, case):
    expected = json.loads(VALUES.read_text())[case]
    array, mask, matrix = region_of(case, shared_data, read_image)
    features = extract(Volume(array, matrix), Mask(mask, matrix), Protocol.load("ct-original"))
    assert features.absent == {}
    assert set(features.values) == set(expected)
    assert features.values == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_values_are_those_of_the_pyradiomics_here(shared_data, read_image, agree, case):
    pytest.importorskip("radiomics", reason="PyRadiomics is not installed; the recorded values are compared instead")
    array, mask, matrix = region_of(case, shared_data, read_image)
    features = extract(Volume(array, matrix), Mask(mask, matrix), Protocol.load("ct-original"))
    agree(features.values, pyradiomics(array, mask, matrix), f"ct-original {case}")


def pyradiomics(array, mask, matrix):
    """Return what PyRadiomics makes of the same region and protocol."""
    from radiomics import featureextractor

    logging.getLogger("radiomics").setLevel(logging.ERROR)
    layout = Protocol.load("ct-original").to_dict()
    blocks = {key: layout[key] for key in ("imageType", "featureClass")}
    setting = {name: value for name, value in layout["setting"].items() if value is not None}
    extractor = featureextractor.RadiomicsFeatureExtractor(blocks | {"setting": setting | {"additionalInfo": False}})
    extractor.settings["additionalInfo"] = False
    found = extractor.execute(_itk(array, matrix), _itk(mask.astype(np.uint8), matrix))
    return {name: float(np.real(value)) for name, value in found.items()}


def _itk(array, matrix):
    image = sitk.GetImageFromArray(array)
    lps, spacing = np.diag([-1.0, -1.0, 1.0]), np.linalg.norm(matrix[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps @ (matrix[:3, :3] / spacing)).ravel().tolist())
    image.SetOrigin((lps @ matrix[:3, 3]).tolist())
    return image


if __name__ == "__main__":
    from conftest import read

    made = {case: pyradiomics(*region_of(case, Path(sys.argv[1]), read)) for case in CASES}
    VALUES.write_text(json.dumps(made, indent=1) + "\n")
