"""DICOM folders: the right series, every slice at its place, and a clear word where that cannot be."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.image import Modality
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

CT, MR, SECONDARY = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("2", "4", "7"))
ENHANCED_CT, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.4.1"
ROWS, COLUMNS, COUNT, THICKNESS = 32, 30, 10, 2.5
SPACING = (0.9, 0.8)  # between rows, between columns
ORIGIN = np.array([-12.0, -20.0, 400.0])  # LPS


def phantom(count: int = COUNT) -> np.ndarray:
    """HU that tell every voxel from its neighbours."""
    k, j, i = np.indices((count, ROWS, COLUMNS))
    return (-200 + 9 * i + 7 * j + 40 * k).astype(np.int16)


def image(values: np.ndarray, position: np.ndarray, number: int = 1, **changes: object) -> Dataset:
    """One CT image; `changes` overwrite attributes (None removes one)."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CT, pydicom.uid.generate_uid()
    ds.Modality, ds.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.PatientName, ds.PatientID, ds.SeriesDescription = "Secret^Name", "12345", "Secret description"
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber = "1.2.3.4", 3, number
    ds.KVP, ds.ConvolutionKernel, ds.SliceThickness = "120", "Br38f", "2.5"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [float(v) for v in position], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = list(SPACING)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = values.shape[-2:]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleSlope, ds.RescaleIntercept = "1", "-1024"
    ds.PixelData = (values.astype(np.int32) + 1024).astype(np.int16).tobytes()
    for key, value in changes.items():
        if value is None:
            delattr(ds, key)
        else:
            setattr(ds, key, value)
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    return ds


@pytest.fixture
def series(tmp_path: Path) -> Callable[..., Path]:
    """Write a series in random file order; `change(n, dataset)` may alter an image, or drop it by returning False."""

    def write(
        change: Callable = lambda _n, _ds: None, *, tag: str = "a", count: int = COUNT, **changes: object
    ) -> Path:
        folder = tmp_path / "dicom"
        folder.mkdir(exist_ok=True)
        names = np.random.default_rng(5).permutation(count)
        for n, values in enumerate(phantom(count)):
            ds = image(values, ORIGIN + np.array([0, 0, n * THICKNESS]), int(names[n]) + 1, **changes)
            if change(n, ds) is not False:
                save(ds, folder / f"{tag}{names[n]:03d}")
        return folder

    return write


