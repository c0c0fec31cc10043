"""How numbers, names and people are put into words."""

import math
import re
from collections.abc import Iterable

from ..judging.estimate import Estimate, SignificanceTest
from ..running.results import StudyRun

_MINUS = re.compile(r"(?<![\w.])-(?=\d)")
PATIENT = "[patient]"
_SHORTEST_KEY = 3  # a shorter key, or a short number, is a word like others


def counted(n: int, one: str, more: str = "") -> str:
    """Return a number with its noun: ``1 patient``, ``2 patients``."""
    return f"{n:,} {one if n == 1 else more or one + 's'}"


def share(part: int, whole: int) -> str:
    """Return a part of a whole: ``80 of 240 (33.3 %)``."""
    return f"{part:,} of {whole:,}" + (f" ({100 * part / whole:.1f} %)" if whole else "")


def joined(texts: Iterable[object], word: str = "and") -> str:
    """Return texts as a sentence lists them: ``a, b and c``; ``a, b; c`` where one holds a comma itself."""
    found = [str(text) for text in texts]
    if any("," in text for text in found) and len(found) > 1:
        return "; ".join(found)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} {word} {found[-1]}" if found else ""


def p_of(test: SignificanceTest | float | None) -> str:
    """Return a P value as a text says it, or why there is none."""
    p = test.p if isinstance(test, SignificanceTest) else test
    if p is None or math.isnan(p):
        reason = test.reason if isinstance(test, SignificanceTest) else None
        return "no P value" + (f": {reason}" if reason else "")
    return "P < 0.001" if p < 0.001 else f"P = {p:.3f}"


def said(estimate: Estimate) -> str:
    """Return an estimate as a text says it, or that it is absent, and why."""
    if estimate.value is None:
        return f"absent ({estimate.reason})"
    return _MINUS.sub("−", str(estimate))


def plain(value: object) -> str:
    """Return a setting as a reader sees it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return str(value)


def settings(values: dict[str, object]) -> str:
    """Return settings with their names: ``C 0.5, l1_ratio 1``."""
    return ", ".join(f"{name} {plain(value)}" for name, value in values.items())


def capital(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


class Nameless:
    """Takes patients' keys out of texts that the run hands on: notes, reasons, names of files.

    Parameters
    ----------
    run : StudyRun
    """

    def __init__(self, run: StudyRun) -> None:
        cohorts = [run.cohort] + ([run.external] if run.external else [])
        keys = {str(key) for one in cohorts for key in (*one.table.index, *one.left_out)}
        keys |= set() if run.matching is None else {str(key) for key in run.matching.is_case.index}
        self._keys = {key for key in keys if len(key) >= _SHORTEST_KEY + 2 * key.isdigit()}
        self._words = re.compile(r"[^\s,;:'\"()/\\]+")

    def __call__(self, text: str) -> str:
        """Return the text without keys."""
        return self._words.sub(self._word, text)

    def _word(self, found: re.Match) -> str:
        word = found.group()
        bare = word.rstrip(".!?")
        return PATIENT + word[len(bare) :] if bare in self._keys else word
