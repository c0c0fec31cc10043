"""The mid-sagittal slice is found from the images alone, wherever it lies in the stack."""

import numpy as np
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import Modality, Volume
from OVFRiskLib.phantom import PhantomSettings, make_patient
from OVFRiskLib.vbq.midsagittal import midsagittal_plane
from OVFRiskLib.vbq.regions import RegionSettings
from OVFRiskLib.vbq.sections import find_sections

T1, T2, STIR = Modality.T1, Modality.T2, Modality.STIR


@pytest.fixture(scope="module")
def patient():
    return make_patient(PhantomSettings(1, spacing=5.0))


def part(volume: Volume, left: int, right: int) -> Volume:
    """The volume without its outer slices on the left and on the right."""
    volume = volume.reoriented("RAS")
    nk, nj, ni = volume.array.shape
    return volume.cropped((slice(0, nk), slice(0, nj), slice(left, ni - right)))


def aside(plane, patient) -> float:
    return abs(plane.origin[0] - patient.frames[VertebralLevel.L3].origin[0])


@pytest.mark.parametrize("cut", [(0, 0), (3, 0), (0, 4)])
@pytest.mark.parametrize("sequences", [(T1,), (T2,), (STIR,), (T1, T2, STIR)])
def test_phantom_is_found_to_half_a_slice(patient, cut, sequences):
    images = {T1: patient.t1, T2: patient.t2, STIR: patient.stir}
    found = midsagittal_plane({s: part(images[s], *cut) for s in sequences})
    assert aside(found.plane, patient) <= 2.1
    assert found.doubt == ""
    np.testing.assert_allclose(found.plane.normal, (1, 0, 0), atol=1e-6)


def test_sequences_on_grids_of_their_own(patient):
    found = midsagittal_plane({T1: part(patient.t1, 2, 0), T2: part(patient.t2, 0, 3)})
    assert aside(found.plane, patient) <= 2.1


def bent(volume: Volume, mm: float) -> Volume:
    """The volume with its rows shifted sideways by whole slices, up to `mm` at the upper and at the lower end."""
    volume = volume.reoriented("RAS")
    array = volume.array.copy()
    for row, share in zip(array, np.linspace(-1, 1, len(array)), strict=True):
        row[:] = np.roll(row, round(share * mm / volume.spacing[0]), axis=1)
    return Volume(array, volume.ijk_to_ras, volume.modality)


def test_a_spine_that_leans_raises_a_doubt(patient):
    assert midsagittal_plane({T1: bent(patient.t1, 12.0), T2: bent(patient.t2, 12.0)}).doubt


def test_no_symmetry_gives_the_middle_slice_with_a_doubt(patient):
    noise = np.random.default_rng(0).random(patient.t1.array.shape)
    plane, reason, doubt = midsagittal_plane({T1: Volume(noise, patient.t1.ijk_to_ras, T1)})
    assert aside(plane, patient) <= 2.1  # the phantom lies in the middle
    assert "middle slice of T1" in reason
    assert "choose the slice yourself" in doubt


def test_no_stack_no_plane(patient):
    found = midsagittal_plane({T1: part(patient.t1, 8, 8)})
    assert found.plane is None
    assert "no stack" in found.reason


@pytest.mark.parametrize(
    ("folder", "mask", "file"), [("mr_pair_t1_t2", "t1_bodies", "t1"), ("mr_lumbar_t2_bodies", "t2_bodies", "t2")]
)
def test_real_backs_without_scoliosis(shared_data, folder, mask, file):
    volume = read_volume(shared_data / folder / f"{file}.nii.gz", Modality[file.upper()])
    bodies = read_labels(shared_data / folder / f"{mask}.nii.gz", "verse").reoriented("RAS")
    sections, _ = find_sections(bodies, VertebralLevel.span("L1-L4"), RegionSettings())
    plane = midsagittal_plane({Modality[file.upper()]: volume}).plane
    assert abs(plane.from_ras(np.array(sections[VertebralLevel.L3].plane.origin))[2]) <= 4
