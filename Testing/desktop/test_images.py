"""Which volume is what: proposed with its reason, never assumed, never against the user's choice."""

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality, Volume
from OVFRiskLib.mrml import add_volume
from OVFRiskLib.panels.images import Images, densities, subject_problem
from OVFRiskLib.panels.parameters import CalibrationChoice, PhaseChoice
from OVFRiskLib.scene.volumes import acquisition_of, keep_acquisition

SAGITTAL = np.array([[0, 0, 4.0, 0], [1.0, 0, 0, 0], [0, -1.0, 0, 0], [0, 0, 0, 1]])
T2 = {"RepetitionTime": "3500", "EchoTime": "110", "ScanningSequence": "SE"}


def add(session, name, low=0, facts=None):
    """Add a sagittal volume of 200 mm height, as a user's file would be loaded."""
    array = np.full((15, 200, 180), 100, dtype=np.int16)
    array[0, 0, 0] = low
    node = add_volume(session.scene, Volume(array, SAGITTAL, Modality.OTHER))
    node.SetName(name)
    node.RemoveAttribute("OVFRisk.Modality")
    if facts:
        keep_acquisition(node, facts)
    return node


@pytest.fixture
def images(session):
    return Images(session)


def test_a_ct_is_told_by_its_values_and_mr_by_header_or_name(session, images):
    ct, t2 = add(session, "scan 3", low=-1024), add(session, "series 5", facts=T2)
    stir = add(session, "sag STIR lumbar")
    images.propose()
    assert session.parameters.ct is ct
    assert "-1024" in images.reason(Modality.CT)
    assert session.parameters.t2 is t2
    assert "TR 3500 ms, TE 110 ms" in images.reason(Modality.T2)
    assert session.parameters.stir is stir
    assert session.parameters.t1 is None
    assert "no series is a sagittal T1" in images.reason(Modality.T1)


def test_what_is_alike_is_left_to_the_user(session, images):
    add(session, "CT a", low=-1024), add(session, "CT b", low=-1024)
    images.propose()
    assert session.parameters.ct is None
    assert "CT a and CT b could be the CT" in images.reason(Modality.CT)


def test_the_users_choice_stays_and_is_told(session, images):
    ours, other = add(session, "CT", low=-1024), add(session, "something")
    session.parameters.ct = other
    images.propose()
    assert session.parameters.ct is other
    assert images.reason(Modality.CT) == f"Your choice; proposed was: {ours.GetName()}"


def test_a_label_map_is_no_image(session, images):
    session.scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels T2")
    session.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty T2")
    images.propose()
    assert session.parameters.t2 is None


def test_headers_come_from_slicers_database_and_stay_on_the_node(session, shared_data):
    path = next((shared_data / "ct_dicom_t11_t12" / "series").iterdir())
    asked = []
    node = add(session, "unnamed", low=-1000)
    node.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    images = Images(session, lambda uid: asked.append(uid) or str(path))
    images.propose()
    assert asked == ["1.2.3"]
    assert acquisition_of(node)["Modality"] == "CT"
    assert float(acquisition_of(node)["KVP"]) > 60
    assert not {"PatientName", "PatientID", "PatientBirthDate"} & set(acquisition_of(node))
    assert images.reason(Modality.CT) == "stated by its header"


def test_a_broken_attribute_is_no_header(session):
    node = add(session, "x")
    for text in ("{", "[1]", '{"KVP": 120}'):
        node.SetAttribute("OVFRisk.Acquisition", text)
        assert acquisition_of(node) == {}


@pytest.mark.parametrize("text", ["", "P-017", "phantom-1", "CASE12", "2024_003", "abc123", "UKE-7"])
def test_codes_pass(text):
    assert not subject_problem(text)


@pytest.mark.parametrize("text", ["Doe^Jane", "Doe, Jane", "Jane Doe", "Müller", "maria schmidt 61"])
def test_names_are_warned_of(text):
    assert "looks like a name" in subject_problem(text)


def test_problems_are_told_before_measuring(session, images):
    chosen = session.parameters
    chosen.ct = chosen.t2 = add(session, "same", low=-1024)
    chosen.calibration, chosen.rods, chosen.age = CalibrationChoice.RODS, "a,b", 710.0
    text = " ".join(images.problems())
    assert "'same' is chosen twice" in text
    assert "densities of the rods" in text
    assert "710 years" in text
    assert densities("0, 50,100") == (0.0, 50.0, 100.0)


def test_what_is_known_of_the_ct_as_options(session, images):
    assert images.ct_options() == ()
    chosen = session.parameters
    chosen.phase, chosen.calibration, chosen.rods = PhaseChoice.PORTAL_VENOUS, CalibrationChoice.RODS, "0,50"
    assert images.ct_options() == ("--phase", "portal-venous", "--rods", "0,50")
    chosen.calibration = CalibrationChoice.INTERNAL
    assert images.ct_options()[-1] == "--internal-calibration"


def test_the_phase_needs_vessels(images):
    with pytest.raises(UserError, match="segmentation"):
        images.propose_phase()


def test_the_phase_is_proposed_and_not_set(session, images):
    """A CT of 20 HU with a labelled aorta of 300 and vena cava of 100 HU: early arterial, by the ratio of the two."""
    from OVFRiskLib.anatomy import Region, Structure
    from OVFRiskLib.image import LabelMap
    from OVFRiskLib.mrml import add_segmentation

    array, labels = np.full((60, 60, 60), 20, dtype=np.int16), np.zeros((60, 60, 60), dtype=np.int16)
    for value, (place, hu) in enumerate(((slice(5, 25), 300), (slice(35, 55), 100)), start=1):
        labels[:, place, 20:40] = value
        array[labels == value] = hu
    ct = Volume(array, np.eye(4), Modality.CT)
    node = add_volume(session.scene, ct)
    meanings = {1: Region(Structure.AORTA), 2: Region(Structure.INFERIOR_VENA_CAVA)}
    session.parameters.ct = node
    session.parameters.structures = add_segmentation(session.scene, LabelMap(labels, np.eye(4), meanings), node)
    assert images.propose_phase() is PhaseChoice.ARTERIAL
    assert session.parameters.phase is PhaseChoice.NOT_GIVEN
    assert "22%" in images.phase_hint  # (100 - 45) / (300 - 45)
