"""Filtered images against PyRadiomics 3.0.1: every feature of every image type, on real regions.

`pyradiomics_filter_values.json` holds the names that PyRadiomics gives for each protocol, in its order, and for each
region its values to eight digits. PyRadiomics itself, built from source, made them with

    python Testing/radiomics/test_radiomics_filters.py ../shared/data

in an environment of Python 3.11 with OVFRisk, pyradiomics 3.0.1 and, for local binary patterns, scikit-image 0.26 and
trimesh 5.2. Where PyRadiomics can be imported the same regions are computed by it once more; where scipy has no
`sph_harm` any more (from 1.17), with that of scipy 1.14 below.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.special
from OVFRiskLib.image import Mask, Volume
from OVFRiskLib.radiomics import Protocol, extract
from OVFRiskLib.radiomics.pyradiomics_engine import extract_by_pyradiomics

VALUES = Path(__file__).with_name("pyradiomics_filter_values.json")
CLASSES = {"firstorder": [], "glcm": [], "glszm": [], "ngtdm": []}
MILLIMETRES = {"resampledPixelSpacing": [1, 1, 1]}
PROTOCOLS = {
    "log": ({}, {"LoG": {"sigma": [0.5, 2, 4.5]}}),
    "gradient-of-voxels": ({}, {"Gradient": {"gradientUseSpacing": False}}),
    "same-spacing": ({"resampledPixelSpacing": [1.5, 1.5, 1.5]}, {"LoG": {"sigma": [2]}, "Wavelet": {}}),
    "wavelet-levels": (
        {"preCrop": True, "padDistance": 4},
        {"Wavelet": {"wavelet": "db3", "start_level": 1, "level": 2}},
    ),
    "wavelet-flat": (
        {"resampledPixelSpacing": [2, 2, 2], "force2D": True, "force2Ddimension": 1},
        {"Wavelet": {"wavelet": "bior2.2", "level": 2, "binWidth": 10}},
    ),
    "lbp2d": ({"binWidth": 1, "force2D": True, **MILLIMETRES}, {"LBP2D": {}}),
    "lbp2d-turned": (
        {"binWidth": 1, "force2Ddimension": 1},
        {"LBP2D": {"lbp2DRadius": 2.5, "lbp2DSamples": 7, "lbp2DMethod": "ror"}},
    ),
    "lbp2d-number": ({"binWidth": 2}, {"LBP2D": {"lbp2DSamples": 7, "lbp2DMethod": "default"}}),
    "lbp2d-variance": ({"binWidth": 2000, **MILLIMETRES}, {"LBP2D": {"lbp2DMethod": "var"}}),
    "lbp3d": ({"binWidth": 0.25, **MILLIMETRES}, {"LBP3D": {}}),
    "lbp3d-large": (
        {"binWidth": 1},
        {"LBP3D": {"lbp3DLevels": 3, "lbp3DIcosphereRadius": 2.0, "lbp3DIcosphereSubdivision": 2}},
    ),
}
CASES = [
    *(("residual-back-pain", region) for region in ("brain", "whole", "interior", "border", "oblique", "flipped")),
    *(("residual-back-pain", region) for region in ("slice", "3mm")),
    *(("malignant-fracture", region) for region in ("brain", "interior", "slice", "3mm")),
    *((name, "interior") for name in PROTOCOLS),
    ("log", "slice"),
    ("wavelet-levels", "3mm"),
    *(("lbp2d", region) for region in ("3mm", "brain", "oblique", "flipped", "border")),
    ("lbp2d-number", "slice"),
    *(("lbp3d", region) for region in ("3mm", "brain", "oblique", "border")),
    ("lbp3d-large", "border"),
]


def protocol_of(name):
    if name not in PROTOCOLS:
        return Protocol.load(name)
    setting, image_types = PROTOCOLS[name]
    texts = dict.fromkeys(("name", "title", "purpose", "source"), name)
    return Protocol.from_dict(texts | {"setting": setting, "imageType": image_types, "featureClass": CLASSES})


def region_of(name, folder, read):
    """Return a volume and the region's mask in it."""
    if name == "brain":
        array, matrix = read(folder / "radiomics_pyradiomics/brain1_image.nrrd")
        mask = read(folder / "radiomics_pyradiomics/brain1_label.nrrd")[0] == 1
    elif name == "3mm":
        array, matrix = read(folder / "ct_abdomen_3mm/ct.nii.gz")
        mask = read(folder / "ct_abdomen_3mm/totalsegmentator_labels.nii.gz")[0] == 32
    else:
        array, mask, matrix = _of_l3(name, str(folder / "ct_l3_subregions/sub-ct_"), read)
    return Volume(array, matrix), Mask(mask, matrix)


