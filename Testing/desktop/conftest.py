"""Scenes, sessions and a coarse phantom for the panels; and Slicer's widgets, stood in for by PySide6."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

try:
    import slicer
except ImportError:
    collect_ignore_glob = ["test_*.py"]  # there is no scene to work on
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[2]
STANDINS = ROOT / "Testing" / "standins" / "desktop"
sys.path.insert(0, str(STANDINS))
SCREENSHOTS = ROOT / "build" / "screenshots"


def new_scene() -> "slicer.vtkMRMLScene":
    """Return an empty scene that knows all classes of nodes and can read an .mrb."""
    from slicer_app import with_cache

    scene = with_cache(slicer.vtkMRMLScene())
    names = ("SegmentationsModule", "Markups", "Tables", "Plots", "Texts", "Volumes", "Transform")
    scene.logics = [slicer.vtkMRMLApplicationLogic()]  # first: it makes the selection node
    scene.logics += [getattr(slicer, f"vtkSlicer{name}Logic")() for name in names]
    for logic in scene.logics:
        logic.SetMRMLScene(scene)
    return scene


@pytest.fixture
def scene() -> "slicer.vtkMRMLScene":
    """An empty scene, without Qt."""
    return new_scene()


def new_session(scene: "slicer.vtkMRMLScene"):
    """Return a session on a scene."""
    from OVFRiskLib.panels.parameter_node import parameter_node
    from OVFRiskLib.panels.session import Session

    return Session(scene, parameter_node(scene))


@pytest.fixture
def session(scene) -> Iterator:
    """A session on an empty scene, without Qt."""
    opened = new_session(scene)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def phantom():
    """A coarse synthetic patient with a wedge-shaped L1: `phantom.ct`, `.labels`, `.t1`, `.mr_bodies`, …"""
    from OVFRiskLib.phantom import Fracture, PhantomSettings, make_patient

    return make_patient(PhantomSettings(seed=1, spacing=2.5, fractures=(Fracture.parse("L1:wedge:0.30"),)))


def add_phantom(session, phantom) -> None:
    """Put the phantom's images into the session's scene and choose them, as the panel Images does."""
    from OVFRiskLib.mrml import add_volume
    from OVFRiskLib.panels.parameters import PhaseChoice, Sex
    from OVFRiskLib.scene.volumes import keep_acquisition

    chosen = session.parameters
    for name in ("ct", "t1", "t2", "stir"):
        volume = getattr(phantom, name)
        node = add_volume(session.scene, volume)
        keep_acquisition(node, volume.acquisition)
        setattr(chosen, name, node)
    chosen.subject, chosen.sex, chosen.age = phantom.subject, Sex(phantom.settings.sex), float(phantom.settings.age)
    chosen.phase, chosen.synthetic = PhaseChoice.NONE, True


@pytest.fixture
def phantom_session(session, phantom):
    """A session whose scene holds the coarse phantom's CT, T1, T2 and STIR, all chosen; without Qt."""
    add_phantom(session, phantom)
    return session


@pytest.fixture(scope="session")
def _stand_ins():
    try:
        from PySide6 import QtWidgets  # noqa: F401
    except ImportError as error:
        pytest.skip(f"PySide6 cannot be loaded: {error}")
    import slicer_app as application

    application.install()
    return application


@pytest.fixture
def slicer_app(_stand_ins) -> Iterator:
    """`slicer` as desktop code sees it (app, mrmlScene, modules, widgets), with an empty scene.

    The test fails when a slot let an exception through: in Slicer it would be printed, and nobody would know.
    """
    import pythonqt

    slicer.mrmlScene.Clear(False)
    _stand_ins.reset()
    pythonqt.lost.clear()
    yield slicer
    slicer.mrmlScene.Clear(False)
    lost = list(pythonqt.lost)
    pythonqt.lost.clear()
    assert not lost, f"slots let through: {lost}"


@pytest.fixture
def desktop_session(slicer_app) -> Iterator:
    """A session on Slicer's own scene (empty), for Qt panels."""
    opened = new_session(slicer_app.mrmlScene)
    yield opened
    opened.close()


@pytest.fixture
def phantom_desktop(desktop_session, phantom):
    """`desktop_session` with the coarse phantom's images chosen."""
    add_phantom(desktop_session, phantom)
    return desktop_session


@pytest.fixture
def load_ui(slicer_app) -> Callable:
    """`load_ui("CT")` returns the widget of Resources/UI/CT.ui, with its scene set."""

    def load(name: str):
        widget = slicer_app.util.loadUI(str(ROOT / "Resources" / "UI" / f"{name}.ui"))
        if widget.inherits("qMRMLWidget"):
            widget.setMRMLScene(slicer_app.mrmlScene)
        return widget

    return load


@pytest.fixture
def screenshot(slicer_app) -> Callable:
    """`screenshot(widget, "ct")` writes build/screenshots/ct.png and returns its path."""

    def shoot(widget, name: str, width: int = 480, height: int = 0) -> Path:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        widget.resize(width, height or max(widget.sizeHint.height(), 200))
        widget.show()
        slicer_app.app.processEvents()
        assert widget.grab().save(str(path))
        widget.hide()
        return path

    return shoot


@pytest.fixture
def run_job() -> Callable:
    """`run_job(session)` polls the session's job until it has ended."""
    import time

    def wait(session, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while session.job and time.monotonic() < end:
            session.poll()
            time.sleep(0.02)
        assert session.job is None, f"{session.job.title} did not end in {seconds} s"

    return wait


@pytest.fixture
def python_slicer(tmp_path_factory, monkeypatch) -> None:
    """Slicer's own Python on the PATH: this interpreter."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "PythonSlicer"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def images_only(slicer_app, monkeypatch) -> None:  # noqa: ARG001
    """`module` shows the tab Images alone."""
    from OVFRiskLib.desktop import widget

    monkeypatch.setattr(widget, "_PANELS", widget._PANELS[:1])


@pytest.fixture
def module(slicer_app, python_slicer) -> Iterator:  # noqa: ARG001
    """The module's whole panel (OVFRiskWidget) on an empty scene; `module.shell.ui`, `module.shell.session`."""
    import qt

    import OVFRisk

    parent = qt.QWidget()
    qt.QVBoxLayout(parent)
    widget = OVFRisk.OVFRiskWidget(parent)
    widget.setup()
    widget.enter()
    yield widget
    widget.exit()
    widget.cleanup()
