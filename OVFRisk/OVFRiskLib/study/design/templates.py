"""The designs of the papers, to start from."""

from ...errors import UserError
from ...resources import resource

TEMPLATES = ("fracture-risk", "residual-back-pain", "malignant-fracture", "vbq")


def template(name: str) -> str:
    """Return a template's text (TOML).

    Raises
    ------
    UserError
        When there is no such template.
    """
    if name not in TEMPLATES:
        raise UserError(f"There is no template '{name}'.", f"Choose one of: {', '.join(TEMPLATES)}.")
    return resource("Study", f"{name}.toml").read_text("utf-8")
