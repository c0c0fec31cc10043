"""A trained model as a bundle that `ovfrisk score` applies; its card says all that the run knows."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import UserError
from ...models.bundle import write_bundle
from ...models.calibrated import calibrated
from ...models.card import (
    Calibration,
    Combination,
    Input,
    ModelCard,
    Origin,
    Output,
    Performance,
    Population,
    Rate,
    Threshold,
)
from ...models.export import predictor_of
from ...models.model import Model
from ...models.predictors import Predictor
from ..cohort import Split
from ..judging.confusion import confusion
from ..judging.cutoff import youden
from ..judging.estimate import Estimate
from ..judging.roc import auc
from ..learners import exportable
from ..learners.intervals import predictor_with_intervals
from .card_inputs import inputs_of, values_of
from .procedure import Procedure, Trained

_SAME = 1e-5  # as `predictor_of` asks for; largest difference of a bundle's probability from the trained model's
_NAMES = {"training": "apparent", "cross-validation": "internal", "test": "internal"}
_VALIDATION = {
    "training": "the training patients themselves: too good",
    "cross-validation": "cross-validation of the training patients with the settings chosen on them",
    "test": "test patients, who were not used for anything else",
}


def write_model(
    path: Path, trained: Trained, predictions: Mapping[str, pd.Series], calibration: Calibration | None, facts: dict
) -> None:
    """Write the bundle of a model, load it again and make sure that it gives the same probabilities.

    Parameters
    ----------
    path : Path
    trained : Trained
        By all training patients.
    predictions : mapping of str to Series
        See `ModelResult.predictions`.
    calibration : Calibration or None
        That these predictions went through.
    facts : mapping
        For the card's ``training``.

    Raises
    ------
    UserError
        When no bundle can hold such a model, or it gives other probabilities.
    """
    procedure = trained.procedure
    train = procedure.patients.train
    table = procedure.table(train)
    inputs = inputs_of(trained.preparation, dict(procedure.patients.cohort.columns), table)
    predictor, center, scale = _predictor(trained, table)
    inputs = tuple(
        replace(one, center=one.center + one.scale * float(c), scale=one.scale * float(s))
        if not one.terms
        else replace(one, center=float(c), scale=float(s))
        for one, c, s in zip(inputs, center, scale)
    )
    write_bundle(path, _card(procedure, inputs, predictions, calibration, facts), predictor)
    _check(path, trained, table)


def _predictor(trained: Trained, table: pd.DataFrame) -> tuple[Predictor, np.ndarray, np.ndarray]:
    """Return the predictor, with its covariance where there is one."""
    if trained.procedure.learner.name == "logistic-unpenalised" and not trained.procedure.design.sampling:
        x = trained.preparation.transform(table)
        return predictor_with_intervals(trained.estimator, x, trained.procedure.outcome(table.index))
    return predictor_of(exportable(trained.estimator))


def _check(path: Path, trained: Trained, table: pd.DataFrame) -> None:
    """Compare before calibration, which blows up the rounding of a network that is sure of itself."""
    model = Model.load(path)
    found = model.predictor.output(values_of(model.card.inputs, table))
    difference = float(np.abs(found - trained.predict(table.index).to_numpy()).max())
    if difference > _SAME:
        path.unlink()
        raise UserError(f"The bundle's probabilities differ by {difference:.2g} from the model's.", "Tell the authors.")


def outputs(model: Model, table: pd.DataFrame) -> np.ndarray:
    """Return the probabilities that a bundle gives patients, from their columns as measured, shape (patients,)."""
    found = model.predictor.output(values_of(model.card.inputs, table))
    if model.card.calibration is None:
        return found
    return np.array([calibrated(float(p), model.card.calibration) for p in found])


def _card(
    procedure: Procedure,
    inputs: tuple[Input, ...],
    predictions: Mapping[str, pd.Series],
    calibration: Calibration | None,
    facts: dict,
) -> ModelCard:
    design, patients, variant = procedure.design, procedure.patients, procedure.variant
    own = design.card
    leaves = [leaf for one in inputs for leaf in one.terms or (one,)]
    used = {leaf.protocol_id for leaf in leaves}
    by_level = patients.levels and any(leaf.compartment is not None and not leaf.levels for leaf in leaves)
    synthetic = patients.synthetic
    return ModelCard(
        name=f"{design.name}-{variant.name}-{procedure.learner.name}",
        version="1.0",
        title=f"{design.title}: {variant.title}, {procedure.learner.title}",
        intended_use=own.intended_use,
        not_for=own.not_for,
        outcome=design.event,
        origin=Origin.TRAINED,
        population=_population(procedure),
        modality=own.modality,
        inputs=inputs,
        combination=Combination.LEVEL if by_level else Combination.PATIENT,
        output=Output.PROBABILITY,
        licence=own.licence,
        citation=own.citation,
        levels=patients.levels if by_level else (),
        protocols={one.id: one.to_dict() for one in patients.protocols if one.id in used},
        settings=own.settings,
        calibration=calibration,
        thresholds=_thresholds(procedure, predictions),
        performance=_performance(procedure, predictions),
        validation=_validation(patients.split),
        training=facts,
        synthetic=synthetic,
    )


def _validation(split: Split | None) -> str:
    if split is None:
        return "All patients trained; cross-validation and bootstrap, see the study's report."
    return f"{len(split.train)} patients trained, {len(split.test)} tested ({split.how}); see the study's report."


def _population(procedure: Procedure) -> Population:
    patients, own = procedure.patients, procedure.design.card
    train = patients.train
    table = patients.cohort.table.loc[train]
    sex: tuple[str, ...] = ()
    if "sex_male" in table and table["sex_male"].notna().all():
        sex = tuple(letter for letter, code in (("F", 0), ("M", 1)) if (table["sex_male"] == code).any())
    age: tuple[float | None, float | None] = (None, None)
    if "age" in table and table["age"].notna().any():
        age = (float(table["age"].min()), float(table["age"].max()))
    text = f"Synthetic patients: {own.population}" if patients.synthetic else own.population
    return Population(text, len(train), int(patients.outcome[train].sum()), sex, age, phases=own.phases)


def _thresholds(procedure: Procedure, predictions: Mapping[str, pd.Series]) -> tuple[Threshold, ...]:
    """Return Youden's cut-off, chosen in cross-validation and judged on the test patients where there are any."""
    chosen_on = predictions["cross-validation"]
    cutoff = youden(procedure.outcome(chosen_on.index), chosen_on)
    if cutoff.value is None or not 0 <= cutoff.value <= 1:
        return ()
    judged = predictions.get("test", chosen_on)
    found = confusion(procedure.outcome(judged.index), judged, cutoff, seed=procedure.seed, replicates=100)
    own = procedure.design.card
    rates = [_rate(one) for one in (found.sensitivity, found.specificity)]
    return (Threshold("Youden", cutoff.value, own.below, own.above, "above", *rates),)


def _rate(one: Estimate) -> Rate | None:
    return None if one.value is None else Rate(one.value, (one.low, one.high))


def _performance(procedure: Procedure, predictions: Mapping[str, pd.Series]) -> tuple[Performance, ...]:
    found = []
    for on, name in _NAMES.items():
        if on in predictions:
            y, p = procedure.outcome(predictions[on].index), predictions[on].to_numpy()
            area = auc(y, p)
            interval = None if area.low is None else (area.low, area.high)
            found.append(Performance(name, "AUC", area.value, interval, area.n, _VALIDATION[on]))
            found.append(Performance(name, "Brier score", float(np.mean((p - y) ** 2)), None, area.n, _VALIDATION[on]))
    return tuple(found)