def save(ds: Dataset, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values are written on purpose
        ds.save_as(path, enforce_file_format=True)


def expected_matrix() -> np.ndarray:
    lps = np.eye(4)
    lps[:3, :3], lps[:3, 3] = np.diag([SPACING[1], SPACING[0], THICKNESS]), ORIGIN
    return np.diag([-1, -1, 1, 1]) @ lps


def test_slices_are_ordered_by_position(series):
    volume = read_volume(series(), Modality.CT)
    assert np.array_equal(volume.array, phantom())
    assert np.allclose(volume.ijk_to_ras, expected_matrix())
    assert volume.array.dtype == np.int16
    assert volume.corrections == ()


def test_nothing_personal_is_kept(series):
    volume = read_volume(series(), Modality.CT)
    assert volume.name == "CT series"
    assert dict(volume.acquisition) == {
        "Modality": "CT", "KVP": "120", "ConvolutionKernel": "Br38f", "SliceThickness": "2.5"
    }  # fmt: skip
    assert "ecret" not in repr(volume)


def test_contrast_agent_is_known_but_not_its_text(series):
    volume = read_volume(series(ContrastBolusAgent="Secret 350"), Modality.CT)
    assert volume.acquisition["ContrastBolusAgent"] == "stated"
    assert "ContrastBolusAgent" not in read_volume(series(ContrastBolusAgent="NONE"), Modality.CT).acquisition


def test_real_series(shared_data):
    folder = shared_data / "ct_dicom_t11_t12" / "series"
    volume = read_volume(folder, Modality.CT)
    theirs = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    assert np.array_equal(volume.array, sitk.GetArrayFromImage(theirs))
    assert volume.orientation == "LPS"
    assert np.allclose(volume.to_ras([0, 0, 0]), np.array(theirs.GetOrigin()) * (-1, -1, 1))


def test_rescale_slice_by_slice(series):
    def rescale(n, ds):
        slope = 1 + n / 4
        ds.RescaleSlope, ds.RescaleIntercept = f"{slope}", "-300"
        ds.PixelData = np.rint((phantom()[n] + 300) / slope).astype(np.int16).tobytes()

    volume = read_volume(series(rescale), Modality.CT)
    assert np.abs(volume.array - phantom()).max() <= 2
    assert volume.array.dtype == np.float32


def test_unsigned_twelve_bits(series):
    def unsigned(_n, ds):
        ds.PixelRepresentation, ds.BitsStored, ds.HighBit = 0, 12, 11

    assert np.array_equal(read_volume(series(unsigned), Modality.CT).array, phantom())


def test_run_length_encoding(series):
    folder = series(lambda _n, ds: ds.compress(pydicom.uid.RLELossless))
    assert np.array_equal(read_volume(folder, Modality.CT).array, phantom())


@pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000", "JPEGLS"])
def test_lossless_compression(compressor, tmp_path):
    """GDCM writes what CT archives mostly hold; the values come back exactly."""
    folder = tmp_path / "compressed"
    folder.mkdir()
    for n, values in enumerate(phantom()):
        file = folder / f"{n}.dcm"
        sitk.WriteImage(
            sitk.GetImageFromArray(values[None] + 1024), str(file), True, imageIO="GDCMImageIO", compressor=compressor
        )
        ds = pydicom.dcmread(file)
        assert ds.file_meta.TransferSyntaxUID.is_compressed
        ds.Modality, ds.SeriesInstanceUID, ds.ImageType = "CT", "1.2.3.4", ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 2.0 * n], [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.RescaleSlope, ds.RescaleIntercept = [1, 1], "1", "-1024"
        save(ds, file)
    assert np.array_equal(read_volume(folder, Modality.CT).array, phantom())


def test_unknown_compression(series):
    folder = series()
    for file in folder.iterdir():
        ds = pydicom.dcmread(file)
        ds.file_meta.TransferSyntaxUID = pydicom.uid.HTJ2KLossless
        ds.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51" + bytes(60)])
        ds["PixelData"].is_undefined_length = True
        save(ds, file)
    with pytest.raises(UserError, match="High-Throughput JPEG 2000"):
        read_volume(folder, Modality.CT)


def test_missing_slice(series):
    with pytest.raises(UserError, match=r"1 slice is missing between S 407\.5 mm and S 412\.5 mm"):
        read_volume(series(lambda n, _ds: n != 4), Modality.CT)


def test_uneven_distance(series):
    def move(n, ds):
        if n >= 6:
            ds.ImagePositionPatient = [*ORIGIN[:2], 400 + n * THICKNESS + 1]

    with pytest.raises(UserError, match=r"distance of slices changes .* \(3\.50 mm, elsewhere 2\.50 mm\)"):
        read_volume(series(move), Modality.CT)


def test_rounded_positions_are_evened_and_told(series):
    def jitter(n, ds):
        ds.ImagePositionPatient = [*ORIGIN[:2], 400 + n * THICKNESS + (0.08 if n == 5 else 0)]

    volume = read_volume(series(jitter), Modality.CT)
    assert "0.08 mm from even distances" in volume.corrections[0]


def test_same_image_twice(series):
    folder = series()
    first = next(iter(sorted(folder.iterdir())))
    (folder / "copy").write_bytes(first.read_bytes())
    volume = read_volume(folder, Modality.CT)
    assert np.array_equal(volume.array, phantom())
    assert "1 images that the folder holds twice" in volume.corrections[0]


def test_different_images_at_one_position(series):
    folder = series()
    save(image(phantom()[3] + 50, ORIGIN + np.array([0, 0, 3 * THICKNESS]), 77), folder / "other")
    with pytest.raises(UserError, match="different images at one position"):
        read_volume(folder, Modality.CT)


@pytest.mark.parametrize("degrees", [-18.0, 7.0, 25.0])
def test_gantry_tilt(degrees, series):
    """A ramp across the tilted stack has its values at the right places afterwards."""
    slope = np.tan(np.radians(degrees))
    j, i = np.indices((ROWS, COLUMNS))

    def tilt(n, ds):
        ds.ImagePositionPatient = [float(v) for v in ORIGIN + np.array([0, slope * n * THICKNESS, n * THICKNESS])]
        y = j * SPACING[0] + slope * n * THICKNESS
        ds.PixelData = np.rint(1024 - 150 + 10 * y + 3 * i + 5 * n).astype(np.int16).tobytes()

    volume = read_volume(series(tilt), Modality.CT)
    assert f"{abs(degrees):.1f}°" in volume.corrections[0]
    directions = volume.ijk_to_ras[:3, :3] / volume.spacing
    assert np.allclose(directions.T @ directions, np.eye(3), atol=1e-9)
    lps = volume.to_ras(np.indices(volume.array.shape)[::-1].reshape(3, -1).T) * (-1, -1, 1) - ORIGIN
    n = lps[:, 2] / THICKNESS
    row = (lps[:, 1] - slope * lps[:, 2]) / SPACING[0]
    inside = (row >= 0) & (row <= ROWS - 1)
    value = -150 + 10 * lps[:, 1] + 3 * lps[:, 0] / SPACING[1] + 5 * n
    assert inside.sum() > 0.6 * phantom().size
    assert np.abs(volume.array.ravel()[inside] - value[inside]).max() < 1.6


def test_shifted_slice(series):
    def shift(n, ds):
        if n == 7:
            ds.ImagePositionPatient = [ORIGIN[0] + 9, *ORIGIN[1:2], ORIGIN[2] + n * THICKNESS]

    with pytest.raises(UserError, match=r"S 417\.5 mm is shifted sideways"):
        read_volume(series(shift), Modality.CT)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "direction"),
        ({"PixelSpacing": [0.9, 0.95]}, "pixel spacing"),
        ({"Rows": ROWS // 2, "PixelData": bytes(ROWS * COLUMNS)}, "size"),
    ],
)
def test_slices_that_differ(changes, what, series):
    def alter(n, ds):
        if n == 4:
            for key, value in changes.items():
                setattr(ds, key, value)

    with pytest.raises(UserError, match=f"differ in {what}"):
        read_volume(series(alter), Modality.CT)


