"""What figures say: numbers with intervals, sets of patients, names that are short enough."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd

from ..judging.estimate import Estimate

_SETS = {
    "training": "training patients (apparent)",
    "cross-validation": "training patients, in cross-validation",
    "test": "test patients",
    "external": "external patients",
}
_LINE, _LEGEND = 30, 46  # characters: of a label, of a legend
_BREAKS = re.compile(r"(?<=[_\-\s.])")


def patients(where: str) -> str:
    """Return which patients the set `where` has."""
    return _SETS.get(where, where)


def counted(where: str, n: int, events: int) -> str:
    """Return a set with its size, as ``Test patients, n = 64 (19 with the event)``."""
    name = patients(where)
    return f"{name[:1].upper()}{name[1:]}, n = {n:,} ({events:,} with the event)"


def figures_of(value: float | None, low: float | None, high: float | None, digits: int = 3) -> str:
    """Return a value with its interval, as ``0.781 (0.702 to 0.860)``; ``absent`` where there is no value."""
    if value is None:
        return "absent"
    if low is None or high is None:
        return f"{signless(value, digits)} (no interval)"
    return f"{signless(value, digits)} ({signless(low, digits)} to {signless(high, digits)})"


def interval(estimate: Estimate, digits: int = 3) -> str:
    """Return `figures_of` an estimate."""
    return figures_of(estimate.value, estimate.low, estimate.high, digits)


def signless(value: float, digits: int) -> str:
    """Return a rounded number with a real minus, and zero without a sign."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def reasons(named: Iterable[tuple[str, Estimate]]) -> str:
    """Return a sentence on what is absent and why; empty where nothing is."""
    lacking = [
        f"{name}: {'no interval, ' if one.value is not None else ''}{one.reason}"
        for name, one in named
        if one.value is None or one.low is None
    ]
    return f"Absent: {'; '.join(lacking)}." if lacking else ""


def joined(*sentences: str) -> str:
    """Return the sentences that there are, in one line."""
    return " ".join(sentence for sentence in sentences if sentence)


def p_value(p: float | None) -> str:
    """Return a P value as journals print it, or nothing."""
    if p is None:
        return ""
    return "P < 0.001" if p < 0.001 else f"P = {p:.3f}" if p < 0.1 else f"P = {p:.2f}"


def number(value: object) -> float | None:
    """Return a cell of a frame as a number, None where it is empty."""
    return None if value is None or pd.isna(value) else float(value)


def labels(names: Sequence[str], line: int = _LINE) -> list[str]:
    """Return the names in one or two lines each, with an ellipsis in the middle of very long ones.

    Where two names would look the same, both are written in full, in as many lines as they need.
    """
    short = [_two_lines(name, line) for name in names]
    often = Counter(short)
    return ["\n".join(_wrapped(name, line)) if often[text] > 1 else text for name, text in zip(names, short)]


def model_name(name: str) -> str:
    """Return a model's title in one line, with an ellipsis in its middle where it is very long."""
    return one_line(name, _LEGEND)


def one_line(name: str, most: int) -> str:
    """Return a text in one line of at most so many characters, with an ellipsis in its middle."""
    whole = " ".join(name.split())
    return whole if len(whole) <= most else f"{whole[: most // 2]}…{whole[most // 2 + 1 - most :]}"


def _two_lines(name: str, line: int) -> str:
    given = name.split("\n")
    if len(given) > 1:
        return "\n".join(one_line(part, _LEGEND) for part in given)
    head, _, tail = name.rpartition(", ")
    if len(name) > line and head and max(len(head) + 1, len(tail)) <= line:
        return f"{head},\n{tail}"
    rows = _wrapped(name, line)
    if len(rows) <= 2:
        return "\n".join(rows)
    return f"{rows[0]}\n…{' '.join(name.split())[1 - line :]}"


def _wrapped(name: str, line: int) -> list[str]:
    """Return the lines of a name, broken where its parts end, or anywhere where a part is too long."""
    rows = [""]
    for part in _BREAKS.split(" ".join(name.split())):
        left = part
        while len(left) > line:
            free = line - len(rows[-1])
            rows[-1] += left[:free]
            left = left[free:]
            rows.append("")
        if len(rows[-1]) + len(left.rstrip()) > line:
            rows.append("")
        rows[-1] += left
    return [row.strip() for row in rows if row.strip()]
