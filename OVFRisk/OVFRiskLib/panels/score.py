"""Scoring: the chosen models applied to what was measured, with their reasons; out-of-date results say so."""

from collections.abc import Sequence
from typing import Literal

from ..errors import UserError
from ..files.figures.charts import score_chart
from ..files.figures.contributions import contribution_chart
from ..files.figures.score_nomograms import score_nomograms
from ..files.figures.style import Illustration
from ..files.score_table import score_columns
from ..models.model import Model
from ..models.scoring import Scored
from ..scene.scores import read_scores, write_scores
from .fingerprints import Watch
from .model_choice import ModelChoice
from .score_inputs import Evidence, evidence_of
from .score_results import FIELDS, Result, row_view
from .session import IMAGES, Session
from .view import MessageKind, RowState, TableView
from .words import _


class ScorePanel:
    """What the panel Score shows and does.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.models = ModelChoice(session)
        self.selected = ""  # key of a result
        self._watch = Watch(session)
        self._results: tuple[Result, ...] = self._restored()
        self._evidence: Evidence | None = None
        for topic in ("images", "measurements", "vbq", "parameters"):
            session.observe(topic, self._changed)
        session.observe("scene", self._reopened)

    @property
    def results(self) -> tuple[Result, ...]:
        """The results as they were scored last; those of a saved scene are computed again where they still hold."""
        self._results = tuple(self._revived(one) for one in self._results)
        return self._results

    @property
    def next_step(self) -> str:
        """What the user would do next."""
        if self.session.record is None or not len(self.session.record.table):
            return _("Nothing has been measured yet: measure on panel 3 CT or 4 VBQ first.")
        if not self.models.chosen:
            return _("Tick the models to apply.")
        if self.stale_inputs:
            return _("Measurements are out of date: Update on the panel where they were measured, then press Score.")
        if not self._results:
            return _("Press Score.")
        if any(self.state(one) is RowState.STALE for one in self.results):
            return _("The measurements have changed since: press Score again.")
        return _("Select a result to see what led to it; Export writes everything to a folder.")

    @property
    def stale_inputs(self) -> int:
        """How many of the measurements that the chosen models need are out of date."""
        evidence, models = self._now(), self._usable()
        return len({row for model in models for row in evidence.stale_rows_of(model, None)})

    def state(self, result: Result) -> RowState:
        """Return whether a result still holds."""
        if self.why_stale(result):
            return RowState.STALE
        return RowState.CURRENT if result.has_value else RowState.ABSENT

    def why_stale(self, result: Result) -> str:
        """Return why a result no longer holds; empty where it does."""
        model = self._model(result)
        if model is None:
            return _("The model's file is not there any more, or was changed to something unusable.")
        now = self._now()
        if now.fingerprint(model, result.level) == result.fingerprint:
            return ""
        if any(True for _row in now.stale_rows_of(model, result.level)):
            return _("A segmentation or region was edited since: update the measurements, then score again.")
        return _("Measurements, facts of the patient or the model have changed since: score again.")

    def table(self) -> TableView:
        """Return the results, one row a model and level."""
        levels = any(one.level for one in self.results)  # else the column would be empty
        columns = (_("Model"), *([_("Level")] if levels else []), _("Result"), _("Class"))
        columns += (_("Main reasons"), _("Remarks"))
        rows = [row_view(one, self.state(one), self.why_stale(one), levels) for one in self.results]
        return TableView(_("Results: comparisons, no diagnosis"), columns, tuple(rows))

    def settle(self) -> None:
        """Take in every edit that was made in the scene up to now."""
        if getattr(self.session, "vbq", None) is not None:
            self.session.vbq.settle()
        self._watch.flush()

    def close(self) -> None:
        """Let go of the scene."""
        self._watch.close()

    def score(self) -> None:
        """Apply the chosen models to what has been measured; the results are kept in the scene, too.

        Raises
        ------
        UserError
            When nothing was measured, no model is chosen or none of them can be applied.
        """
        self.settle()
        if self.session.record is None or not len(self.session.record.table):
            raise UserError(_("There is nothing to score."), _("Measure on panel 3 CT or 4 VBQ first."))
        entries = [self.models.entry(key) for key in self.models.chosen]
        if not entries:
            raise UserError(_("No model is chosen."), _("Tick at least one model in the list."))
        gone = [f"{one.title}: {one.remark}" for one in entries if one.model is None]
        models = {one.key: one.model for one in entries if one.model is not None}
        if not models:
            raise UserError("\n".join(gone), _("Open the model's file again, or untick it."))
        self._evidence = evidence_of(self.session, models.values())
        self._results = tuple(one for key, model in models.items() for one in _scored(key, model, self._evidence))
        self.selected = ""
        self._keep()
        self._tell_outcome(gone)
        self.session.tell("scores")

    def select(self, key: str) -> None:
        """Show a result: its model's card, what led to it, and its level in the views."""
        self.selected = key
        result = self.result()
        if result is not None and result.level is not None:
            self.session.select_level(result.level)

    def result(self) -> Result | None:
        """Return the selected result; None where none is."""
        return next((one for one in self.results if one.key == self.selected), None)

    def pictures(self, kind: Literal["png", "svg"]) -> tuple[Illustration, ...]:
        """Return what explains the selected result, as far as it still holds: contributions, groups, nomogram.

        Raises
        ------
        UserError
            When matplotlib is missing.
        """
        result = self.result()
        if result is None or result.scored is None or self.why_stale(result):
            return ()
        charts = (contribution_chart(result.scored, kind), score_chart([result.scored], kind))
        return (*(chart for chart in charts if chart), *score_nomograms([result.scored], kind))

    def scored(self) -> tuple[tuple[Scored, RowState], ...]:
        """Return the results that can be exported with their models, and whether each still holds."""
        return tuple((one.scored, self.state(one)) for one in self.results if one.scored is not None)

    def _model(self, result: Result) -> Model | None:
        entries = {one.key: one.model for one in self.models.entries}
        return entries.get(result.model_key)

    def _usable(self) -> list[Model]:
        entries = (self.models.entry(key) for key in self.models.chosen)
        return [one.model for one in entries if one.model is not None and one.usable]

    def _now(self) -> Evidence:
        """Return the measurements as they are now, for the models that are chosen or have a result."""
        if self._evidence is None:
            models = [self._model(one) for one in self._results]
            self._evidence = evidence_of(self.session, [*self._usable(), *(one for one in models if one is not None)])
        return self._evidence

    def _revived(self, result: Result) -> Result:
        """Return a result of a saved scene with what the model says now, where nothing has changed since."""
        if result.scored is not None or self.why_stale(result):
            return result
        again = {one.key: one for one in _scored(result.model_key, self._model(result), self._now())}
        return again.get(result.key, result)

    def _reopened(self) -> None:
        self._watch.reopen()
        self.selected, self._results = "", self._restored()
        self._changed()

    def _changed(self) -> None:
        self._evidence = None
        self.session.tell("scores")

    def _keep(self) -> None:
        predictions = [one.scored.prediction for one in self._results]
        nodes = (self.session.node(modality) for modality in IMAGES)
        image = next((node for node in nodes if node is not None), None)
        write_scores(self.session.scene, score_columns(predictions), [one.stored() for one in self._results], image)

    def _restored(self) -> tuple[Result, ...]:
        try:
            return tuple(Result.from_stored(one) for one in read_scores(self.session.scene, FIELDS))
        except UserError as error:
            self.session.report(error)
            return ()

    def _tell_outcome(self, gone: Sequence[str]) -> None:
        """Say how many results there are, and what stands in the way of the others."""
        valued = sum(one.has_value for one in self._results)
        what = _("Results with a value: {n} of {all}.").format(n=valued, all=len(self._results))
        old = self.stale_inputs
        if old:
            refused = _("{n} measurements are out of date: no result was computed from them.").format(n=old)
            todo = _("Update on the panel where they were measured, then score again.")
            self.session.say(f"{refused} {what}", todo, MessageKind.WARNING)
        elif gone:
            self.session.say("\n".join((*gone, what)), _("Open the file again, or untick it."), MessageKind.WARNING)
        else:
            todo = _("Select a row to see what led to it. No result is a diagnosis.")
            self.session.say(what, todo, MessageKind.INFO)


def _scored(key: str, model: Model, evidence: Evidence) -> list[Result]:
    found = model.predict(evidence.table, evidence.facts, stale=evidence.stale)
    return [Result.of(key, Scored(model, one), evidence.fingerprint(model, one.level)) for one in found]
