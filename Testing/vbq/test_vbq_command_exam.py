"""`ovfrisk vbq --exam`: the sequences of a hospital's folder are proposed, named by the user, or left out."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from OVFRiskLib.files.segmentation_file import write_segmentation
from OVFRiskLib.files.tables import read_measurements
from OVFRiskLib.image import Modality, Volume
from pydicom.dataset import Dataset, FileMetaDataset

TIMES = {
    Modality.T1: {"RepetitionTime": "520", "EchoTime": "11"},
    Modality.T2: {"RepetitionTime": "3500", "EchoTime": "100"},
    Modality.STIR: {"RepetitionTime": "3800", "EchoTime": "48", "InversionTime": "160"},
}


def save_series(folder: Path, volume: Volume, number: int, **facts: object) -> None:
    """Write a sequence as a sagittal DICOM series."""
    grid = volume.reoriented("PIR")
    for n, pixels in enumerate(grid.array):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", f"1.2.840.99.{number}.{n + 1}"
        ds.Modality, ds.ImageType, ds.ScanningSequence = "MR", ["ORIGINAL", "PRIMARY", "M"], "SE"
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.840.99.7", f"1.2.840.99.{number}"
        ds.SeriesNumber, ds.InstanceNumber, ds.MagneticFieldStrength = number, n + 1, "1.5"
        ds.ImageOrientationPatient, ds.PixelSpacing = [0, 1, 0, 0, 0, -1], [float(v) for v in grid.spacing[[1, 0]]]
        ds.ImagePositionPatient = [float(v) for v in grid.to_ras((0, 0, n)) * (-1, -1, 1)]
        ds.SliceThickness, ds.SamplesPerPixel, ds.PhotometricInterpretation = "4", 1, "MONOCHROME2"
        ds.Rows, ds.Columns = pixels.shape
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.PixelData = np.ascontiguousarray(np.rint(pixels), dtype=np.int16).tobytes()
        for key, value in facts.items():
            setattr(ds, key, value)
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.save_as(folder / f"{number}-{n}.dcm", enforce_file_format=True)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The folder of the module's exam, made by the first test."""
    return tmp_path_factory.mktemp("dicom")


@pytest.fixture
def folder(exam, shown):
    """T1 once, T2 twice alike, STIR once; as a hospital stores them. Label map of the bodies beside it."""
    volumes, bodies = exam()
    if not any(shown.iterdir()):
        (shown / "exam").mkdir()
        write_segmentation(shown / "bodies.seg.nrrd", bodies)  # its names need no scheme
        for number, sequence in ((2, Modality.T1), (3, Modality.T2), (4, Modality.T2), (5, Modality.STIR)):
            kind = {"ScanningSequence": ["SE", "IR"]} if sequence is Modality.STIR else {}
            save_series(shown / "exam", volumes[sequence], number, **TIMES[sequence], **kind)
    return shown


@pytest.fixture
def vbq(ovfrisk):
    """The command on an exam: `vbq(OUT, FOLDER, …)`."""

    def run(out: Path, folder: Path, *more: str) -> SimpleNamespace:
        return ovfrisk("vbq", out, "--exam", folder / "exam", "--bodies", folder / "bodies.seg.nrrd", *more)

    return run


def test_series_that_are_alike_are_the_users_to_choose(vbq, folder, tmp_path):
    done = vbq(tmp_path / "o", folder)
    assert done.returncode == 2
    assert "Which series is T2 is not clear" in done.stderr
    assert 'e.g. --t2 "series 3"; --t2 none leaves it out' in done.stderr


@pytest.mark.parametrize("name", ["4", "series 4"])
def test_a_named_series_and_the_proposed_ones_are_measured(vbq, name, folder, truth, tmp_path):
    done = vbq(tmp_path / "o", folder, "--t2", name, "--stir", "none")
    assert done.returncode == 0, done.stderr
    table = read_measurements(tmp_path / "o" / "measurements.csv")
    for sequence in (Modality.T1, Modality.T2):
        assert table.value(name=f"vbq_{sequence.lower()}") == pytest.approx(truth(sequence), rel=0.01)
    run = json.loads((tmp_path / "o" / "run.json").read_text("utf-8"))
    assert {s: choice["series"] for s, choice in run["exam"].items()} == {
        "T1": "series 2", "T2": "series 4", "STIR": None,
    }  # fmt: skip
    assert run["images"]["T1"]["facts"]["field_strength"] == "1.5 T"
    assert run["images"]["T2"]["facts"]["echo_time"] == "100 ms"
    assert "named by the user" in done.printed
    assert "left out, as was asked for" in done.printed


def test_a_series_that_is_not_there_is_told(vbq, folder, tmp_path):
    done = vbq(tmp_path / "o", folder, "--t2", "9")
    assert done.returncode == 2
    assert "'9' names no series" in done.stderr
