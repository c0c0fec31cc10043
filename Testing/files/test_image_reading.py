"""Images come in with every voxel at its place, whatever the format, orientation and type."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.nifti import read_nifti
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.image import Modality

FORMATS = ("ct.nii", "ct.nii.gz", "ct.nrrd", "ct.mha", "ct.mhd", "ct.nhdr")


@pytest.mark.parametrize("name", FORMATS)
def test_voxel_keeps_its_place(name, directions, write_image, ct_array):
    path, matrix = write_image(name, ct_array, directions)
    volume = read_volume(path, Modality.CT)
    assert np.allclose(volume.ijk_to_ras, matrix, atol=1e-4)
    assert np.array_equal(volume.array, ct_array)
    k, j, i = np.unravel_index(np.argmax(volume.array), volume.array.shape)
    assert np.allclose(volume.to_ras([i, j, k]), matrix[:3, :3] @ [2, 5, 3] + matrix[:3, 3], atol=1e-3)
    assert volume.name == "ct"
    assert volume.corrections == ()


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("name", ["ct.nii.gz", "ct.nrrd", "ct.mha"])
def test_every_signed_type(name, kind, write_image, ct_array):
    array = np.clip(ct_array, -128, 127).astype(kind)
    path, _ = write_image(name, array)
    volume = read_volume(path, Modality.CT)
    assert volume.array.dtype == kind
    assert np.array_equal(volume.array, array)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "uint32"])
def test_every_unsigned_type(kind, write_image, ct_array):
    array = np.clip(ct_array, 0, 255).astype(kind)
    path, _ = write_image("t1.nii.gz", array)
    assert np.array_equal(read_volume(path, Modality.T1).array, array)


def test_real_images_agree_with_itk(shared_data):
    paths = sorted(shared_data.glob("*/*.nii.gz"))
    assert paths
    for path in paths:
        ours = read_nifti(path).squared(interpolate=True)
        theirs = sitk.ReadImage(str(path))
        assert np.array_equal(ours.array, sitk.GetArrayFromImage(theirs)), path
        place = np.array(theirs.TransformIndexToPhysicalPoint((3, 2, 1))) * (-1, -1, 1)
        assert np.allclose(ours.ijk_to_ras @ (3, 2, 1, 1), (*place, 1), atol=1e-4), path


def test_scale_factors_are_applied(tmp_path, ct_array):
    path = nifti1(tmp_path / "scaled.nii", ct_array, slope=0.5, inter=-10)
    assert np.allclose(read_volume(path, Modality.CT).array, ct_array * 0.5 - 10)


def test_big_endian(tmp_path, ct_array):
    path = nifti1(tmp_path / "big.nii", ct_array, order=">")
    volume = read_volume(path, Modality.CT)
    assert np.array_equal(volume.array, ct_array)
    assert volume.array.dtype.isnative


def test_units_of_metres(tmp_path, ct_array):
    path = nifti1(tmp_path / "metres.nii", ct_array, units=1, srow=np.diag([0.001, 0.002, 0.003, 1])[:3])
    assert np.allclose(read_volume(path, Modality.CT).spacing, (1, 2, 3))


def test_qform_alone_places_the_image(tmp_path, ct_array):
    turned = (0.0, 0.0, 1.0)  # half a turn about z: R and A swap their signs
    path = nifti1(tmp_path / "q.nii", ct_array, sform=0, qform=1, quatern=(*turned, 5, 6, 7), pixdim=(-1, 2, 3, 4))
    matrix = read_volume(path, Modality.CT).ijk_to_ras
    assert np.allclose(matrix, [[-2, 0, 0, 5], [0, -3, 0, 6], [0, 0, -4, 7], [0, 0, 0, 1]], atol=1e-6)


def test_contradicting_forms_are_told(tmp_path, ct_array):
    path = nifti1(tmp_path / "both.nii", ct_array, qform=1, quatern=(0, 0, 0, 40, 0, 0), pixdim=(1, 1, 1, 1))
    volume = read_volume(path, Modality.CT)
    assert np.allclose(volume.ijk_to_ras, np.eye(4))
    assert "40 mm" in volume.corrections[0]


def test_without_orientation_is_refused(tmp_path, ct_array):
    path = nifti1(tmp_path / "nowhere.nii", ct_array, sform=0)
    with pytest.raises(UserError, match="does not say how it lies"):
        read_volume(path, Modality.CT)


def test_nrrd_without_space_is_refused(tmp_path, ct_array):
    path = tmp_path / "bare.nrrd"
    head = f"NRRD0004\ntype: short\ndimension: 3\nsizes: {' '.join(map(str, ct_array.shape[::-1]))}\n"
    path.write_bytes((head + "endian: little\nencoding: raw\n\n").encode() + ct_array.tobytes())
    with pytest.raises(UserError, match="does not say how it lies"):
        read_volume(path, Modality.CT)


def test_rounding_of_the_axes_is_put_right(tmp_path, ct_array):
    srow = np.diag([1.0, 1.0, 1.0, 1.0])[:3]
    srow[0, 1] = 2e-3
    volume = read_volume(nifti1(tmp_path / "round.nii", ct_array, srow=srow), Modality.CT)
    directions = volume.ijk_to_ras[:3, :3] / volume.spacing
    assert np.allclose(directions.T @ directions, np.eye(3), atol=1e-9)
    assert np.array_equal(volume.array, ct_array)


def test_sheared_stack_is_untilted(tmp_path):
    """A ramp across a sheared grid keeps its value at every place of the patient."""
    srow = np.eye(4)[:3]
    srow[1, 2] = np.tan(np.radians(20))
    kji = np.indices((12, 30, 10))
    ras = np.tensordot(srow[:, :3], kji[::-1], axes=1)
    array = (20 * ras[1] + 7 * ras[2] - 150).astype(np.float32)
    volume = read_volume(nifti1(tmp_path / "tilt.nii", array, srow=srow), Modality.CT)
    assert "20.0°" in volume.corrections[0]
    directions = volume.ijk_to_ras[:3, :3] / volume.spacing
    assert np.allclose(directions.T @ directions, np.eye(3), atol=1e-9)
    place = volume.to_ras(np.indices(volume.array.shape)[::-1].reshape(3, -1).T)
    expected = 20 * place[:, 1] + 7 * place[:, 2] - 150
    inside = (place[:, 1] > np.tan(np.radians(20)) * place[:, 2] + 0.01) & (
        place[:, 1] < np.tan(np.radians(20)) * place[:, 2] + 28.99
    )
    assert inside.sum() > 0.6 * volume.array.size
    assert np.allclose(volume.array.ravel()[inside], expected[inside], atol=1e-3)


def test_hopelessly_skewed_grid_is_refused(tmp_path, ct_array):
    srow = np.array([[1, 0.5, 0.5, 0], [0, 1, 0.5, 0], [0, 0, 1, 0]], float)
    with pytest.raises(UserError, match="right angles"):
        read_volume(nifti1(tmp_path / "skew.nii", ct_array, srow=srow), Modality.CT)


def nifti1(
    path: Path, array: np.ndarray, *, order="<", slope=0.0, inter=0.0, units=2, sform=1, qform=0,
    quatern=(0,) * 6, pixdim=(1, 1, 1, 1), srow=None, dim=None,
) -> Path:  # fmt: skip
    """Write a NIfTI-1 file field by field, so that odd headers can be made."""
    codes = {"int16": 4, "float32": 16, "uint8": 2}
    dim = dim or (array.ndim, *array.shape[::-1])
    srow = np.eye(4)[:3] if srow is None else srow
    header = bytearray(352)

    def put(offset: int, form: str, *values) -> None:
        struct.pack_into(order + form, header, offset, *values)

    put(0, "i", 348)
    put(40, "8h", *dim, *(1,) * (8 - len(dim)))
    put(70, "hh", codes[array.dtype.name], array.dtype.itemsize * 8)
    put(76, "8f", *pixdim, *(1,) * (8 - len(pixdim)))
    put(108, "3f", 352, slope, inter)
    put(123, "B", units)
    put(252, "hh", qform, sform)
    put(256, "6f", *quatern)
    put(280, "12f", *np.asarray(srow, float).ravel())
    header[344:348] = b"n+1\0"
    data = bytes(header) + array.astype(array.dtype.newbyteorder(order)).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
