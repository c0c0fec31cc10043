"""JSON of files from elsewhere: read with limits, so that it is either what it says or refused."""

import json
import math

from ..errors import UserError

_HELP = "Get the file again, or correct it."


def read_json(data: bytes, where: str) -> object:
    """Return what JSON text in UTF-8 holds; no key may stand twice in an object, and every number is finite.

    Raises
    ------
    UserError
        Names `where`, and why it cannot be read.
    """
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_each_once,
            parse_constant=_no_number,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise UserError(f"{where} is no text in UTF-8 (at byte {error.start}).", _HELP) from None
    except RecursionError:
        raise UserError(f"{where} is nested too deeply.", _HELP) from None
    except ValueError as error:  # no JSON, a number of thousands of digits, or one of ours
        raise UserError(f"{where} is no valid JSON ({str(error).partition(';')[0]}).", _HELP) from None


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"{ascii(twice)[:60]} stands twice in one object")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large")
    return value