def _of_l3(name, stem, read):
    array, matrix = read(stem + "label-22_ct.nii.gz")
    levels = read(stem + "seg-vert_label-22_msk.nii.gz")[0]
    mask = levels == 22
    if name == "interior":
        return array.astype(np.float32), mask & (read(stem + "seg-subreg_label-22_msk.nii.gz")[0] == 50), matrix
    if name == "border":
        return array, levels == 21, matrix
    if name == "slice":
        return array, mask & (np.arange(len(levels)) == 36)[:, None, None], matrix
    if name == "flipped":
        flip = np.diag([-1.0, 1, -1, 1])
        flip[:3, 3] = array.shape[2] - 1, 0, array.shape[0] - 1
        return array[::-1, :, ::-1].copy(), mask[::-1, :, ::-1].copy(), matrix @ flip
    turn = np.eye(4)
    if name == "oblique":
        turn[:2, :2] = [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]
    return array, mask, turn @ matrix


def sph_harm(m, n, azimuth, polar):
    """Return spherical harmonics by the formula of scipy 1.14: where values are equal, its last bits decide."""
    legendre = scipy.special.lpmv(abs(m), n, np.cos(polar))
    if m < 0:
        legendre *= (-1) ** m * scipy.special.poch(n - m + 1, 2 * m)
    scale = np.sqrt((2 * n + 1) / 4 / np.pi) * np.sqrt(scipy.special.poch(n + m + 1, -2 * m))
    return legendre * scale * np.exp(1j * m * azimuth)


def by_pyradiomics(region, protocol):
    """Return what the PyRadiomics here makes of a region, local binary patterns included."""
    with pytest.MonkeyPatch.context() as patch:
        if not hasattr(scipy.special, "sph_harm"):
            patch.setattr(scipy.special, "sph_harm", sph_harm, raising=False)
        return extract_by_pyradiomics(*region, protocol).values


@pytest.fixture(scope="module")
def recorded():
    return json.loads(VALUES.read_text())


@pytest.mark.parametrize(("protocol", "region"), CASES)
def test_values_are_those_of_pyradiomics(shared_data, read_image, recorded, protocol, region):
    expected = dict(zip(recorded["names"][protocol], recorded["values"][f"{protocol} {region}"]))
    features = extract(*region_of(region, shared_data, read_image), protocol_of(protocol))
    assert features.absent == {}
    assert features.values == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("protocol", "region"), CASES)
def test_values_are_those_of_the_pyradiomics_here(shared_data, read_image, agree, protocol, region):
    pytest.importorskip("radiomics", reason="PyRadiomics is not installed; the recorded values are compared instead")
    grids, chosen = region_of(region, shared_data, read_image), protocol_of(protocol)
    theirs = by_pyradiomics(grids, chosen)
    if protocol.startswith("lbp") and not theirs:
        pytest.skip("PyRadiomics finds no scikit-image or trimesh for its local binary patterns")
    agree(extract(*grids, chosen).values, theirs, f"{protocol} {region}")


def test_grey_levels_and_constants_are_told_of_every_image(shared_data, read_image):
    features = extract(*region_of("interior", shared_data, read_image), protocol_of("malignant-fracture"))
    images = dict.fromkeys(name.split("_")[0] for name in features.values)
    assert list(features.diagnostics["grey_levels"]) == list(images)
    assert features.diagnostics["grey_levels"]["exponential"] == 1
    constant = features.diagnostics["constant_features"]
    assert "exponential_glcm_Idm" in constant
    assert {name.split("_")[0] for name in constant} == {"exponential"}
    assert any("exponential has 1 grey level" in warning for warning in features.warnings)


if __name__ == "__main__":
    from conftest import read

    made = {"names": {}, "values": {}}
    for case in CASES:
        found = by_pyradiomics(region_of(case[1], Path(sys.argv[1]), read), protocol_of(case[0]))
        names = made["names"].setdefault(case[0], list(found))
        made["values"][" ".join(case)] = [float(f"{found[name]:.8g}") for name in names]
        print(*case, len(found))
    lines = [f'"{key}": {json.dumps(value, separators=(",", ":"))}' for key, value in made["values"].items()]
    names = json.dumps(made["names"], separators=(",", ":"))
    VALUES.write_text(f'{{"names": {names},\n"values": {{\n' + ",\n".join(lines) + "\n}}\n")