def test_oblique_series(series):
    turn = np.radians(20)
    row, column = np.array([np.cos(turn), np.sin(turn), 0]), np.array([-np.sin(turn), np.cos(turn), 0])

    def oblique(_n, ds):
        ds.ImageOrientationPatient = [*row, *column]

    volume = read_volume(series(oblique), Modality.CT)
    lps = ORIGIN + 4 * SPACING[1] * row + 3 * SPACING[0] * column + (0, 0, 2 * THICKNESS)
    assert np.allclose(volume.to_ras([4, 3, 2]), lps * (-1, -1, 1))


def test_two_series_are_listed(series):
    series(tag="a")
    folder = series(tag="b", SeriesInstanceUID="1.2.3.5", SeriesNumber=8)
    with pytest.raises(UserError, match=r"2 series.*series 3: CT, 10 images of 30 x 32; series 8: CT") as caught:
        read_volume(folder, Modality.CT)
    assert "ecret" not in str(caught.value)
    assert read_volume(folder, Modality.CT, series="8").array.shape == (COUNT, ROWS, COLUMNS)
    assert read_volume(folder, Modality.CT, series="1.2.3.4").array.shape == (COUNT, ROWS, COLUMNS)
    with pytest.raises(UserError, match="no series '5'"):
        read_volume(folder, Modality.CT, series="5")


def test_localiser_and_other_modality_do_not_count(series):
    folder = series()
    scout = {"SeriesInstanceUID": "1.2.3.9", "SeriesNumber": 1, "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
    for n in range(4):
        save(image(phantom()[0], ORIGIN + np.array([0, 5 * n, 0]), n, **scout), folder / f"scout{n}")
    series(tag="mr", Modality="MR", SOPClassUID=MR, SeriesInstanceUID="1.2.3.6", SeriesNumber=5)
    (folder / "DICOMDIR").write_bytes(b"no image")
    (folder / "report.txt").write_text("no image")
    volume = read_volume(folder, Modality.CT)
    assert np.array_equal(volume.array, phantom())
    assert "series 1: CT localiser, 4 images" in volume.corrections[0]
    assert "series 5: MR, 10 images" in volume.corrections[0]


def test_localiser_within_the_series(series):
    folder = series()
    kind = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}
    save(image(phantom()[0], ORIGIN, 99, **kind), folder / "scout")
    volume = read_volume(folder, Modality.CT)
    assert np.array_equal(volume.array, phantom())
    assert "1 localiser" in volume.corrections[0]


def test_wrong_modality(series):
    folder = series(Modality="MR", SOPClassUID=MR)
    with pytest.raises(UserError, match="given as CT, but holds series 3: MR"):
        read_volume(folder, Modality.CT)


def test_ct_folder_given_as_t1(shared_data):
    with pytest.raises(UserError, match="given as T1, but holds"):
        read_volume(shared_data / "ct_dicom_t11_t12" / "series", Modality.T1)


def test_t2_given_as_t1(series):
    folder = series(Modality="MR", SOPClassUID=MR, EchoTime="105", RepetitionTime="3400", RescaleIntercept="0")
    with pytest.raises(UserError, match=r"T2-weighted \(TE 105 ms"):
        read_volume(folder, Modality.T1)
    volume = read_volume(folder, Modality.T2)
    assert volume.acquisition["EchoTime"] == "105"


def test_dual_energy_map_is_no_ct(series):
    with pytest.raises(UserError, match="not in HU"):
        read_volume(series(RescaleType="MGML"), Modality.CT)


def test_colour_capture(series):
    def colour(_n, ds):
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.PixelData = ds.PixelData * 3

    with pytest.raises(UserError, match="colour"):
        read_volume(series(colour), Modality.CT)


def test_pixels_cut_short(series):
    def cut(n, ds):
        if n == 2:
            ds.PixelData = ds.PixelData[:100]

    with pytest.raises(UserError, match="cannot be decoded"):
        read_volume(series(cut), Modality.CT)


