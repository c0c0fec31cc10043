"""Files of synthetic patients: a cohort's tables for a study, and one patient's, as ``ovfrisk analyze`` writes them."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from ..anatomy import Region, VertebralLevel
from ..files.tables import write_csv, write_features, write_measurements
from ..measurement import Measurement, MeasurementTable, Quality
from ..models.inputs import PERSONAL
from ..radiomics import Features
from .cohort.columns import Column, cells
from .synthetic_truth import SYNTHETIC, SyntheticCohort

_BETWEEN_LEVELS = 0.02  # relative deviation of a level from the patient's mean


def write_cohort(drawn: SyntheticCohort, folder: Path) -> None:
    """Write the tables that the design of the cohort's name reads into an existing folder, and the truth.

    ``clinical.csv`` has what is known of the persons; ``features.csv`` what was measured on images, a row a patient;
    ``repeat_1.csv`` and ``repeat_2.csv`` what two readers measured; ``truth.json`` the rule that made the outcomes.

    Raises
    ------
    UserError
        When a file cannot be written.
    """
    table, columns = drawn.cohort.table, drawn.cohort.columns
    measured = [title for title in table if title in drawn.features or columns[title].compartment is not None]
    parts = {"clinical.csv": table.drop(columns=measured)}
    if measured:
        parts["features.csv"] = table[measured].assign(synthetic_features=SYNTHETIC)
    parts |= {f"repeat_{n}.csv": one for n, one in enumerate(drawn.repeats, start=1)}
    for name, part in parts.items():
        write_csv(folder / name, {"subject": list(part.index), **cells(part)})
    (folder / "truth.json").write_text(json.dumps(_truth(drawn), indent=1) + "\n", "utf-8")


def _truth(drawn: SyntheticCohort) -> dict[str, object]:
    truth = drawn.truth
    people = pd.DataFrame({"log_odds": truth.log_odds, "probability": truth.probability})
    return {
        "synthetic": True,
        "cohort": drawn.name,
        "outcome": drawn.outcome,
        "rule": truth.text,
        "intercept": truth.intercept,
        "terms": {title: asdict(term) for title, term in truth.terms.items()},
        "sources": dict(drawn.sources),
        "patients": {str(key): row.to_dict() for key, row in people.iterrows()},
    }


def write_patient(drawn: SyntheticCohort, subject: str, folder: Path) -> None:
    """Write ``features.csv`` and ``measurements.csv`` of one patient into an existing folder.

    Where a column is the mean of several levels, each level has its own value and their mean is the column's. Each row
    says in its note that it is synthetic. Columns that are neither (blood values, findings) become measurements of the
    patient.

    Raises
    ------
    UserError
        When a file cannot be written.
    """
    rng = np.random.default_rng(drawn.cohort.table.index.get_loc(subject))
    features: dict[Region, dict[str, float]] = {}
    for title in drawn.features:
        column = drawn.cohort.columns[title]
        for level, value in _by_level(drawn, subject, title, rng).items():
            features.setdefault(Region(column.compartment, level), {})[column.name] = value
    if features:
        protocol = drawn.cohort.columns[drawn.features[0]].protocol_id
        found = {region: Features(values, {}, {}, (SYNTHETIC,), protocol) for region, values in features.items()}
        write_features(folder / "features.csv", subject, found)
    rows = [row for title in drawn.clinical for row in _measured(drawn, subject, title, rng)]
    write_measurements(folder / "measurements.csv", MeasurementTable(rows))


def _by_level(
    drawn: SyntheticCohort, subject: str, title: str, rng: np.random.Generator
) -> dict[VertebralLevel | None, float]:
    """Return the values that make the column's."""
    column, value = drawn.cohort.columns[title], float(drawn.cohort.table.at[subject, title])
    if column.levels:
        deviation = _BETWEEN_LEVELS * abs(value) * rng.standard_normal(len(column.levels))
        return dict(zip(column.levels, (value + deviation - deviation.mean()).tolist()))
    if column.compartment is None:
        return {None: value}
    return {VertebralLevel(drawn.cohort.table.at[subject, "level"]): value}


def _measured(drawn: SyntheticCohort, subject: str, title: str, rng: np.random.Generator) -> list[Measurement]:
    column = drawn.cohort.columns[title]
    if column.name in PERSONAL:  # known of the person, not measured
        return []
    values = _by_level(drawn, subject, title, rng)
    return [_measurement(subject, column, level, value) for level, value in values.items()]


def _measurement(subject: str, column: Column, level: VertebralLevel | None, value: float) -> Measurement:
    known = np.isfinite(value)
    return Measurement(
        subject,
        level,
        column.compartment,
        column.name,
        value if known else None,
        column.unit,
        column.protocol_id,
        quality=Quality.FLAGGED if known else Quality.ABSENT,
        note=SYNTHETIC,
    )
