"""The scenarios of Testing/slicer, which a real Slicer runs, on the stand-ins."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "slicer"))


@pytest.mark.parametrize("name", ["scenario_cancel", "scenario_ct", "scenario_vbq"])
def test_scenario(module, name):
    import scenarios

    getattr(scenarios, name)(module.shell)


@pytest.mark.usefixtures("slicer_app")
def test_every_scenario_is_run():
    import scenarios

    assert {f"scenario_{name}" for name in ("cancel", "ct", "vbq")} == {one.__name__ for one in scenarios.SCENARIOS}


def test_a_failing_scenario_ends_slicer_with_a_failure(slicer_app, module, monkeypatch):
    import run
    import scenarios

    def broken(_shell):
        raise AssertionError("broken")

    ended = []
    monkeypatch.setattr(slicer_app.util, "selectModule", lambda _name: None)
    monkeypatch.setattr(slicer_app.util, "exit", ended.append)
    monkeypatch.setattr(slicer_app.modules, "OVFRiskWidget", module, raising=False)
    for chosen in ((scenarios.scenario_cancel,), (broken,)):
        monkeypatch.setattr(run, "SCENARIOS", chosen)
        run.main()
    assert ended == [0, 1]
