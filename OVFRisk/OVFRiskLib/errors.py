"""What a user can cause, and packages that may be missing."""

import importlib
from types import ModuleType


class UserError(Exception):
    """Something the user can put right.

    Parameters
    ----------
    what : str
        What is wrong, naming the file, node, level or column.
    what_to_do : str
        The next step, in the user's words.
    """

    def __init__(self, what: str, what_to_do: str) -> None:
        super().__init__(f"{what}\n{what_to_do}")
        self.what = what
        self.what_to_do = what_to_do


def import_optional(name: str, feature: str) -> ModuleType:
    """Import the module `name`, or raise a UserError that names the feature which needs it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise UserError(
            f"{feature} needs the package '{package}', which could not be loaded ({error}).",
            "Install it (the README lists the extras of `pip install ovfrisk[...]`), then start again.",
        ) from error
