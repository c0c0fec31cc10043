"""One session: topics, messages, cached images, and the one job, with real child processes."""

import os
import signal

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality
from OVFRiskLib.panels.running import Launcher
from OVFRiskLib.panels.view import Cell, MessageKind, RowView, TableView
from OVFRiskLib.scene.volumes import keep_acquisition


def _phantom(folder):
    return ("phantom", folder / "result", "--spacing", 5)


def _never(_folder):
    raise AssertionError("finished")


def test_a_choice_tells_its_topic_once(session):
    heard = []
    for topic in ("images", "segmentation", "parameters"):
        session.observe(topic, lambda topic=topic: heard.append(topic))
    node = session.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    heard.clear()
    session.parameters.ct = node
    assert heard.count("images") == 1
    assert "segmentation" not in heard
    heard.clear()
    session.parameters.subject = "P-1"
    assert heard == ["parameters"]


def test_a_slot_that_fails_is_told_and_does_not_stop_the_others(session, caplog):
    heard = []
    session.observe("vbq", lambda: 1 / 0)
    session.observe("vbq", lambda: heard.append("second"))
    session.tell("vbq")
    assert heard == ["second"]
    assert "ZeroDivisionError" in session.message.what
    assert "ZeroDivisionError" in caplog.text
    session.observe("scores", lambda: session.report(UserError("No model.", "Choose one.")))
    session.tell("scores")
    assert (session.message.what, session.message.what_to_do) == ("No model.", "Choose one.")
    assert session.message.kind is MessageKind.ERROR


def test_a_failing_message_slot_does_not_loop(session):
    session.observe("message", lambda: 1 / 0)
    session.say("hello")
    assert "ZeroDivisionError" in session.message.what


def test_the_image_is_cached_until_its_node_changes(phantom_session):
    session = phantom_session
    first = session.volume(Modality.CT)
    assert session.volume(Modality.CT) is first
    assert first.modality is Modality.CT
    assert first.acquisition["KVP"] == "120"
    keep_acquisition(session.node(Modality.CT), {"KVP": "100"})
    assert session.volume(Modality.CT).acquisition == {"KVP": "100"}
    image = session.node(Modality.CT).GetImageData()
    image.GetPointData().GetScalars().SetTuple1(0, 1234)
    image.Modified()
    assert session.volume(Modality.CT).array.flat[0] == 1234
    session.node(Modality.CT).SetOrigin(1, 2, 3)
    assert np.allclose(session.volume(Modality.CT).ijk_to_ras[:3, 3], (1, 2, 3))
    session.parameters.ct = None
    assert session.volume(Modality.CT) is None


def test_the_slot_of_the_chosen_image_decides_its_modality(phantom_session):
    phantom_session.parameters.t1 = phantom_session.parameters.t2
    assert phantom_session.volume(Modality.T1).modality is Modality.T1


def test_a_job_gives_its_result_and_leaves_no_folder(session, run_job):
    found, shares = [], []
    session.observe("job", lambda: shares.append(session.job and session.job.share))
    session.start("Making it", _phantom, lambda folder: found.append(sorted(path.name for path in folder.iterdir())))
    folder = session.job.folder
    assert folder.is_dir()
    run_job(session)
    assert "ct.nii.gz" in found[0]
    assert not folder.exists()
    assert shares[-1] is None


def test_a_second_job_is_refused(session):
    session.start("Making it", _phantom, _never)
    with pytest.raises(UserError, match="Making it"):
        session.start("Another", _phantom, _never)
    session.cancel()


def test_cancel_ends_the_process_and_says_so(session):
    session.start("Making it", _phantom, _never)
    process, folder = session.job._job._child._process, session.job.folder
    session.cancel()
    assert session.job is None
    assert process.poll() is not None
    assert not folder.exists()
    assert "cancelled" in session.message.what


def test_a_failing_job_gives_its_message(session, run_job):
    session.start("Segmenting", lambda folder: ("segment", folder / "result", "--ct", folder / "no.nii"), _never)
    run_job(session)
    assert session.message.kind is MessageKind.ERROR
    assert session.message.what_to_do


def test_a_killed_job_gives_a_message(session, run_job):
    session.start("Making it", _phantom, _never)
    os.killpg(session.job._job._child._process.pid, signal.SIGKILL)
    run_job(session)
    assert "without a result" in session.message.what


def test_a_result_that_cannot_be_read_is_told(session, run_job):
    session.start("Listing", lambda _folder: ("models", "list"), lambda folder: (folder / "nothing").read_text())
    folder = session.job.folder
    run_job(session)
    assert "FileNotFoundError" in session.message.what
    assert not folder.exists()


def test_input_that_cannot_be_written_leaves_no_job(session):
    def arguments(_folder):
        raise UserError("The CT is empty.", "Choose another.")

    with pytest.raises(UserError, match="empty"):
        session.start("Segmenting", arguments, _never)
    assert session.job is None


def test_an_interpreter_that_is_not_there_is_told(session):
    session.launcher = Launcher("/no/PythonSlicer")
    with pytest.raises(UserError, match="PythonSlicer"):
        session.start("Making it", _phantom, _never)
    assert session.job is None


def test_closing_ends_the_job_and_keeps_the_slots(session):
    heard = []
    session.observe("parameters", lambda: heard.append(1))
    session.start("Making it", _phantom, _never)
    process = session.job._job._child._process
    session.close()
    assert process.poll() is not None
    parameters = session.parameters
    parameters.subject = "P-2"
    assert not heard  # the scene that was closed tells nothing
    session.open(parameters)
    parameters.subject = "P-3"
    assert heard


def test_a_table_view_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="number of cells"):
        TableView("t", ("a", "b"), (RowView("1", (Cell("x"),)),))
    with pytest.raises(ValueError, match="one key"):
        TableView("t", ("a",), (RowView("1", (Cell("x"),)), RowView("1", (Cell("y"),))))
