"""The panel Segmentation without Qt: real jobs on a coarse phantom and a real CT, cancelled and failing ones, too."""

import json
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import Modality
from OVFRiskLib.resources import resource
from OVFRiskLib.segmentation.agreement import dice

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk  # noqa: E402
from OVFRiskLib import mrml  # noqa: E402
from OVFRiskLib.panels import engines  # noqa: E402
from OVFRiskLib.panels.segmentation import SegmentationPanel  # noqa: E402
from OVFRiskLib.panels.view import MessageKind, RowState  # noqa: E402
from OVFRiskLib.scene.segments import add_beside, labels_of  # noqa: E402

T12, L1, L2, L3, L4 = VertebralLevel.span("T12-L4")
OFF = np.ones(3)  # mm; from the middle of a body to the click
CORTICAL, CANCELLOUS, BODY = Compartment.CORTICAL, Compartment.CANCELLOUS, Compartment.BODY


def click(panel, *points):
    for point in points:
        panel.seeding.ensure().AddControlPoint(vtk.vtkVector3d(*map(float, point)))


def everything(session):
    """Nodes of a scene with what they hold, and all choices."""
    found = []
    for n in range(session.scene.GetNumberOfNodes()):
        node = session.scene.GetNthNode(n)
        held = node.GetImageData() and node.GetImageData().GetMTime() if hasattr(node, "GetImageData") else None
        if node.IsA("vtkMRMLSegmentationNode"):
            segmentation = node.GetSegmentation()
            held = [
                (name, segmentation.GetSegment(name).GetName(), bytes(mrml._array(
                    segmentation.GetSegment(name).GetRepresentation("Binary labelmap")).data))
                for name in segmentation.GetSegmentIDs()
            ]  # fmt: skip
        if node.IsA("vtkMRMLMarkupsNode"):
            held = [node.GetNthControlPointLabel(i) for i in range(node.GetNumberOfControlPoints())]
        attributes = {name: node.GetAttribute(name) for name in node.GetAttributeNames() or ()}
        found.append((node.GetID(), node.GetName(), node.GetClassName(), attributes, held))
    return found


@pytest.fixture
def panel(phantom_session):
    return SegmentationPanel(phantom_session)


@pytest.fixture
def clicked(panel, phantom):
    """Three clicks 2 mm off the middles of the bodies."""
    click(panel, *(phantom.frames[level].origin + OFF for level in (L1, L2, L3)))
    return panel


def test_a_segmentation_of_the_readers_own_is_kept_and_that_is_said(clicked, phantom, phantom_session):
    own = add_beside(phantom_session.scene, phantom.labels, phantom_session.parameters.ct, "Mine")
    phantom_session.parameters.segmentation = own
    other = add_beside(phantom_session.scene, phantom.labels, phantom_session.parameters.ct, "New")
    (told,) = clicked._told_of_earlier(own, other)
    assert "'Mine'" in told
    assert phantom_session.scene.IsNodePresent(own)


def _running(panel, session, seconds=20):
    """Start the job and wait until it works."""
    panel.apply()
    end = time.monotonic() + seconds
    while session.job.share == 0 and time.monotonic() < end:
        session.poll()
        time.sleep(0.02)
    assert session.job.text, "the job never told what it does"


