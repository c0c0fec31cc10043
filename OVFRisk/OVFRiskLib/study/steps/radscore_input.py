"""A radscore as the input of a model card."""

from collections.abc import Mapping
from dataclasses import replace

from ...errors import UserError
from ...models.card import Input
from .base import listed
from .lasso import Radscore
from .scaling import AdaptiveScaler


def radscore_input(
    radscore: Radscore, columns: Mapping[str, Input], title: str, scaler: AdaptiveScaler | None = None
) -> Input:
    """Return the Input whose terms, coefficients and intercept give what `radscore` gives.

    Parameters
    ----------
    radscore : Radscore
        Fitted.
    columns : mapping of str to Input
        What each column of the table is; its center and scale do not matter.
    title : str
        What a reader calls the radscore.
    scaler : AdaptiveScaler or None
        The fitted one in front of the radscore; its scaling and the radscore's become one.

    Raises
    ------
    UserError
        Where there is nothing to write, or a column is not known.
    """
    if radscore.terms_.empty:
        raise UserError(f"{radscore.name}: {radscore.note_}.", "Leave the radscore out of the model.")
    lacking = [name for name in radscore.terms_.index if name not in columns]
    if lacking:
        raise UserError(f"It is not known what {listed(lacking)} measures.", "Give the column's name, unit and part.")
    before = {} if scaler is None else scaler.table_[["center", "scale"]].to_dict("index")
    terms = []
    for name, term in radscore.terms_.iterrows():
        first = before.get(name, {"center": 0.0, "scale": 1.0})
        center = first["center"] + first["scale"] * term["center"]
        terms.append(replace(columns[name], center=float(center), scale=float(first["scale"] * term["scale"])))
    coefficients = tuple(float(value) for value in radscore.terms_["coefficient"])
    return Input(
        name=radscore.name,
        title=title,
        unit="1",
        terms=tuple(terms),
        coefficients=coefficients,
        intercept=radscore.scaled_intercept_,
    )
