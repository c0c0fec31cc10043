"""A design file (TOML), read and checked: nothing starts before all of it is understood."""

import tomllib
from pathlib import Path

from ...errors import UserError
from ...models.card_reading import Misfit, check_plain, read
from .checks import check_design
from .design import SCHEMA, Design

_LARGEST = 1_000_000  # bytes


def read_design(path: Path) -> Design:
    """Return the design in a TOML file.

    Raises
    ------
    UserError
        When the file cannot be read, or names the first place that is not as it must be.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise UserError(f"{path} is larger than 1 MB: that is no design.", "Give a design file.")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The design {path} cannot be read: {error}.", "Give a TOML file in UTF-8.") from error
    return design_of(text, path.name)


def design_of(text: str, where: str) -> Design:
    """Return the design in a text; `where` is what messages call it.

    Raises
    ------
    UserError
    """
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"{where} is no valid TOML: {error}.", "Correct it there.") from error
    if isinstance(values.get("schema"), int) and values["schema"] > SCHEMA:
        what = f"{where} is of layout {values['schema']}; this OVFRisk knows {SCHEMA}."
        raise UserError(what, "Update OVFRisk.")
    try:
        check_plain(values)
        design = read(Design, {}, values, "")
        check_design(design)
    except Misfit as misfit:
        place = f"{where}, {misfit.place}" if misfit.place else where
        raise UserError(
            f"{place}: {misfit.what}.", "Correct it there; `ovfrisk study schema` says what may stand."
        ) from None
    return design