def _alive(folder):
    """Processes whose command names a folder."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(path.read_bytes().decode("utf-8", "replace"))
        except OSError:
            continue
    return [command for command in commands if str(folder) in command]


def test_cancel_in_mid_run_leaves_the_scene_as_it_was(clicked, phantom, phantom_session):
    chosen = phantom_session.parameters
    chosen.segmentation = add_beside(phantom_session.scene, phantom.labels, chosen.ct, "Mine")
    before = everything(phantom_session)
    _running(clicked, phantom_session)
    folder = phantom_session.job.folder
    assert _alive(folder)
    phantom_session.cancel()
    assert everything(phantom_session) == before
    assert not _alive(folder)
    assert not folder.exists()
    assert "was cancelled" in phantom_session.message.what
    assert clicked.problem == ""


def test_closing_the_scene_in_mid_run_does_no_harm(clicked, phantom_session):
    _running(clicked, phantom_session)
    folder = phantom_session.job.folder
    clicked.close()
    phantom_session.close()
    phantom_session.scene.Clear(False)
    phantom_session.poll()
    assert phantom_session.job is None
    assert not _alive(folder)
    assert not folder.exists()
    assert phantom_session.scene.GetFirstNodeByClass("vtkMRMLSegmentationNode") is None


def test_a_ct_that_goes_in_mid_run_gives_a_message_and_no_segmentation(clicked, phantom_session, tmp_path):
    target = clicked._target()
    phantom_session.scene.RemoveNode(phantom_session.parameters.ct)
    with pytest.raises(UserError, match="no longer in the scene"):
        clicked._take(tmp_path, target)
    assert phantom_session.scene.GetFirstNodeByClass("vtkMRMLSegmentationNode") is None


def test_a_failing_job_gives_its_message_and_changes_nothing(clicked, phantom_session, run_job):
    clicked.seeding.node.SetNthControlPointPosition(2, 5000, 0, -5000)
    before = everything(phantom_session)
    clicked.apply()
    run_job(phantom_session)
    assert "lies outside the CT" in phantom_session.message.what
    assert phantom_session.message.kind is MessageKind.ERROR
    assert everything(phantom_session) == before


def test_a_missing_package_is_offered_with_size_and_licence(clicked, phantom_session, monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name in {"monai", "totalsegmentator"} else object())
    monkeypatch.setenv("PATH", "")
    for name, by_pip in (("monai", True), ("totalsegmentator", False)):  # that one comes with its own extension
        phantom_session.parameters.engine, phantom_session.parameters.bundle = name, "somewhere"
        assert clicked.engine.can_install is by_pip
        assert "Apache-2.0" in clicked.engine.offer
        assert re.search("[MG]B", clicked.engine.offer)
        with pytest.raises(UserError, match="Not installed"):
            clicked.apply()
        assert phantom_session.job is None
    phantom_session.parameters.engine = "monai"
    assert "monai" in resource(clicked.engine.requirements).read_text()
    monkeypatch.setattr(engines, "find_spec", lambda _name: None)
    assert not clicked.engine.can_install  # PyTorch comes from its own extension
    assert "Extensions Manager" in clicked.engine.offer


def test_what_is_lacking_is_said_before_a_run(panel, phantom_session, phantom):
    assert panel.problem == "Click once into each vertebral body."
    chosen = phantom_session.parameters
    click(panel, phantom.frames[L1].origin)
    assert panel.problem == ""
    chosen.between = 1
    assert "first and the last" in panel.problem
    chosen.engine = "automatic"
    assert panel.problem == ""
    chosen.engine = "monai"
    assert panel.problem == "Choose the folder of a MONAI bundle."
    chosen.engine, chosen.between, chosen.levels = "seeded", -1, "L5-L1"
    assert "run towards the head" in panel.problem
    chosen.levels = ""
    chosen.ct = None
    assert panel.problem == "Choose a CT in the tab Images."
    with pytest.raises(UserError, match="Choose a CT"):
        panel.apply()


def test_an_unknown_engine_in_a_saved_scene_is_the_first_one(panel, phantom_session):
    phantom_session.parameters.engine = "something else"
    assert panel.engine.name == "seeded"


@pytest.mark.parametrize(
    ("engine", "choices", "expected"),
    [
        ("seeded", {"between": 1, "whole": True}, ["--seeds", "--between", 1, "--whole"]),
        ("automatic", {"use_anchor": True, "fast": True}, ["--anchor"]),
        ("automatic", {}, []),
        ("totalsegmentator", {"fast": True, "device": "cuda"}, ["--device", "cuda", "--fast"]),
        ("monai", {"bundle": "B", "whole": True}, ["--seeds", "--bundle", "B", "--device", "cpu"]),
    ],
)
def test_the_command_holds_what_concerns_the_engine(
    clicked, phantom, phantom_session, tmp_path, engine, choices, expected
):
    for name, value in {"engine": engine, **choices}.items():
        setattr(phantom_session.parameters, name, value)
    words = clicked._arguments(tmp_path)
    assert words[:6] == ["segment", tmp_path / "result", "--ct", tmp_path / "ct.nrrd", "--engine", engine]
    rest = [word for word in words[6:] if not isinstance(word, Path) and not str(word).startswith("L1@")]
    assert rest == expected
    written = read_volume(tmp_path / "ct.nrrd", Modality.CT)
    assert written.same_grid(phantom.ct, 1e-6)
    assert np.array_equal(written.array, phantom.ct.array)
    if "--seeds" in words:
        seeds = json.loads((tmp_path / "seeds.json").read_text())["seeds"]
        assert [seed["level"] for seed in seeds] == ["L1", "L2", "L3"]
        assert seeds[1]["point"] == pytest.approx(list(phantom.frames[L2].origin + OFF))


@pytest.fixture
def abdomen(session, shared_data):
    session.parameters.ct = mrml.add_volume(
        session.scene, read_volume(shared_data / "ct_abdomen_3mm" / "ct.nii.gz", Modality.CT)
    )
    return SegmentationPanel(session)


def test_seeded_on_a_real_ct_corrected_split_and_run_again(
    abdomen, session, shared_data, run_job, tmp_path, monkeypatch
):
    reference = read_labels(shared_data / "ct_abdomen_3mm" / "vertebrae_verse_codes.nii.gz", "verse")
    masks = {level: reference.mask(Region(Compartment.WHOLE, level)).array for level in (L3, L4)}
    abdomen.seeding.choose_first(L3)
    click(abdomen, *(reference.to_ras(np.argwhere(mask).mean(axis=0)[::-1]) for mask in masks.values()))
    take, shares = abdomen._take, []
    monkeypatch.setattr(
        abdomen, "_take", lambda folder, target: (shutil.copytree(folder, tmp_path / "result"), take(folder, target))
    )
    session.observe("job", lambda: shares.append(session.job.share if session.job else 0))
    abdomen.apply()
    assert "still running" in abdomen.problem
    run_job(session)
    assert "2 vertebrae were found: L3, L4." in session.message.what
    assert max(shares) > 0.5
    node = session.parameters.segmentation
    found = labels_of(node)
    assert found.same_grid(session.volume(Modality.CT))
    for level, mask in masks.items():
        assert dice(found.mask(Region(BODY, level)).array, mask) >= 0.90
    assert [(row.key, row.cells[2].text, row.state) for row in abdomen.levels.table().rows] == [
        (level, "body", RowState.CURRENT) for level in ("L3", "L4")
    ]
    abdomen.levels.shift(-1)
    abdomen.levels.split_bodies(abdomen.settings, [L2])
    assert [row.cells[2].text for row in abdomen.levels.table().rows] == ["split", "body"]
    abdomen.levels.undo()
    abdomen.levels.undo()
    for region in found.regions:
        assert np.array_equal(labels_of(node).mask(region).array, found.mask(region).array)
    assert abdomen.levels.is_checked
    session.parameters.levels, session.parameters.split_bodies = "L3", True
    take(tmp_path / "result", abdomen._target())
    second = session.parameters.segmentation
    assert not session.scene.IsNodePresent(node)  # nobody had touched it
    assert second.GetName() == "Vertebrae"
    assert abdomen.levels.present == {L3: (CANCELLOUS, CORTICAL)}
    abdomen.levels.rename(L3, L2)
    assert "it is kept" in abdomen._told_of_earlier(second, second)[0]
    assert session.scene.IsNodePresent(second)


def test_automatic_on_a_real_ct(abdomen, session, run_job):
    session.parameters.engine = "automatic"
    abdomen.apply()
    run_job(session)
    assert list(abdomen.levels.present) == list(VertebralLevel.span("T12-L5"))
    rows = {row.key: row for row in abdomen.levels.table().rows}
    assert rows["T12"].cells[1].text == "not usable"
    assert "border" in rows["T12"].cells[4].text
    assert rows["L3"].cells[1].value > 0.7
    assert "levels proposed from the sacrum" in session.message.what


def test_an_installed_command_needs_no_package(abdomen, session, totalsegmentator):
    session.parameters.engine = "totalsegmentator"
    assert (totalsegmentator.folder / "TotalSegmentator").exists()
    assert abdomen.engine.missing == ()
    assert abdomen.problem == ""
