"""The final model of a variant, a learner and a way: searched, trained, cross-validated, written."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from ...errors import UserError
from ...models.calibrated import calibrated
from ...models.card import Calibration
from ...models.model import Model
from ..design.design import Way
from ..learners.intervals import odds_ratios
from ..learners.search import Parameters
from .bundles import outputs, write_model
from .importance import importance
from .preparation import NOTHING
from .procedure import Procedure, Trained
from .records import records_of
from .results import ModelResult

_LEAST = 1e-6  # probabilities are cut there before their logit


@dataclass(frozen=True, eq=False)
class Settings:
    """A learner's settings, and how they were found.

    Parameters
    ----------
    parameters : mapping
    score : float or None
        None where nothing was searched.
    candidates : DataFrame
    """

    parameters: Parameters = field(default_factory=dict)
    score: float | None = None
    candidates: pd.DataFrame = field(default_factory=pd.DataFrame)


def final_model(procedure: Procedure, models: Path, settings: Settings) -> ModelResult:
    """Return the model trained on all training patients, and write its bundle where it is leak-free.

    Parameters
    ----------
    procedure : Procedure
    models : Path
        Folder of the bundles.
    settings : Settings
    """
    design, patients = procedure.design, procedure.patients
    train, chosen = patients.train, dict(settings.parameters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trained = procedure.trained(train, chosen)
    predictions = {"training": trained.predict(train), "cross-validation": _cross_validated(procedure, chosen)}
    if len(patients.test):
        predictions["test"] = trained.predict(patients.test)
    notes = _notes(settings.candidates) + _said(caught)
    calibration = None
    if design.recalibrate and procedure.way is Way.LEAK_FREE:
        calibration, note = _recalibration(procedure, predictions["cross-validation"])
        notes.append(note)
        if calibration is not None:
            predictions = {on: found.map(lambda p: calibrated(p, calibration)) for on, found in predictions.items()}
    bundle, why = _bundle(models, trained, predictions, calibration, chosen)
    if bundle:  # what is judged is what is given away
        predictions |= _predicted(models / bundle, procedure, predictions)
    x, y = trained.preparation.transform(procedure.table(train)), procedure.outcome(train)
    return ModelResult(
        way=procedure.way,
        variant=procedure.variant.name,
        learner=procedure.learner.name,
        learner_title=procedure.learner.title,
        parameters=chosen,
        search_score=settings.score,
        candidates=settings.candidates,
        steps=_records(procedure, trained, x, y),
        inputs=tuple(x),
        importance=importance(procedure, x, y, chosen, _folds(procedure)),
        odds=_odds(procedure, trained, x, y),
        predictions=predictions,
        bundle=bundle,
        note="; ".join(note for note in (*notes, why) if note),
    )


def _folds(procedure: Procedure) -> list[tuple[np.ndarray, np.ndarray]]:
    return procedure.folds(procedure.patients.train, procedure.design.folds, "search")


def _cross_validated(procedure: Procedure, parameters: Parameters) -> pd.Series:
    """Return each training patient's probability by the procedure without the patient's fold."""
    train = procedure.patients.train
    parts = [procedure.trained(train[ours], parameters).predict(train[held]) for ours, held in _folds(procedure)]
    return pd.concat(parts).loc[train]


def _predicted(path: Path, procedure: Procedure, predictions: dict[str, pd.Series]) -> dict[str, pd.Series]:
    """Return the bundle's own predictions of the training and test patients."""
    model = Model.load(path)
    who = {on: predictions[on].index for on in ("training", "test") if on in predictions}
    return {on: pd.Series(outputs(model, procedure.table(keys)), keys, name="probability") for on, keys in who.items()}


def _notes(candidates: pd.DataFrame) -> list[str]:
    """Return the first of what the libraries warned of during the search."""
    said = [part for note in candidates.get("note", ()) if note for part in note.split("; ")]
    return list(dict.fromkeys(said))[:3]


def _said(caught: list[warnings.WarningMessage]) -> list[str]:
    """Return what the libraries warned of while the final model was trained; what only programmers need is left out."""
    messages = (str(one.message) for one in caught if not issubclass(one.category, DeprecationWarning | FutureWarning))
    return list(dict.fromkeys(text.strip().splitlines()[0] for text in messages if text.strip()))[:3]


def _recalibration(procedure: Procedure, predicted: pd.Series) -> tuple[Calibration | None, str]:
    y, p = procedure.outcome(predicted.index), predicted.clip(_LEAST, 1 - _LEAST).to_numpy()
    fit = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10).fit(logit(p)[:, None], y)
    slope, intercept = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    if not (np.isfinite([slope, intercept]).all() and slope > 0):
        return None, "not recalibrated: in cross-validation the probabilities do not rise with the outcome"
    return Calibration("logistic", intercept, slope), f"recalibrated: slope {slope:.3g}, intercept {intercept:.3g}"


def _records(procedure: Procedure, trained: Trained, x: pd.DataFrame, y: np.ndarray) -> tuple:
    _, _, samplers = procedure.sampled(x, y)
    named = [(step.name, fitted, x.shape[1]) for step, fitted in zip(procedure.design.sampling, samplers)]
    return records_of(trained.preparation, named)


def _odds(procedure: Procedure, trained: Trained, x: pd.DataFrame, y: np.ndarray) -> pd.DataFrame | None:
    if procedure.learner.name != "logistic-unpenalised" or procedure.design.sampling or list(x) == [NOTHING]:
        return None
    try:
        return odds_ratios(trained.estimator, x, y)
    except UserError:
        return None


def _bundle(
    models: Path, trained: Trained, predictions: dict[str, pd.Series], calibration: Calibration | None, parameters: dict
) -> tuple[str, str]:
    """Return the bundle's file name, or why there is none."""
    procedure = trained.procedure
    if procedure.way is not Way.LEAK_FREE:
        return "", "no bundle: only leak-free models are given away"
    name = f"{procedure.design.name}-{procedure.variant.name}-{procedure.learner.name}.ovfrisk"
    facts = {"design": procedure.design.name, "way": str(procedure.way), "seed": procedure.design.seed}
    facts["parameters"] = {key: value for key, value in parameters.items() if value is not None}
    try:
        write_model(models / name, trained, predictions, calibration, facts)
    except UserError as error:
        return "", f"no bundle: {error.what}"
    return name, ""
