"""The panel Score without a widget: models chosen, results that follow the record, a saved scene that comes back."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from OVFRiskLib.anatomy import Compartment, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality
from OVFRiskLib.models.bundle import write_bundle
from OVFRiskLib.models.card import Combination, Input, ModelCard, Origin, Output, Population, Summary, Threshold
from OVFRiskLib.models.predictors.linear import LogisticPredictor

from .score_scene import HU, add_boxes, density, edit, hu, measure

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import numpy as np  # noqa: E402
from OVFRiskLib.mrml import save_bundle  # noqa: E402
from OVFRiskLib.panels.model_choice import card_facts, warning_of  # noqa: E402
from OVFRiskLib.panels.parameter_node import parameter_node  # noqa: E402
from OVFRiskLib.panels.parameters import Sex  # noqa: E402
from OVFRiskLib.panels.score import ScorePanel  # noqa: E402
from OVFRiskLib.panels.view import MessageKind, RowState  # noqa: E402
from OVFRiskLib.scene.scores import scores_node  # noqa: E402

L1, L2 = VertebralLevel.L1, VertebralLevel.L2
CANCELLOUS = Compartment.CANCELLOUS


def rows(attenuation: float = 90.0) -> list:
    return [hu("L1", attenuation), hu("L2", 110.0), density(70.0)]


@pytest.fixture
def measured(session):
    """A woman of 70 years with three measurements."""
    session.parameters.age, session.parameters.sex = 70.0, Sex.F
    add_boxes(session)
    measure(session, rows())
    return session


@pytest.fixture
def bundle(tmp_path) -> Path:
    """A logistic model a level: log-odds = 2 - 0.02 HU, so 0.2 at 90 HU and -0.2 at 110 HU."""
    attenuation = Input(
        "trabecular_attenuation", "Attenuation", HU, CANCELLOUS, center=100.0, training=Summary(20, 220, 120.0, 40.0)
    )
    card = ModelCard(
        name="by-level", version="1.0", title="Risk of a level", intended_use="Tests.", not_for="Patients.",
        outcome="fracture", origin=Origin.TRAINED, population=Population("made up"), modality=Modality.CT,
        inputs=(attenuation,), combination=Combination.LEVEL, output=Output.PROBABILITY, licence="Apache-2.0",
        citation="none", levels=(L1, L2), thresholds=(Threshold("half", 0.5, "lower", "higher"),),
    )  # fmt: skip
    path = tmp_path / "by level; ü.ovfrisk"
    write_bundle(path, card, LogisticPredictor(0.0, np.array([-0.02])))
    return path


def reload(scene, folder: Path) -> None:
    """Read scene.mrb as Slicer does."""
    cache, data = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    cache.SetRemoteCacheDirectory(str(folder / "cache"))
    cache.SetMRMLScene(scene)
    data.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(data)
    assert scene.ReadFromMRB(str(folder / "scene.mrb"), True)


def states(panel) -> dict[tuple[str, str], RowState]:
    return {(row.cells[0].text, str(row.level or "")): row.state for row in panel.table().rows}


def test_published_models_of_the_images_are_proposed_until_the_user_chooses(measured):
    session, panel = measured, ScorePanel(measured)
    assert panel.models.chosen == ("vbmd-acr-2018",)
    session.parameters.t1 = session.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1")
    assert "vbq-t1-huang-2025" in panel.models.chosen
    panel.models.choose("vbmd-acr-2018", False)
    session.parameters.t1 = None
    assert "vbmd-acr-2018" not in panel.models.chosen


def test_every_card_says_what_it_is_for_and_not_for(session):
    for one in ScorePanel(session).models.entries:
        facts = dict(card_facts(one.model))
        assert facts["For"] == one.model.card.intended_use
        assert facts["Not for"] == one.model.card.not_for
        assert facts["Source"] == one.model.card.citation
        assert bool(warning_of(one.model)) is not one.usable


def test_nothing_measured_and_nothing_chosen_are_said(measured):
    session, panel = measured, ScorePanel(measured)
    record, session.record = session.record, None
    assert "Nothing has been measured" in panel.next_step
    with pytest.raises(UserError, match="nothing to score"):
        panel.score()
    session.record = record
    panel.models.choose("vbmd-acr-2018", False)
    assert "Tick" in panel.next_step
    with pytest.raises(UserError, match="No model is chosen"):
        panel.score()


def test_density_of_70_is_osteoporosis(measured):
    """ACR practice parameter: below 80 mg/cm3."""
    panel = ScorePanel(measured)
    panel.score()
    (row,) = panel.table().rows
    assert [cell.text for cell in row.cells[1:3]] == ["70 mg/cm³", "osteoporosis"]
    assert row.cells[1].value == 70.0
    assert row.state is RowState.CURRENT


def test_age_below_the_models_is_no_result_with_the_reason(measured):
    measured.parameters.age = 40.0
    panel = ScorePanel(measured)
    panel.score()
    (row,) = panel.table().rows
    assert row.state is RowState.ABSENT
    assert "50" in row.tip


def test_bundle_gives_a_probability_a_level(measured, bundle):
    panel = ScorePanel(measured)
    panel.models.choose("vbmd-acr-2018", False)
    panel.models.open(bundle)
    panel.score()
    found = {row.level: row.cells[2].value for row in panel.table().rows}
    assert found == {L1: pytest.approx(1 / (1 + np.exp(-0.2))), L2: pytest.approx(1 / (1 + np.exp(0.2)))}


def test_an_edit_makes_only_the_results_of_its_level_stale_and_undo_brings_them_back(measured, bundle):
    panel = ScorePanel(measured)
    panel.models.open(bundle)
    panel.score()
    undo = edit(measured, L1)
    panel.settle()
    title = "Risk of a level"
    assert states(panel)[title, "L1"] is RowState.STALE
    assert states(panel)[title, "L2"] is RowState.CURRENT
    assert [value for (name, _level), value in states(panel).items() if name != title] == [RowState.STALE]
    undo()
    panel.settle()
    assert set(states(panel).values()) == {RowState.CURRENT}


def test_stale_measurements_are_refused_until_they_are_updated(measured, bundle):
    panel = ScorePanel(measured)
    panel.models.open(bundle)
    edit(measured, L1)
    panel.score()
    found = {row.key: row for row in panel.table().rows}
    old = next(row for row in found.values() if row.level is L1)
    assert old.cells[2].text == "—"
    assert old.state is RowState.ABSENT
    assert "update" in old.tip
    assert measured.message.kind is MessageKind.WARNING
    assert "out of date" in measured.message.what
    assert "Update" in panel.next_step
    measure(measured, rows(100.0))
    assert set(states(panel).values()) == {RowState.STALE, RowState.CURRENT}
    assert "Score again" in panel.next_step
    panel.score()
    assert next(row for row in panel.table().rows if row.level is L1).cells[2].value == pytest.approx(0.5)


def test_another_age_makes_results_stale(measured):
    panel = ScorePanel(measured)
    panel.score()
    measured.parameters.age = 71.0
    assert set(states(panel).values()) == {RowState.STALE}


def test_missing_file_is_said_and_the_other_models_are_applied(measured, bundle):
    panel = ScorePanel(measured)
    panel.models.open(bundle)
    panel.score()
    bundle.unlink()
    assert states(panel)["Risk of a level", "L1"] is RowState.STALE
    panel.score()
    assert "not there any more" in measured.message.what
    assert measured.message.kind is MessageKind.WARNING
    assert len(panel.table().rows) == 1


def test_file_that_is_no_bundle_is_refused_and_not_kept(measured, tmp_path):
    panel = ScorePanel(measured)
    (tmp_path / "x.ovfrisk").write_bytes(b"no zip")
    with pytest.raises(UserError):
        panel.models.open(tmp_path / "x.ovfrisk")
    assert not any(one.of_a_file for one in panel.models.entries)


def test_pictures_explain_the_selected_result(measured, bundle):
    pytest.importorskip("matplotlib")
    panel = ScorePanel(measured)
    panel.models.open(bundle)
    panel.score()
    panel.select(next(one.key for one in panel.results if one.level is L1))
    assert measured.level is L1
    pictures = {one.key: one for one in panel.pictures("png")}
    assert set(pictures) == {"contributions", "nomogram-1"}
    for one in pictures.values():
        assert base64.b64decode(one.uri.partition(",")[2]).startswith(b"\x89PNG")
    assert "+0.60" in pictures["contributions"].alt  # (90 - 120) HU x -0.02
    edit(measured, L1)
    panel.settle()
    assert panel.pictures("png") == ()


def test_saved_scene_comes_back_with_results_that_still_hold(measured, bundle, tmp_path):
    panel = ScorePanel(measured)
    panel.models.open(bundle)
    panel.score()
    before = panel.table()
    save_bundle(measured.scene, tmp_path / "scene.mrb")
    record = measured.record
    measured.close()
    measured.scene.Clear(False)
    reload(measured.scene, tmp_path)
    measured.open(parameter_node(measured.scene))
    assert {row.state for row in panel.table().rows} == {RowState.STALE}  # nothing is measured yet
    measured.record = record
    measured.tell("measurements")
    assert panel.table() == before
    assert panel.models.chosen == ("vbmd-acr-2018", str(bundle))
    edit(measured, L1)
    panel.settle()
    assert RowState.STALE in states(panel).values()


@pytest.mark.parametrize("text", ["[", '[{"title": 3}]', "{}", '[{"model_key": "x"}]'])
def test_damaged_results_of_a_scene_are_said(measured, text):
    panel = ScorePanel(measured)
    panel.score()
    scores_node(measured.scene).SetAttribute("OVFRisk.Scores", text)
    assert ScorePanel(measured).table().rows == ()
    assert "damaged" in measured.message.what


def test_results_are_one_table_in_the_scene(measured):
    panel = ScorePanel(measured)
    panel.score()
    panel.score()
    names = [node.GetName() for node in (scores_node(measured.scene),)]
    assert names == ["Scores"]
    assert measured.scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 1
    table = scores_node(measured.scene).GetTable()
    assert table.GetValueByName(0, "class").ToString() == "osteoporosis"


def test_rows_of_another_subject_code_are_of_the_same_patient(measured):
    """The code is typed after the measurement: it is still one scene, one patient."""
    measure(measured, [replace(row, subject="") for row in rows()])
    measured.parameters.subject = "P-9"
    panel = ScorePanel(measured)
    panel.score()
    assert {one.scored.prediction.subject for one in panel.results} == {"P-9"}
