"""The inputs of a model card from fitted steps: which measurement each is, how it is scaled, what stands for a gap."""

from dataclasses import replace

import numpy as np
import pandas as pd

from ...errors import UserError
from ...models.card import Input
from ..cohort import Column
from ..cohort.columns import summary
from ..steps import AdaptiveScaler, Radscore
from ..steps.radscore_input import radscore_input
from .preparation import NOTHING, GroupSteps, Preparation

_NO_BUNDLE = "Leave the step out of the design where a bundle is wanted."


def inputs_of(preparation: Preparation, columns: dict[str, Column], training: pd.DataFrame) -> tuple[Input, ...]:
    """Return the inputs, in the order of the fitted preparation's columns.

    Parameters
    ----------
    preparation : Preparation
    columns : mapping of str to Column
        By title, of the cohort.
    training : DataFrame
        The training patients' columns as measured.

    Raises
    ------
    UserError
        When a step changes values in a way that a card cannot say, or nothing is left to take.
    """
    if preparation.columns_ == [NOTHING]:
        raise UserError("The steps keep nothing: there is no model to put in a bundle.", "Loosen their limits.")
    found: dict[str, Input] = {}
    for group, _ in preparation.fitted_:
        if group.name not in preparation.notes_:
            found |= _group(group, columns, training)
    return tuple(found[title] for title in preparation.columns_)


def _group(group: GroupSteps, columns: dict[str, Column], training: pd.DataFrame) -> dict[str, Input]:
    known = {title: columns[title].input(training[title]) for title in group.columns}
    scaled = dict(known)
    for name, step in group.steps:
        if name == "impute":
            medians = dict(zip(step.feature_names_in_, step.statistics_))
            scaled = {title: replace(one, impute=float(medians[title])) for title, one in scaled.items()}
        elif isinstance(step, AdaptiveScaler):
            scaled |= _scaled(step, scaled)
        elif isinstance(step, Radscore):
            return {step.name: _radscore(step, scaled, training)}
        elif not hasattr(step, "support_") and name != "components":
            raise UserError(f"No bundle can hold the step '{name}'.", _NO_BUNDLE)
    return scaled


def _scaled(step: AdaptiveScaler, inputs: dict[str, Input]) -> dict[str, Input]:
    """Return the inputs scaled once more: (value - center) / scale of what was scaled before."""
    found = {}
    for title, center, scale in zip(step.feature_names_in_, step.center_, step.scale_):
        one = inputs[title]
        found[title] = replace(one, center=one.center + one.scale * float(center), scale=one.scale * float(scale))
    return found


def _radscore(step: Radscore, scaled: dict[str, Input], training: pd.DataFrame) -> Input:
    """Return a radscore whose terms carry the scaling before it."""
    plain = {title: replace(one, center=0.0, scale=1.0) for title, one in scaled.items()}
    made = radscore_input(step, plain, step.name.replace("_", " "))
    terms = tuple(_behind(term, scaled[title]) for term, title in zip(made.terms, step.terms_.index))
    made = replace(made, terms=terms)
    return replace(made, training=summary(pd.Series(_value(made, training), name=step.name)))


def _behind(term: Input, before: Input) -> Input:
    center = before.center + before.scale * term.center
    return replace(term, center=float(center), scale=float(before.scale * term.scale))


def values_of(inputs: tuple[Input, ...], table: pd.DataFrame) -> np.ndarray:
    """Return what the predictor sees of patients, shape (patients, inputs), from their columns as measured."""
    found = [(_value(one, table) - one.center) / one.scale for one in inputs]
    return np.column_stack(found)


def _value(one: Input, table: pd.DataFrame) -> np.ndarray:
    if one.terms:
        terms = values_of(one.terms, table)
        return one.intercept + terms @ np.array(one.coefficients)
    values = table[one.title].to_numpy(float)
    return values if one.impute is None else np.where(np.isnan(values), one.impute, values)