def test_file_cut_short(series):
    folder = series()
    victim = sorted(folder.iterdir())[4]
    victim.write_bytes(victim.read_bytes()[:-500])
    with pytest.raises(UserError, match=victim.name):
        read_volume(folder, Modality.CT)


@pytest.mark.parametrize("length", [132, 140, 200, 400, 600])
def test_header_cut_short(length, series):
    folder = series()
    victim = sorted(folder.iterdir())[4]
    victim.write_bytes(victim.read_bytes()[:length])
    with pytest.raises(UserError):
        read_volume(folder, Modality.CT)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 0.999), noise=st.binary(min_size=1, max_size=6))
def test_damaged_bytes_end_in_an_image_or_a_message(place, noise, series):
    folder = series()
    victim = sorted(folder.iterdir())[4]
    data = bytearray(victim.read_bytes())
    header = len(data) - 2 * ROWS * COLUMNS
    start = 132 + int(place * (header - 132))
    data[start : start + len(noise)] = noise
    victim.write_bytes(bytes(data))
    try:
        volume = read_volume(folder, Modality.CT)
    except UserError:
        pass
    else:
        assert volume.array.ndim == 3


@pytest.mark.parametrize("key", ["ImagePositionPatient", "PixelSpacing", "RescaleSlope"])
def test_nonsense_in_the_header(key, series):
    def spoil(n, ds):
        if n == 3:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ds[key].value = ["nan"] if ds[key].VM == 1 else ["nan", *list(ds[key].value)[1:]]

    with pytest.raises(UserError, match="incomplete or damaged"):
        read_volume(series(spoil), Modality.CT)


def test_folder_without_images(tmp_path, write_image, ct_array):
    with pytest.raises(UserError, match="no DICOM images"):
        read_volume(tmp_path, Modality.CT)
    write_image("ct.nii.gz", ct_array)
    with pytest.raises(UserError, match="1 other image files"):
        read_volume(tmp_path, Modality.CT)


def test_single_slice_file(series):
    folder = series()
    with pytest.raises(UserError, match="no series of 3 or more slices"):
        read_volume(sorted(folder.iterdir())[0], Modality.CT)


def test_reports_and_captures_do_not_count(series):
    folder = series()
    report = image(phantom()[0], ORIGIN, SeriesInstanceUID="1.2.9", SeriesNumber=99, Modality="SR")
    for key in ("Rows", "Columns", "PixelData", "ImagePositionPatient"):
        delattr(report, key)
    save(report, folder / "report")
    shot = image(phantom()[0], ORIGIN, SOPClassUID=SECONDARY, SeriesInstanceUID="1.2.8", ImagePositionPatient=None)
    save(shot, folder / "shot")
    assert np.array_equal(read_volume(folder, Modality.CT).array, phantom())


@pytest.mark.parametrize("modality", [Modality.CT, Modality.T1])
def test_multi_frame(modality, tmp_path):
    """An enhanced object: places and rescaling per frame, the rest shared; frames in any order."""
    order = np.random.default_rng(7).permutation(COUNT)
    kind = {"CT": (ENHANCED_CT, "CT"), "T1": (ENHANCED_MR, "MR")}[modality]
    ds = image(phantom()[order], ORIGIN, SOPClassUID=kind[0], Modality=kind[1], NumberOfFrames=COUNT)
    for key in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"):
        delattr(ds, key)
    ds.PerFrameFunctionalGroupsSequence = Sequence()
    intercept = -1024 if modality is Modality.CT else 0
    for n in order:
        frame, place, rescale = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [float(v) for v in ORIGIN + np.array([0, 0, n * THICKNESS])]
        rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = "1", str(intercept), "HU"
        frame.PlanePositionSequence, frame.PixelValueTransformationSequence = Sequence([place]), Sequence([rescale])
        ds.PerFrameFunctionalGroupsSequence.append(frame)
    shared, plane, size, echo = Dataset(), Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient, size.PixelSpacing, echo.EffectiveEchoTime = [1, 0, 0, 0, 1, 0], list(SPACING), 9.5
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([plane]), Sequence([size])
    shared.MREchoSequence = Sequence([echo])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    save(ds, tmp_path / "multi.dcm")
    volume = read_volume(tmp_path / "multi.dcm", modality)
    assert np.array_equal(volume.array, phantom() + 1024 + intercept)
    assert np.allclose(volume.ijk_to_ras, expected_matrix())
    assert volume.acquisition["EchoTime"] == "9.5"


def test_no_uids_at_all(series):
    """Anonymisers empty them, as in the real series here."""

    def strip(_n, ds):
        ds.SeriesInstanceUID, ds.SeriesNumber = "", None

    assert np.array_equal(read_volume(series(strip), Modality.CT).array, phantom())
