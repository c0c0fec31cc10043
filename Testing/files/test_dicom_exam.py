"""A hospital's folder as an exam: every series found, none mistaken, nothing personal kept."""

import os
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.files import dicom
from OVFRiskLib.files.dicom_exam import Exam, read_exam, read_series
from OVFRiskLib.files.dicom_words import WORDS, words_in
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.image import Modality
from OVFRiskLib.vbq.comparability import acquisition_facts, same_setting
from OVFRiskLib.vbq.sequence_choice import propose_exam
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

CT, MR, ENHANCED_MR = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("2", "4", "4.1"))
ROWS, COLUMNS, COUNT = 40, 24, 9
SAGITTAL, AXIAL, CORONAL = [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1]
SCANNER = {
    "Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "Signa HDxt", "MagneticFieldStrength": "1.5",
    "StudyInstanceUID": "1.2.840.99.7", "PatientName": "Muster^Erika", "PatientID": "4711",
}  # fmt: skip


def pixels(n: int) -> np.ndarray:
    j, i = np.indices((ROWS, COLUMNS))
    return (100 + 3 * i + 5 * j + 17 * n).astype(np.int16)


def save_image(path: Path, number: int, n: int, orientation: list[int], **changes: object) -> None:
    """One slice: the n-th along the normal, 5 mm apart, pixels of 6 mm (240 mm from head to foot)."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = MR, pydicom.uid.generate_uid(), "MR"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "NORM"]
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber = f"1.2.840.99.7.{number}", number, n + 1
    normal = np.cross(orientation[:3], orientation[3:])
    ds.ImagePositionPatient = [float(v) for v in np.array([-20.0, -60.0, 120.0]) + 5.0 * n * normal]
    ds.ImageOrientationPatient, ds.PixelSpacing, ds.SliceThickness = orientation, [6.0, 6.0], "4"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns, ds.PixelData = ROWS, COLUMNS, pixels(n).tobytes()
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.ScanningSequence = "SE"
    for key, value in (SCANNER | changes).items():
        setattr(ds, key, value)
    block = ds.private_block(0x0019, "GEMS_ACQU_01", create=True)
    block.add_new(0x8A, "SS", 13)
    block.add_new(0x8B, "SS", 15)
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)


def save_series(folder: Path, number: int, orientation: list[int], count: int = COUNT, **changes: object) -> None:
    for n in range(count):
        save_image(folder / f"S{number}" / f"IM{n:04d}", number, n, orientation, **changes)


def times(tr: float, te: float, ti: float | None = None) -> dict:
    facts = {"RepetitionTime": str(tr), "EchoTime": str(te)}
    return facts | ({"InversionTime": str(ti), "ScanningSequence": ["SE", "IR"]} if ti else {})


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A lumbar exam as a CD holds it, with names typed where they do not belong."""
    root = tmp_path_factory.mktemp("cd")
    images = root / "DICOM" / "PA000000"
    for n, plane in enumerate((SAGITTAL, AXIAL, CORONAL)):
        save_image(images / "S1" / f"IM{n}", 1, n, plane, SeriesDescription="3-plane loc", **times(500, 10))
    save_series(images, 2, SAGITTAL, SeriesDescription="T1 sag Fr. Muster", ProtocolName="Erika LWS", **times(520, 11))
    save_series(images, 3, SAGITTAL, SeriesDescription="t2_tse_sag", **times(3500, 100))
    save_series(images, 4, SAGITTAL, SeriesDescription="t2_tirm_sag", **times(3800, 48, 160))
    save_series(images, 5, SAGITTAL, SeriesDescription="T2 fs sag", ScanOptions="FS", **times(3500, 95))
    save_series(images, 6, AXIAL, SeriesDescription="t2_tse_tra", **times(4000, 105))
    save_series(images, 7, SAGITTAL, SeriesDescription="T1 sag KM", ContrastBolusAgent="Muster 15", **times(540, 11))
    ct = {"Modality": "CT", "SOPClassUID": CT, "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "ScanningSequence": None}
    save_series(
        root / "CT", 2, AXIAL, SeriesInstanceUID="1.2.840.98.1", RescaleIntercept="-1024", RescaleSlope="1", **ct
    )
    (images / "README.TXT").write_text("no image")
    (root / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(60))
    return root


@pytest.fixture(scope="module")
def exam(folder) -> Exam:
    return read_exam(folder)


def test_all_series_are_found(exam):
    found = {one.key: (one.modality, one.facts.plane, one.facts.slices, one.facts.problem) for one in exam.series}
    assert found == {
        "series 1": ("MR", "sagittal", 1, "slices in several directions"),
        "series 2 (1)": ("CT", "axial", COUNT, ""),
        "series 2 (2)": ("MR", "sagittal", COUNT, ""),
        "series 3": ("MR", "sagittal", COUNT, ""),
        "series 4": ("MR", "sagittal", COUNT, ""),
        "series 5": ("MR", "sagittal", COUNT, ""),
        "series 6": ("MR", "axial", COUNT, ""),
        "series 7": ("MR", "sagittal", COUNT, ""),
    }


def test_geometry_of_a_series(exam):
    facts = exam.named("series 3").facts
    assert np.allclose(np.abs(facts.normal), (1, 0, 0))
    assert facts.spacing_mm == (6.0, 6.0, 5.0)
    assert facts.span_mm == (120 - 6 * (ROWS - 1), 120)


def test_t1_t2_and_stir_are_proposed(exam):
    choices = propose_exam(exam.candidates)
    assert {sequence: choice.key for sequence, choice in choices.items()} == {
        Modality.T1: "series 2 (2)", Modality.T2: "series 3", Modality.STIR: "series 4"
    }  # fmt: skip
    assert "not series 7: with contrast agent" in choices[Modality.T1].reason
    assert "series 6 is left out: axial slices" in choices[Modality.T2].reason
    assert choices[Modality.T1].doubts == ()


def test_chosen_series_are_read(exam):
    volume = read_series(exam, "series 4", Modality.STIR)
    assert volume.array.shape == (COUNT, ROWS, COLUMNS)
    assert np.array_equal(np.sort(volume.array[:, 0, 0]), 100 + 17 * np.arange(COUNT))
    assert acquisition_facts(volume)["inversion_time"] == "160 ms"
    assert same_setting(read_series(exam, "3", Modality.T2), volume) == ()


def test_reading_one_series_of_the_folder_gives_the_same(exam, folder):
    theirs = read_volume(folder / "DICOM" / "PA000000" / "S3", Modality.T2)
    ours = read_series(exam, "series 3", Modality.T2)
    assert ours.hash == theirs.hash
    assert dict(ours.acquisition) == dict(theirs.acquisition)


def test_nothing_typed_is_kept(exam):
    volume = read_series(exam, "series 2 (2)", Modality.T1)
    for text in (repr(exam), repr(exam.candidates), str(dict(volume.acquisition)), volume.name):
        assert "uster" not in text.lower()
        assert "erika" not in text.lower()
        assert "4711" not in text
        assert SCANNER["StudyInstanceUID"] not in text
    assert volume.acquisition["DescriptionWords"] == "LUMBAR\\SAG\\T1"


def test_sessions_and_gains_are_compared(exam, tmp_path):
    other = {"StudyInstanceUID": "1.2.840.99.8"}
    save_series(tmp_path, 4, SAGITTAL, **times(3800, 48, 160), **other)
    stir = read_series(read_exam(tmp_path), "4", Modality.STIR)
    t2 = read_series(exam, "3", Modality.T2)
    assert t2.acquisition["ReceiverGain"] == "13/15"
    (warning,) = same_setting(t2, stir)
    assert "different sessions" in warning


def test_user_may_override_but_not_against_the_header(exam):
    assert read_series(exam, "series 7", Modality.T1).acquisition["ContrastBolusAgent"] == "stated"
    with pytest.raises(UserError, match="T2-weighted"):
        read_series(exam, "series 3", Modality.T1)
    with pytest.raises(UserError, match="is CT, not MR"):
        read_series(exam, "series 2 (1)", Modality.T1)
    with pytest.raises(UserError, match="differ in direction"):
        read_series(exam, "series 1", Modality.T1)


def test_series_are_named_clearly(exam):
    with pytest.raises(UserError, match="'2' names 2 series"):
        exam.named("2")
    with pytest.raises(UserError, match="no series"):
        exam.named("series 99")


def test_damaged_file_does_not_hide_the_others(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder / "DICOM" / "PA000000" / "S3", copy / "S3")
    victim = copy / "S3" / "IM0008"
    victim.write_bytes(victim.read_bytes()[:300])
    exam = read_exam(copy)
    assert "IM0008" in exam.damaged[0]
    volume = read_series(exam, "3", Modality.T2)
    assert volume.array.shape[0] == COUNT - 1
    assert volume.corrections == ("1 damaged files of the folder were left out.",)
    victim = copy / "S3" / "IM0004"
    victim.write_bytes(victim.read_bytes()[:300])
    with pytest.raises(UserError, match="1 slice is missing"):
        read_series(read_exam(copy), "3", Modality.T2)


@pytest.mark.parametrize("length", range(200, 900, 50))
def test_cut_file_is_never_passed_over(length, folder, tmp_path):
    """Wherever a transfer broke off: the file is told as damaged, or is whole enough to take its place."""
    shutil.copytree(folder / "DICOM" / "PA000000" / "S3", tmp_path / "S3")
    victim = tmp_path / "S3" / "IM0008"
    victim.write_bytes(victim.read_bytes()[:length])
    exam = read_exam(tmp_path)
    assert len(exam.damaged) == 1 or exam.series[0].facts.slices == COUNT


def test_only_damaged_files(folder, tmp_path):
    (tmp_path / "a").write_bytes((folder / "DICOM" / "PA000000" / "S3" / "IM0000").read_bytes()[:300])
    with pytest.raises(UserError, match="no DICOM image that can be read"):
        read_exam(tmp_path)


def test_folder_without_dicom(tmp_path):
    with pytest.raises(UserError, match="no DICOM images"):
        read_exam(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        read_exam(tmp_path / "missing")


def test_huge_folder_and_pipes(folder, tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    save_series(tmp_path, 3, SAGITTAL, **times(3500, 100))
    assert len(read_exam(tmp_path).series) == 1  # opening the pipe would wait for ever
    monkeypatch.setattr(dicom, "_MAX_ENTRIES", 20)
    with pytest.raises(UserError, match="more than 20 files"):
        read_exam(folder)


def test_several_echoes_at_one_place(tmp_path):
    for echo in (20, 90):
        for n in range(4):
            later = (pixels(n) - echo).tobytes()
            save_image(tmp_path / f"{echo}_{n}", 3, n, SAGITTAL, **times(3500, echo), PixelData=later)
    exam = read_exam(tmp_path)
    assert "several images at one place" in exam.series[0].facts.problem
    assert propose_exam(exam.candidates)[Modality.T2].key is None
    with pytest.raises(UserError, match="one position"):
        read_series(exam, "3", Modality.T2)


def test_series_without_uids_are_told_apart_by_number(tmp_path):
    for number, facts in ((2, times(520, 11)), (3, times(3500, 100))):
        save_series(tmp_path, number, SAGITTAL, SeriesInstanceUID="", **facts)
    choices = propose_exam(read_exam(tmp_path).candidates)
    assert (choices[Modality.T1].key, choices[Modality.T2].key) == ("series 2", "series 3")


def item(**values: object) -> Sequence:
    ds = Dataset()
    for key, value in values.items():
        setattr(ds, key, value)
    return Sequence([ds])


@pytest.mark.parametrize(("suppression", "expected"), [("NONE", "series 6"), ("FAT", None)])
def test_enhanced_multi_frame(suppression, expected, tmp_path):
    """Times, kind of echo and fat suppression stand in functional groups; a workstation's name is not the scanner's."""
    save_image(tmp_path / "multi", 6, 0, SAGITTAL, SOPClassUID=ENHANCED_MR)
    ds = pydicom.dcmread(tmp_path / "multi")
    for key in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "ScanningSequence",
        "SliceThickness",
    ):
        delattr(ds, key)
    ds.Manufacturer, ds.NumberOfFrames = "", COUNT
    ds.ContributingEquipmentSequence = item(Manufacturer="Anonymiser Ltd")
    ds.PixelData = np.stack([pixels(n) for n in range(COUNT)]).tobytes()
    ds.EchoPulseSequence, ds.AcquisitionContrast = "SPIN", "T2"
    ds.SharedFunctionalGroupsSequence = item(
        PlaneOrientationSequence=item(ImageOrientationPatient=SAGITTAL),
        PixelMeasuresSequence=item(PixelSpacing=[6.0, 6.0], SliceThickness="4"),
        MRTimingAndRelatedParametersSequence=item(RepetitionTime=3500.0, FlipAngle=90.0, RFEchoTrainLength=17),
        MRModifierSequence=item(InversionRecovery="NO", SpectrallySelectedSuppression=suppression),
    )
    frames = []
    for n in range(COUNT):
        place = item(ImagePositionPatient=[-20.0 + 5 * n, -60.0, 120.0])
        frames.append(item(PlanePositionSequence=place, MREchoSequence=item(EffectiveEchoTime=100.0))[0])
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    ds.save_as(tmp_path / "multi")
    exam = read_exam(tmp_path)
    facts = exam.series[0].facts
    assert (facts.plane, facts.slices, facts.problem) == ("sagittal", COUNT, "")
    assert "Manufacturer" not in facts.acquisition
    assert (facts.acquisition["EchoTime"], facts.acquisition["EchoTrainLength"]) == ("100.0", "17")
    choice = propose_exam(exam.candidates)[Modality.T2]
    assert choice.key == expected
    if expected:
        assert choice.doubts == ()
        assert read_series(exam, expected, Modality.T2).array.shape == (COUNT, ROWS, COLUMNS)


def test_real_ct_series(shared_data):
    exam = read_exam(shared_data / "ct_dicom_t11_t12" / "series")
    assert [(one.modality, one.facts.slices) for one in exam.series] == [("CT", 20)]
    assert exam.candidates == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t2_tse_sag_p2", "T2 SE SAG"),
        ("T2_TIRM_SAG", "T2 TIRM SAG"),
        ("SagT2FS", "SAG T2 FS"),
        ("T1 W/O CONTRAST", "T1 UNENHANCED"),
        ("T1 ohne KM", "T1 UNENHANCED"),
        ("T1 sag +C", "T1 SAG CONTRAST"),
        ("T1 with and without contrast", "T1"),
        ("T2 no FS", "T2"),
        ("T2 fat sat", "T2 FS"),
        ("t2_tse_dixon_sag_W", "T2 SE DIXON SAG WATER"),
        ("T2*", "T2STAR"),
        ("Sager, Corinna; Axel Trasek; Fisher", ""),  # names that begin like words
        ("x" * 10_000 + " T1", ""),
    ],
)
def test_words(text, expected):
    assert words_in(text) == set(expected.split())
    assert words_in(text) <= WORDS
