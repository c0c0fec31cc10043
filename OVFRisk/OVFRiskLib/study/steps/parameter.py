"""The parameters of a step: what a design file may set, and within which limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real

from ...errors import UserError


@dataclass(frozen=True)
class Parameter:
    """One parameter of a step.

    Parameters
    ----------
    name : str
        As in the step's constructor.
    kind : type
        ``int``, ``float``, ``bool``, ``str`` or ``tuple`` (of names); ``object`` is not for a design file: a table or
        a splitter, which the code around the step gives.
    default : object
        The constructor's.
    source : str
        Where the default is from.
    lowest, highest : float or None
        Bounds, both allowed.
    choices : tuple of str
        All the texts that are allowed; empty where any is.
    optional : bool
        Whether it may be None (absent in the file).
    """

    name: str
    kind: type
    default: object
    source: str
    lowest: float | None = None
    highest: float | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False

    def check(self, value: object, step: str) -> None:
        """Raise a UserError where `value` is of another type or outside the limits."""
        if self.kind is object or (value is None and self.optional):
            return
        if not self._is_of_kind(value) or not self._is_inside(value):
            raise UserError(f"{step}: {self.name} is {value!r}.", f"Set {self.name} to {self.allowed}.")

    def _is_of_kind(self, value: object) -> bool:
        if self.kind in (int, float):
            number = Integral if self.kind is int else Real
            return isinstance(value, number) and not isinstance(value, bool)
        if self.kind is tuple:
            return isinstance(value, tuple | list) and all(isinstance(name, str) for name in value)
        return isinstance(value, self.kind)

    def _is_inside(self, value: object) -> bool:
        if self.kind in (int, float):
            low, high = self.lowest, self.highest
            return (low is None or value >= low) and (high is None or value <= high)
        return not self.choices or value in self.choices

    @property
    def allowed(self) -> str:
        """What may be set, in words."""
        if self.choices:
            return " or ".join(f"'{choice}'" for choice in self.choices)
        words = {
            int: "a whole number",
            float: "a number",
            bool: "true or false",
            tuple: "a list of names",
            str: "a text",
        }
        bounds = [f"from {self.lowest:g}"] if self.lowest is not None else []
        bounds += [f"up to {self.highest:g}"] if self.highest is not None else []
        return " ".join([words[self.kind], *bounds])


def schema_of(step: type) -> Mapping[str, Mapping[str, object]]:
    """Return the parameters of a step that a design file can set, by name, as plain values for a JSON schema."""
    words = {int: "integer", float: "number", bool: "boolean", str: "string", tuple: "array"}
    found = {}
    for parameter in step.PARAMETERS:
        if parameter.kind is object:
            continue
        limits = {"minimum": parameter.lowest, "maximum": parameter.highest, "enum": list(parameter.choices) or None}
        default = list(parameter.default) if parameter.kind is tuple else parameter.default
        entry = {"type": words[parameter.kind], "default": default, "description": parameter.source} | limits
        found[parameter.name] = {key: value for key, value in entry.items() if value is not None}
    return found
