"""A table of one row a patient whose columns are features and measurements, called as `wide` calls them."""

from collections.abc import Collection, Mapping
from pathlib import Path

from ...anatomy import Compartment, Structure, VertebralLevel
from ...errors import UserError
from ...models.card import Statistic
from ...models.inputs import PERSONAL
from ...radiomics import Protocol
from .columns import Cohort, Column
from .tables import KEY, read_clinical

_PARTS = {str(part).replace("-", "_"): part for part in (*Compartment, *Structure)}
_LEVELS = {str(level): level for level in VertebralLevel}


def read_wide(
    path: Path,
    key: str = KEY,
    protocol: Protocol | None = None,
    levels: Collection[VertebralLevel] = (),
    least: int = 1,
    units: Mapping[str, str] | None = None,
) -> Cohort:
    """Read a wide table.

    Parameters
    ----------
    path : Path
        CSV; titles are ``cancellous_L1_original_glcm_Idmn``, ``cancellous_mean_original_glcm_Idmn`` (of `levels`) or
        ``body_original_glcm_Idmn`` (of the level that counts of each patient).
    key : str
    protocol : Protocol, optional
        Of the columns that are radiomics features.
    levels : collection of VertebralLevel
        Over which columns with a statistic were joined.
    least : int
        How many of them had to have a value.
    units : mapping of str to str, optional
        UCUM, by title.

    Raises
    ------
    UserError
        As `read_clinical`, or when features come without a protocol, joined columns without `levels`.
    """
    found = read_clinical(path, key, units)
    order = tuple(sorted(set(levels), key=lambda level: level.rank))
    features = frozenset(protocol.feature_names) if protocol else frozenset()
    columns = {title: _described(column, order, least) for title, column in found.columns.items()}
    for title, column in columns.items():
        if column.statistic is not None and len(order) < 2:
            raise UserError(f"{path}: '{title}' joins several levels.", "Say which, e.g. levels = ['T11', 'T12'].")
        if column.name in features:
            columns[title] = Column(**{**vars(column), "protocol_id": protocol.id})
    return Cohort(found.table, columns, found.absent, found.flagged)


def _described(column: Column, levels: tuple[VertebralLevel, ...], least: int) -> Column:
    """Return what the title of a column says it is."""
    parts = [part for part in _PARTS if column.title.startswith(f"{part}_")]
    if not parts or not column.unit or column.title in PERSONAL:
        return column
    part = max(parts, key=len)
    rest = column.title[len(part) + 1 :]
    first, _, name = rest.partition("_")
    if first in _LEVELS:
        return Column(column.title, name, column.unit, _PARTS[part], (_LEVELS[first],))
    if first in set(Statistic):
        return Column(column.title, name, column.unit, _PARTS[part], levels, Statistic(first), least)
    return Column(column.title, rest, column.unit, _PARTS[part])
