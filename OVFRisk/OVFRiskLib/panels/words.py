"""Words that a user sees: the front end sets the translation."""

import sys
from collections.abc import Callable

_translate: Callable[[str, str], str] | None = None


def use_translation(translate: Callable[[str, str], str] | None) -> None:
    """Let `_` translate by `translate(context, text)`, as Slicer's ``slicer.i18n.translate``."""
    global _translate  # noqa: PLW0603 -- one language a process
    _translate = translate


def _(text: str) -> str:
    """Return `text` in the user's language; English where nothing translates.

    The context is that of the calling file, ``panels.images``, as Slicer names it for its translators.
    """
    if _translate is None:
        return text
    return _translate(".".join(sys._getframe(1).f_globals["__name__"].split(".")[-2:]), text)
