"""Jobs: the command in a process of its own, told by events, ended with everything it has started."""

import json
import os
import sys
import time
from pathlib import Path

import pytest
from OVFRiskLib.child_process import ChildProcess
from OVFRiskLib.jobs import Event, Job, Kind

PATIENCE_S = 120


def running(pid):
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def events_of(job):
    """Start a job, poll it to its end, and return its events."""
    job.start()
    seen = []

    def ended():
        seen.extend(job.poll())
        return job.ended

    until(ended)
    return seen


class Script(Job):
    """A job whose child runs `code` instead of the command."""

    def __init__(self, code):
        super().__init__(())
        self._command = [sys.executable, "-c", code]


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@pytest.mark.usefixtures("totalsegmentator")
def test_a_command_becomes_events_and_a_result(shared_data, place):
    """The command also prints a table for a reader, which is no event."""
    ct = shared_data / "ct_abdomen_3mm" / "ct.nii.gz"
    events = events_of(Job(["segment", place / "out", "--ct", ct, "--engine", "totalsegmentator"]))
    assert events[0].kind is Kind.STARTED
    shares = [event.fields["share"] for event in events if event.kind is Kind.PROGRESS]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert any("T13" in event.fields["text"] for event in events if event.kind is Kind.WARNING)
    assert events[-1] == Event(Kind.FINISHED)
    assert [event.kind for event in events].count(Kind.FINISHED) == 1
    assert [path.name for path in place.iterdir()] == ["out"]


def test_what_the_user_can_put_right_is_told_in_words(place):
    events = events_of(Job(["segment", place / "out", "--ct", "/no/such.nii.gz", "--engine", "automatic"]))
    assert events[-1].kind is Kind.FAILED
    assert "/no/such.nii.gz" in events[-1].fields["what"]
    assert events[-1].fields["what_to_do"]
    assert not list(place.iterdir())


def test_a_wrong_option_is_a_failure():
    events = events_of(Job(["segment", "--no-such-option"]))
    assert events[-1].kind is Kind.FAILED
    assert "exit code 2" in events[-1].fields["what"]


def told(*events):
    lines = [event.to_line() for event in events]
    return f"print({os.linesep.join(lines)!r}, flush=True)"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("pass", "exit code 0"),
        ("raise ValueError('a bug')", "ValueError: a bug"),
        (told(Event(Kind.FINISHED)) + "; raise SystemExit(3)", "exit code 3"),
        (told(Event(Kind.FINISHED)) + "; import os; os.kill(os.getpid(), 9)", "exit code -9"),
        (told(Event(Kind.FAILED, {"what": "known", "what_to_do": "this"})) + "; raise SystemExit(2)", "known"),
        (told(Event(Kind.FAILED, {"what": "known", "what_to_do": "this"})), "exit code 0"),
    ],
)
def test_only_finished_with_exit_code_0_is_success(code, words):
    events = events_of(Script(code))
    assert [event.kind for event in events] == [Kind.FAILED]
    assert words in events[0].fields["what"]


def test_lines_that_are_no_events_are_passed_over():
    noise = "print('42'); print('[1]'); print('{}'); print('{\"event\": \"other\"}'); print('{half'); print('text')"
    events = events_of(Script(f"{noise}; {told(Event(Kind.WARNING, {'text': 'é'}), Event(Kind.FINISHED))}"))
    assert events == [Event(Kind.WARNING, {"text": "é"}), Event(Kind.FINISHED)]


def test_an_event_arrives_whole():
    """Half a line is left until the rest has come."""
    line = Event(Kind.WARNING, {"text": "whole"}).to_line()
    code = f"import sys, time; w = sys.stdout; w.write({line[:9]!r}); w.flush(); time.sleep(0.5); print({line[9:]!r})"
    events = events_of(Script(code))
    assert events[0] == Event(Kind.WARNING, {"text": "whole"})


def test_nothing_is_polled_after_the_end():
    job = Script(told(Event(Kind.FINISHED)))
    events_of(job)
    assert job.poll() == []
    job.cancel()


def test_cancelling_ends_children_that_do_not_listen(tmp_path):
    """Both ignore SIGTERM: they are killed when the time of grace is over."""
    ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    deaf = f"{ignore}; time.sleep(600)"
    code = f"{ignore}; import os, subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {deaf!r}]); "
    code += f"open({str(tmp_path / 'pids')!r}, 'w').write(f'[{{os.getpid()}}, {{child.pid}}]'); time.sleep(600)"
    job = Script(code)
    job.start()
    until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text())
    pids = json.loads((tmp_path / "pids").read_text())
    assert all(map(running, pids))
    job.cancel(grace_s=0.5)
    until(lambda: not any(map(running, pids)))
    assert job.ended
    assert job.poll() == []


def test_temporary_files_of_a_killed_child_go_with_it():
    code = "import tempfile, time; print(tempfile.mkdtemp(), flush=True); time.sleep(600)"
    with ChildProcess([sys.executable, "-c", code]) as child:
        lines = []
        until(lambda: lines.extend(child.new_lines()) or lines)
        assert Path(lines[0]).is_dir()
    assert not Path(lines[0]).exists()


def test_cancelling_a_segmentation_leaves_nothing(totalsegmentator, shared_data, place, monkeypatch):
    """In the middle of TotalSegmentator, which has started a process of its own."""
    monkeypatch.setenv("STANDIN_MODE", "slow")
    ct = shared_data / "ct_abdomen_3mm" / "ct.nii.gz"
    job = Job(["segment", place / "out", "--ct", ct, "--engine", "totalsegmentator", "--whole"])
    job.start()
    told = []
    until(lambda: told.extend(job.poll()) or any("part 2 of 5" in str(event.fields.get("text")) for event in told))
    pids = totalsegmentator.calls()[0]["pids"]
    assert len(pids) == 2
    assert all(map(running, pids))
    assert list(place.iterdir())
    job.cancel()
    until(lambda: not any(map(running, pids)))
    assert list(place.iterdir()) == []


def test_every_step_of_an_engine_is_told(shared_data, place):
    """How long the longest silence is `make bench` tells."""
    job = Job(["segment", place / "out", "--ct", shared_data / "ct_abdomen_3mm" / "ct.nii.gz", "--engine", "automatic"])
    told = []
    job.start()
    until(lambda: told.extend(job.poll()) or job.ended)
    shares = [event.fields["share"] for event in told if event.kind is Kind.PROGRESS]
    texts = {event.fields["text"] for event in told if event.kind is Kind.PROGRESS}
    assert shares == sorted(shares)
    assert {f"Segmenting {level}" for level in ("L1", "L2", "L3", "L4", "L5")} <= texts
    assert told[-1].kind is Kind.FINISHED
