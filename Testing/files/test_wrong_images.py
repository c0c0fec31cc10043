"""What is no image, or not the image it is said to be, ends in one clear message."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.plausibility import check_weighting
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.image import Modality

NAMES = ("ct.nii", "ct.nii.gz", "ct.nrrd", "ct.mha")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A folder with one small CT in every format."""
    folder = tmp_path_factory.mktemp("whole")
    array = np.random.default_rng(2).integers(-900, 900, (6, 20, 20)).astype(np.int16)
    for name in NAMES:
        sitk.WriteImage(sitk.GetImageFromArray(array), str(folder / name), useCompression=True)
    return folder


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(NAMES), cut=st.floats(0, 0.9999))
def test_truncated_file_never_comes_back_as_another_image(name, cut, whole, tmp_path):
    """The last bytes of a compressed NRRD hold no voxels: without them the image may come back, but whole."""
    path = tmp_path / name
    data = (whole / name).read_bytes()
    path.write_bytes(data[: int(len(data) * cut)])
    try:
        volume = read_volume(path, Modality.CT)
    except UserError:
        pass
    else:
        assert len(data) * (1 - cut) < 20
        assert np.array_equal(volume.array, sitk.GetArrayFromImage(sitk.ReadImage(str(whole / name))))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", [0.0, 0.01, 0.1, 0.5, 0.9, 0.99])
def test_truncated_file(name, part, whole, tmp_path):
    data = (whole / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * part)])
    with pytest.raises(UserError, match=r"ct\."):
        read_volume(tmp_path / name, Modality.CT)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(NAMES),
    place=st.floats(0, 0.99),
    noise=st.binary(min_size=1, max_size=8),
)
def test_damaged_bytes_end_in_an_image_or_a_message(name, place, noise, whole, tmp_path):
    data = bytearray((whole / name).read_bytes())
    start = int(place * len(data))
    data[start : start + len(noise)] = noise
    path = tmp_path / name
    path.write_bytes(bytes(data))
    try:
        volume = read_volume(path, Modality.CT)
    except UserError:
        pass
    else:
        assert volume.array.ndim == 3


def test_real_file_cut_short(shared_data, tmp_path):
    data = (shared_data / "ct_abdomen_3mm" / "ct.nii.gz").read_bytes()
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(data[:-4])  # all voxels are there, the checksum is not
    with pytest.raises(UserError, match="ends too early"):
        read_volume(path, Modality.CT)


@pytest.mark.parametrize("name", ["notes.nii.gz", "notes.nii", "notes.nrrd", "notes.mha", "notes.txt", "notes"])
def test_text_file(name, tmp_path):
    (tmp_path / name).write_text("this is a letter, not an image\n" * 40)
    with pytest.raises(UserError, match="notes"):
        read_volume(tmp_path / name, Modality.CT)


@pytest.mark.parametrize("name", ["gone.nii.gz", "gone.nrrd", "gone.mha", "gone", "gone.jpg"])
def test_missing_file(name, tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_volume(tmp_path / name, Modality.CT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path, whole):
    path = tmp_path / "ct.nii"
    path.write_bytes((whole / "ct.nii").read_bytes())
    path.chmod(0)
    with pytest.raises(UserError, match="permission"):
        read_volume(path, Modality.CT)


@pytest.mark.parametrize("name", ["flat.nii.gz", "flat.nrrd", "flat.mha"])
@pytest.mark.parametrize("shape", [(5, 6), (1, 5, 6), (3, 4, 5, 6)])
def test_other_dimensions(name, shape, tmp_path):
    array = np.random.default_rng(3).integers(-900, 900, shape).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=False), str(tmp_path / name))
    with pytest.raises(UserError, match=r"no 3-D image|several volumes"):
        read_volume(tmp_path / name, Modality.CT)


def test_colour_image(tmp_path):
    array = np.zeros((4, 5, 6, 3), np.uint8)
    for name in ("rgb.nii.gz", "rgb.nrrd", "rgb.mha"):
        sitk.WriteImage(sitk.GetImageFromArray(array, isVector=True), str(tmp_path / name))
        with pytest.raises(UserError, match=r"several v|colour"):
            read_volume(tmp_path / name, Modality.OTHER)


def test_huge_claims_are_refused_before_memory_is_taken(tmp_path, whole):
    data = bytearray((whole / "ct.nii").read_bytes())
    data[42:48] = np.array([32767, 32767, 32767], "<i2").tobytes()
    (tmp_path / "huge.nii").write_bytes(bytes(data))
    with pytest.raises(UserError, match="claims"):
        read_volume(tmp_path / "huge.nii", Modality.CT)
    head = "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 40000 40000 40000\n"
    head += "space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nencoding: raw\nendian: little\n\n"
    (tmp_path / "huge.nrrd").write_bytes(head.encode())
    with pytest.raises(UserError, match="claims"):
        read_volume(tmp_path / "huge.nrrd", Modality.CT)


