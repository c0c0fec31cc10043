"""Reading what a bundle says of its predictor: it comes from outside, so every value is checked."""

import json
from collections.abc import Collection, Mapping

import numpy as np

from ...errors import UserError

_LONGEST = 80
_LARGEST = 1e100


class RefusedError(UserError):
    """What a bundle says of its predictor cannot be used."""


def refused(what: str) -> RefusedError:
    """Return the error that a predictor is refused with, in one line."""
    return RefusedError(
        f"The model's predictor cannot be used: {' '.join(what.split())}.",
        "Get the model again from whoever made it, or train and export it again.",
    )


def shown(value: object) -> str:
    """Return `value` as one short line."""
    text = repr(value) if not isinstance(value, (list, dict)) else f"a {type(value).__name__} of {len(value)}"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def check_keys(values: Mapping, required: Collection[str], optional: Collection[str] = ()) -> None:
    """Refuse missing and unknown keys of the JSON object `values`."""
    missing = [key for key in required if key not in values]
    unknown = [key for key in values if key not in required and key not in optional]
    if missing:
        raise refused(f"'{missing[0]}' is missing")
    if unknown:
        raise refused(f"{shown(unknown[0])} is not known")


def check_parts(parts: Mapping[str, bytes], names: Collection[str]) -> None:
    """Refuse missing and superfluous weight files."""
    missing = [name for name in names if name not in parts]
    superfluous = [name for name in parts if name not in names]
    if missing:
        raise refused(f"its weight file '{missing[0]}' is missing")
    if superfluous:
        raise refused(f"{shown(superfluous[0])} is none of its weight files")


def number(value: object, what: str, low: float = -_LARGEST, high: float = _LARGEST) -> float:
    """Return a JSON number between `low` and `high`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise refused(f"{what} is {shown(value)}, not a number from {low:g} to {high:g}")
    return float(value)


def integer(value: object, what: str, low: int, high: int) -> int:
    """Return a whole JSON number between `low` and `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise refused(f"{what} is {shown(value)}, not a whole number from {low} to {high}")
    return value


def numbers(values: object, what: str, count: int) -> np.ndarray:
    """Return a JSON array of exactly `count` numbers, shape (count,)."""
    if not isinstance(values, list) or len(values) != count:
        raise refused(f"{what} is {shown(values)}, not a list of {count} numbers")
    return np.array([number(value, f"{what}[{n}]") for n, value in enumerate(values)])


def json_of(text: bytes, what: str, limit: int) -> object:
    """Return the JSON value of at most `limit` bytes, without NaN or infinity."""
    if len(text) > limit:
        raise refused(f"{what} is larger than {limit} bytes")
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refused(f"{what} is not valid JSON ({shown(str(error))})") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def rows_of(x: np.ndarray, inputs: int) -> np.ndarray:
    """Return `x` as contiguous float64, shape (rows, inputs); ValueError where it is not that, or not finite."""
    x = np.ascontiguousarray(x, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != inputs or not np.isfinite(x).all():
        raise ValueError(f"a predictor needs finite numbers of shape (rows, {inputs}), not {x.shape}")
    return x


def row_of(x: np.ndarray, inputs: int) -> np.ndarray:
    """Return one row of inputs as float64, shape (inputs,); ValueError where it is not that, or not finite."""
    return rows_of(np.asarray(x, dtype=np.float64)[np.newaxis], inputs)[0]


def probabilities(values: np.ndarray, rows: int) -> np.ndarray:
    """Return the probabilities that the loaded weights gave, shape (rows,); refuse what cannot be one."""
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (rows,) or not ((values >= 0) & (values <= 1)).all():
        raise refused("it gives something else than probabilities")
    return values


def expit(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)
