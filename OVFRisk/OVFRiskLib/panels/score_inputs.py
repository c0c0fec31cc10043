"""What models are given: the record's measurements, which of them are out of date, and what is known of the patient."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from ..anatomy import VertebralLevel
from ..files.read_features import feature_measurements
from ..measurement import Measurement, MeasurementTable
from ..models.card import Input
from ..models.facts import Facts
from ..models.model import Model
from ..scene.volumes import acquisition_of
from .session import IMAGES, Session
from .view import RowState

_BESIDE = ("", "_uncertainty", "_error")  # rows of a value and of its own plus or minus


@dataclass(frozen=True)
class Evidence:
    """The measurements that some models take, at one moment.

    Parameters
    ----------
    table : MeasurementTable
        Features among them as far as one of the models names them.
    stale : MeasurementTable
        Those of `table` whose image, segmentation or region was edited since.
    facts : Facts
    """

    table: MeasurementTable
    stale: MeasurementTable
    facts: Facts

    def fingerprint(self, model: Model, level: VertebralLevel | None) -> str:
        """Return a hash of the model and all that its result for a level hangs on."""
        rows = sorted(self._line(row) for row in self.rows_of(model, level))
        text = json.dumps([model.id, _facts(self.facts), rows], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def stale_rows_of(self, model: Model, level: VertebralLevel | None) -> list[Measurement]:
        """Return the rows that the model needs and that are out of date."""
        return [row for row in self.rows_of(model, level) if row in self._old]

    def rows_of(self, model: Model, level: VertebralLevel | None) -> Iterator[Measurement]:
        """Yield the rows that a model's result hangs on; `level` None is the patient, or all levels of the model."""
        own = (level,) if level else (*model.card.levels, None)
        for one in leaves(model.card.inputs):
            for at in one.levels or own:
                for suffix in _BESIDE:
                    yield from self._rows.get((at, one.compartment, one.name + suffix), ())

    @cached_property
    def _rows(self) -> dict[tuple, list[Measurement]]:
        rows: dict[tuple, list[Measurement]] = {}
        for row in self.table:
            rows.setdefault((row.level, row.compartment, row.name), []).append(row)
        return rows

    @cached_property
    def _old(self) -> frozenset[Measurement]:
        return frozenset(self.stale)

    def _line(self, row: Measurement) -> list[str]:
        value = "" if row.value is None else f"{row.value:.9g}"  # what a saved table keeps
        fields = (row.level, row.compartment, row.name, value, row.unit, row.protocol_id, row.quality, row.note)
        return [*(str(field or "") for field in fields), "stale" if row in self._old else ""]


def evidence_of(session: Session, models: Iterable[Model]) -> Evidence:
    """Return what the models would be given now; empty where nothing has been measured."""
    facts, record = facts_of(session), session.record
    if record is None:
        return Evidence(MeasurementTable(), MeasurementTable(), facts)
    names = {one.name for model in models for one in leaves(model.card.inputs)}
    needed = {
        region: replace(found, **{part: _only(getattr(found, part), names) for part in ("values", "absent")})
        for region, found in record.features.items()
    }
    rows = [*record.table, *feature_measurements("", needed)]
    subject = session.parameters.subject  # of all rows: one scene, one patient
    states = {replace(row, subject=subject): record.state(row) for row in rows}
    stale = (row for row, state in states.items() if state is RowState.STALE)
    return Evidence(MeasurementTable(states), MeasurementTable(stale), facts)


def facts_of(session: Session) -> Facts:
    """Return what was given of the patient; what was not given stays unknown."""
    chosen = session.parameters
    nodes = {modality: session.node(modality) for modality in IMAGES}
    return Facts(
        sex=chosen.sex.value or None,
        age=chosen.age or None,
        phase=chosen.phase.value or None,
        acquisitions={modality: acquisition_of(node) for modality, node in nodes.items() if node is not None},
        settings={"vbq_statistic": chosen.vbq_statistic},
        synthetic=chosen.synthetic,
    )


def leaves(inputs: Iterable[Input]) -> Iterator[Input]:
    """Yield the inputs that are measurements: of a radscore its terms."""
    for one in inputs:
        yield from leaves(one.terms) if one.terms else (one,)


def _only(values: dict, names: set[str]) -> dict:
    return {name: value for name, value in values.items() if name in names}


def _facts(facts: Facts) -> dict[str, object]:
    acquisitions = {str(modality): dict(found) for modality, found in facts.acquisitions.items()}
    plain = replace(facts, acquisitions={}, settings=dict(facts.settings))
    return {**asdict(plain), "acquisitions": acquisitions}
