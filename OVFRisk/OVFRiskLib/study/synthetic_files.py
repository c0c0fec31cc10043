"""A synthetic patient's tables, as ``ovfrisk analyze`` writes a real one's: to score with a model of the cohort."""

from pathlib import Path

import numpy as np

from ..anatomy import Region, VertebralLevel
from ..files.tables import write_features, write_measurements
from ..measurement import Measurement, MeasurementTable, Quality
from ..models.inputs import PERSONAL
from ..radiomics import Features
from .cohort.columns import Column
from .synthetic_truth import SYNTHETIC, SyntheticCohort

_BETWEEN_LEVELS = 0.02  # relative deviation of a level from the patient's mean


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