@pytest.mark.parametrize("target", ["/etc/hostname", "../other.raw", "LIST", "slice%03d.raw 1 3 1"])
def test_headers_may_not_point_elsewhere(target, tmp_path):
    (tmp_path / "other.raw").write_bytes(bytes(1000))
    folder = tmp_path / "in"
    folder.mkdir()
    meta = "ObjectType = Image\nNDims = 3\nDimSize = 5 5 5\nElementType = MET_SHORT\nElementSpacing = 1 1 1\n"
    (folder / "x.mhd").write_text(f"{meta}ElementDataFile = {target}\n")
    nrrd = "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 5 5 5\nencoding: raw\n"
    nrrd += "space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nendian: little\n"
    (folder / "x.nhdr").write_text(f"{nrrd}data file: {target}\n")
    for name in ("x.mhd", "x.nhdr"):
        with pytest.raises(UserError, match="elsewhere"):
            read_volume(folder / name, Modality.CT)


def test_nothing_of_itk_reaches_the_terminal(tmp_path, whole):
    for name in NAMES:
        data = (whole / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
    code = (
        "import sys; from pathlib import Path\n"
        "from OVFRiskLib.errors import UserError; from OVFRiskLib.files.read_images import read_volume\n"
        "for name in sys.argv[1:]:\n"
        "    try: read_volume(Path(name), 'CT')\n"
        "    except UserError: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *(str(tmp_path / name) for name in NAMES)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == b""
    assert done.stderr == b""


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_empty_image(value, write_image):
    path, _ = write_image("empty.nii.gz", np.full((4, 5, 6), value, np.float32))
    with pytest.raises(UserError, match=r"single value|no numbers"):
        read_volume(path, Modality.OTHER)


def test_a_few_nans_stay(write_image, ct_array):
    array = ct_array.astype(np.float32)
    array[0, 0, 0] = np.nan
    path, _ = write_image("ct.nii.gz", array)
    assert np.isnan(read_volume(path, Modality.CT).array[0, 0, 0])


@pytest.mark.parametrize("modality", [Modality.T1, Modality.T2, Modality.STIR])
@pytest.mark.parametrize("name", ["ct_abdomen_3mm/ct", "ct_contrast_5mm/ct", "ct_l3_subregions/sub-ct_label-22_ct"])
def test_ct_given_as_mri(name, modality, shared_data):
    with pytest.raises(UserError, match=f"given as {modality}"):
        read_volume(shared_data / f"{name}.nii.gz", modality)


@pytest.mark.parametrize(
    "name", ["mr_pair_t1_t2/t1", "mr_pair_t1_stir/stir", "mr_lumbar_t2/t2", "mr_lumbar_t2_bodies/t2"]
)
def test_mri_given_as_ct(name, shared_data):
    with pytest.raises(UserError, match="no CT in Hounsfield units"):
        read_volume(shared_data / f"{name}.nii.gz", Modality.CT)


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("ct_abdomen_3mm/ct", Modality.CT), ("ct_contrast_5mm/ct", Modality.CT),
        ("ct_l2_calibrated/sub-verse004_0000_vertebra_21_im", Modality.CT),
        ("ct_l3_subregions/sub-ct_label-22_ct", Modality.CT), ("mr_vertebra_t2/sub-mri_label-6_T2w", Modality.T2),
        ("mr_pair_t1_t2/t1", Modality.T1), ("mr_pair_t1_t2/t2", Modality.T2), ("mr_pair_t1_stir/stir", Modality.STIR),
    ],
)  # fmt: skip
def test_real_images_are_what_they_are(name, modality, shared_data):
    assert read_volume(shared_data / f"{name}.nii.gz", modality).modality is modality


def test_modality_by_its_name_is_checked_too(shared_data):
    with pytest.raises(UserError, match="no CT in Hounsfield units"):
        read_volume(shared_data / "mr_pair_t1_t2" / "t1.nii.gz", "CT")


def test_normalised_ct(write_image, ct_array):
    path, _ = write_image("ct.nii.gz", (ct_array / 700).astype(np.float32))
    with pytest.raises(UserError, match="windowed or normalised"):
        read_volume(path, Modality.CT)


@pytest.mark.parametrize(
    ("modality", "times", "wrong"),
    [
        (Modality.T1, {"EchoTime": "9", "RepetitionTime": "550"}, None),
        (Modality.T1, {"EchoTime": "8", "RepetitionTime": "2000", "InversionTime": "860"}, None),
        (Modality.T1, {"EchoTime": "110", "RepetitionTime": "3500"}, "T2-weighted"),
        (Modality.T1, {"EchoTime": "35", "RepetitionTime": "4000", "InversionTime": "160"}, "STIR"),
        (Modality.T2, {"EchoTime": "110", "RepetitionTime": "3500"}, None),
        (Modality.T2, {"EchoTime": "9", "RepetitionTime": "550"}, "T1-weighted"),
        (Modality.T2, {"EchoTime": "60", "RepetitionTime": "4000", "InversionTime": "220"}, "STIR"),
        (Modality.STIR, {"EchoTime": "60", "RepetitionTime": "4000", "InversionTime": "220"}, None),
        (Modality.STIR, {"EchoTime": "60", "RepetitionTime": "4000"}, None),
        (Modality.STIR, {"EchoTime": "100", "RepetitionTime": "9000", "InversionTime": "2500"}, "does not null fat"),
        (Modality.T1, {}, None),
        (Modality.T2, {"EchoTime": "odd"}, None),
    ],
)
def test_weighting(modality, times, wrong):
    if wrong is None:
        check_weighting(times, modality, "x")
    else:
        with pytest.raises(UserError, match=wrong):
            check_weighting(times, modality, "x")
