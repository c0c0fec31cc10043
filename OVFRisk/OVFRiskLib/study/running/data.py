"""The patients of a study, from the tables of its design: joined, matched, split, and nobody twice."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from ...anatomy import VertebralLevel
from ...errors import UserError
from ...radiomics import Protocol
from ..cohort import (
    Balance,
    Cohort,
    Matching,
    MatchingDesign,
    Split,
    balance,
    join,
    match,
    one_row_a_patient,
    read_clinical,
    read_multiparametric,
    read_patients,
    split_by_centre,
    split_by_chance,
    split_by_date,
)
from ..cohort.columns import listed, need, titles_like
from ..cohort.wide_table import read_wide
from ..design.design import Design, Group, How, Table, TableKind
from ..seeds import seed_of

_SYNTHETIC = "synthetic"  # a column that says so in every row


@dataclass(frozen=True, eq=False)
class Patients:
    """Who takes part, and in which role.

    Parameters
    ----------
    cohort : Cohort
        Training and test patients.
    external : Cohort or None
    outcome : Series of int
        Of both.
    split : Split or None
    matching : Matching or None
    balance : Balance or None
    columns : mapping of str to list of str
        By group.
    repeats : mapping of str to list of DataFrame
        By group: who was segmented again.
    levels : tuple of VertebralLevel
        Where each patient has one level that counts: which ones can be scored; else empty.
    protocols : tuple of Protocol
        Of the columns.
    files : mapping of str to str
        SHA-256 by path.
    synthetic : bool
    """

    cohort: Cohort
    external: Cohort | None
    outcome: pd.Series
    split: Split | None
    matching: Matching | None
    balance: Balance | None
    columns: Mapping[str, list[str]]
    repeats: Mapping[str, list[pd.DataFrame]]
    levels: tuple[VertebralLevel, ...]
    protocols: tuple[Protocol, ...]
    files: Mapping[str, str]
    synthetic: bool

    @property
    def train(self) -> pd.Index:
        """Return who trains."""
        return self.cohort.table.index if self.split is None else pd.Index(self.split.train)

    @property
    def test(self) -> pd.Index:
        """Return who tests; nobody where there is no split."""
        return pd.Index([] if self.split is None else self.split.test, dtype=object)


def patients_of(design: Design, folder: Path) -> Patients:
    """Read the tables and decide who takes part.

    Parameters
    ----------
    design : Design
    folder : Path
        Of the design file.

    Raises
    ------
    UserError
        When a table cannot be read or joined, the outcome is none, columns are missing, nobody is left, or the external
        patients are not others.
    """
    cohort = _joined(design, design.tables, folder)
    columns = {group.name: _columns(cohort, group, design.outcome) for group in design.groups}
    cohort = _complete(cohort, design, columns)
    matching = _matched(cohort, design)
    if matching is not None:
        before, cohort = cohort, cohort.only(matching.keys, "not matched")
    external = _external(design, folder, cohort, columns)
    parts = [cohort] if external is None else [cohort, external]
    outcome = pd.concat([one.table[design.outcome] for one in parts]).astype(int)
    found = [table for one in parts for table in [one.table]]
    return Patients(
        cohort=cohort,
        external=external,
        outcome=outcome,
        split=_split(cohort.table, design),
        matching=matching,
        balance=None if matching is None else balance(before.table, matching),
        columns=columns,
        repeats={group.name: [_repeat(path, folder) for path in group.repeats] for group in design.groups},
        levels=_levels(design, cohort),
        protocols=_protocols(design),
        files=_files(design, folder),
        synthetic=design.synthetic or any(_SYNTHETIC in one and one[_SYNTHETIC].notna().any() for one in found),
    )


def _joined(design: Design, tables: Sequence[Table], folder: Path) -> Cohort:
    clinical = {one.name: _read(one, folder) for one in tables if one.kind is not TableKind.PATIENTS}
    read = {one.name: clinical.get(one.name) or _read(one, folder, clinical.values()) for one in tables}
    cohort = join(list(read.values()), list(read), design.lacking)
    need(cohort.table, [design.outcome])
    values = set(cohort.table[design.outcome].dropna())
    if cohort.table[design.outcome].isna().any() or values - {0, 1}:
        what = f"The outcome '{design.outcome}' holds {listed(sorted(values, key=str))} or is empty for some patients."
        raise UserError(what, "Code it: 1 with the event, 0 without; leave out whose outcome is not known.")
    return cohort


def _read(table: Table, folder: Path, clinical: object = ()) -> Cohort:
    paths = _paths(table, folder)
    if table.kind is TableKind.PATIENTS:
        chosen = (_id(table.protocol),) if table.protocol else ()
        level_of = _level_of(table.level_column, clinical) if table.level_column else None
        levels = table.levels or None
        return one_row_a_patient(read_patients(paths), levels, table.statistic, table.least, chosen, level_of)
    if len(paths) != 1:
        raise UserError(f"The table '{table.name}' is {len(paths)} files.", "Name one file for each table.")
    if table.kind is TableKind.CLINICAL:
        return read_clinical(paths[0], table.key, table.units, table.text)
    if table.kind is TableKind.MULTIPARAMETRIC:
        return read_multiparametric(paths[0])
    protocol = Protocol.load(table.protocol) if table.protocol else None
    return read_wide(paths[0], table.key, protocol, table.levels, table.least, table.units)


def _id(protocol: str) -> str:
    try:
        return Protocol.load(protocol).id
    except UserError:
        return protocol  # an id already


def _level_of(column: str, clinical: object) -> dict[str, VertebralLevel]:
    for one in clinical:
        if column in one.table:
            try:
                return {key: VertebralLevel(level) for key, level in one.table[column].dropna().items()}
            except ValueError as error:
                raise UserError(
                    f"The column '{column}' names no level: {error}.", "Write levels as T12, L1 …"
                ) from error
    raise UserError(f"No clinical table has the column '{column}' of levels.", "Correct level_column.")


def _paths(table: Table, folder: Path) -> list[Path]:
    found = []
    for pattern in table.paths:
        several = any(sign in pattern for sign in "*?[")
        matches = sorted(folder.glob(pattern)) if several else [folder / pattern]
        if not matches or not all(one.exists() for one in matches):
            raise UserError(f"The table '{table.name}': there is no {folder / pattern}.", "Correct its paths.")
        found += matches
    return found


def _columns(cohort: Cohort, group: Group, outcome: str) -> list[str]:
    """Return the titles of a group's columns, in the table's order."""
    for pattern in group.columns:
        if fnmatchcase(outcome, pattern):
            raise UserError(
                f"The group '{group.name}' holds the outcome '{outcome}'.", "Name its columns more narrowly."
            )
        if not titles_like(cohort, [pattern], outcome):
            what = f"The group '{group.name}' wants '{pattern}', which no column of numbers is called."
            raise UserError(what, f"The columns are: {listed(cohort.table.columns, 12)}.")
    return titles_like(cohort, group.columns, outcome)


def _complete(cohort: Cohort, design: Design, columns: Mapping[str, list[str]]) -> Cohort:
    """Leave out who lacks a value that is not imputed."""
    needed = list(dict.fromkeys(t for group in design.groups if not group.impute for t in columns[group.name]))
    gaps = cohort.table[needed].isna()
    lacking = gaps.any(axis=1)
    if lacking.all():
        raise UserError("No patient has all values of the models' columns.", "Set impute, or name fewer columns.")
    first = {key: needed[int(gaps.loc[key].to_numpy().argmax())] for key in cohort.table.index[lacking]}
    kept = cohort.only(list(cohort.table.index[~lacking]), "incomplete")
    return replace(kept, left_out=dict(kept.left_out) | {key: f"has no '{title}'" for key, title in first.items()})


def _matched(cohort: Cohort, design: Design) -> Matching | None:
    plan = design.matching
    if plan is None:
        return None
    seed = seed_of(design.seed, "matching")
    made = MatchingDesign(
        plan.covariates, plan.ratio, plan.caliper, plan.scale, plan.replace, plan.order, seed, plan.exact
    )
    return match(cohort.table, design.outcome, 1.0, made)


def _external(design: Design, folder: Path, cohort: Cohort, columns: Mapping[str, list[str]]) -> Cohort | None:
    if not design.external:
        return None
    found = _joined(design, design.external, folder)
    need(found.table, [title for titles in columns.values() for title in titles])
    shared = found.table.index.intersection(cohort.table.index)
    if len(shared):
        what = f"{len(shared)} patients are in the external set and in the study's, e.g. {shared[0]}."
        raise UserError(what, "Take them out of one of the two.")
    return _complete(found, design, columns)


def _split(frame: pd.DataFrame, design: Design) -> Split | None:
    plan = design.split
    if plan.how is How.NONE:
        return None
    if plan.how is How.DATE:
        return split_by_date(frame, design.outcome, plan.column, plan.first_test_day)
    if plan.how is How.CENTRE:
        return split_by_centre(frame, design.outcome, plan.column, plan.centres)
    size = plan.test if plan.test < 1 else round(plan.test)
    return split_by_chance(frame, design.outcome, size, seed_of(design.seed, "split"), plan.column or None)


def _repeat(path: str, folder: Path) -> pd.DataFrame:
    return read_clinical(folder / path).table


def _levels(design: Design, cohort: Cohort) -> tuple[VertebralLevel, ...]:
    for table in design.tables:
        if table.level_column:
            if table.levels:
                return table.levels
            need(cohort.table, [table.level_column])
            found = {VertebralLevel(level) for level in cohort.table[table.level_column].dropna()}
            return tuple(sorted(found, key=lambda level: level.rank))
    return ()


def _protocols(design: Design) -> tuple[Protocol, ...]:
    names = dict.fromkeys(table.protocol for table in design.tables if table.protocol)
    return tuple(Protocol.load(name) for name in names)


def _files(design: Design, folder: Path) -> dict[str, str]:
    """Return the hash of every file that is read, by its path from the design's folder."""
    paths = [path for table in (*design.tables, *design.external) for path in _paths(table, folder)]
    paths += [folder / path for group in design.groups for path in group.repeats]
    files = [file for path in paths for file in (sorted(path.glob("*")) if path.is_dir() else [path])]
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in dict.fromkeys(files)
        if file.is_file() and (not file.parent.samefile(folder) or file in paths)
    }
