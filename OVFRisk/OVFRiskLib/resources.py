"""The one resolver of data files: installed in Slicer, in the wheel, or the source tree."""

from pathlib import Path

from .errors import UserError

_HERE = Path(__file__).resolve().parent
_HOMES = (
    _HERE / "Resources",  # the wheel
    _HERE.parent / "Resources",  # beside the module that Slicer installed
    _HERE.parent.parent / "Resources",  # the source tree
)


def resource(*parts: str) -> Path:
    """Return the path of the data file or folder `Resources/<parts>`.

    Raises
    ------
    UserError
        When no home of the data files holds it: the installation is damaged.
    """
    for home in _HOMES:
        path = home.joinpath(*parts)
        if path.exists():
            return path
    raise UserError(f"OVFRisk's data file {'/'.join(parts)} is missing.", "Install OVFRisk again.")
