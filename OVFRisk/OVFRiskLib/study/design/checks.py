"""What must fit together in a design, besides the types of its values."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from ...errors import UserError
from ...models.card_reading import Misfit
from ..learners import LEARNERS
from ..steps import make_step
from ..steps.sampling import Sampler
from .design import Design, How, StepDesign, Table, TableKind

Faults = Iterator[tuple[str, str]]
_LAST = ("radscore",)  # nothing is to come after it
_GIVEN = {"repeats", "batches", "splitter"}  # tables that the run hands to a step


def check_design(design: Design) -> None:
    """Raise a Misfit at the first place that does not fit the others."""
    for place, what in _faults(design):
        raise Misfit(place, what)


def _faults(design: Design) -> Faults:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", design.name):
        yield "name", "must be lower-case letters, digits and hyphens between them"
    for name in ("tables", "groups", "variants", "learners", "ways"):
        if not getattr(design, name):
            yield name, "must not be empty"
    yield from _names(design)
    for place, tables in (("tables", design.tables), ("external", design.external)):
        for n, table in enumerate(tables):
            yield from _table(table, f"{place}[{n}]")
    yield from _groups(design)
    yield from _steps(design.sampling, "sampling", sampling=True)
    yield from _variants(design)
    yield from _learners(design)
    yield from _split(design)
    yield from _numbers(design)


def _names(design: Design) -> Faults:
    for place in ("tables", "groups", "variants"):
        seen: set[str] = set()
        for n, one in enumerate(getattr(design, place)):
            if one.name in seen or not one.name:
                yield f"{place}[{n}].name", "must be there, and be no other's"
            seen.add(one.name)
    for n, one in enumerate(design.variants):
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.name):
            yield f"variants[{n}].name", "must be lower-case letters, digits and hyphens between them"


def _table(table: Table, place: str) -> Faults:
    if not table.paths:
        yield f"{place}.paths", "must not be empty"
    yield from _paths(table.paths, f"{place}.paths")
    if table.kind is TableKind.PATIENTS and table.level_column and (table.levels or table.statistic):
        yield f"{place}.level_column", "leaves no levels to join: remove levels and statistic, or it"


def _paths(paths: Iterable[str], place: str) -> Faults:
    for n, path in enumerate(paths):
        parts = PurePosixPath(path.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in path or not path:
            yield f"{place}[{n}]", "must lie in the design file's folder or below: put the design beside its tables"


def _groups(design: Design) -> Faults:
    for n, group in enumerate(design.groups):
        place = f"groups[{n}]"
        if not group.columns:
            yield f"{place}.columns", "must not be empty"
        yield from _steps(group.steps, f"{place}.steps", sampling=False)
        yield from _paths(group.repeats, f"{place}.repeats")
        wanted = any(step.name == "reproducibility" for step in group.steps)
        if wanted and len(group.repeats) < 2:
            yield f"{place}.repeats", "must name two tables or more: the step 'reproducibility' compares them"
        if group.repeats and not wanted:
            yield f"{place}.repeats", "is for the step 'reproducibility', which the group has not"


def _steps(steps: tuple[StepDesign, ...], place: str, *, sampling: bool) -> Faults:
    for n, step in enumerate(steps):
        here = f"{place}[{n}]"
        given = sorted(_GIVEN & set(step.set))
        if given:
            yield f"{here}.set.{given[0]}", "is given by the run, not by the design"
        try:
            made = make_step(step.name, **step.set)
        except UserError as error:
            yield here, f"{error.what.rstrip('.')} ({error.what_to_do.rstrip('.')})"
            continue
        if isinstance(made, Sampler) is not sampling:
            where = "sampling" if not sampling else "the steps of a group"
            yield f"{here}.name", f"'{step.name}' belongs in {where}"
        if step.name in _LAST and n + 1 < len(steps):
            yield here, f"'{step.name}' must be the last step: it leaves one column"


def _variants(design: Design) -> Faults:
    groups = {group.name for group in design.groups}
    known = {variant.name: variant for variant in design.variants}
    for n, one in enumerate(design.variants):
        place = f"variants[{n}]"
        yield from _among(one.groups, groups, f"{place}.groups", "group")
        yield from _among(one.learners, set(design.learners), f"{place}.learners", "learner of the design")
        if not one.groups:
            yield f"{place}.groups", "must not be empty"
        if one.parameters_of:
            yield from _among((one.parameters_of,), set(known) - {one.name}, f"{place}.parameters_of", "other variant")
            other = known.get(one.parameters_of)
            if other and (other.parameters_of or (other.learners and set(one.learners) - set(other.learners))):
                yield f"{place}.parameters_of", "must be a variant that is searched itself, with the same learners"
    if design.judging.reference:
        yield from _among((design.judging.reference,), set(known), "judging.reference", "variant")


def _learners(design: Design) -> Faults:
    yield from _among(design.learners, set(LEARNERS), "learners", "learner")
    yield from _among(design.validation.learners, set(design.learners), "validation.learners", "learner of the design")


def _among(names: Iterable[str], known: set[str], place: str, kind: str) -> Faults:
    for name in names:
        if name not in known:
            yield place, f"'{name}' is no {kind} (there are {', '.join(sorted(known))})"


def _split(design: Design) -> Faults:
    plan = design.split
    if plan.how is How.CHANCE and not plan.test > 0:
        yield "split.test", "must be a share below 1 or a number of patients"
    if plan.how in (How.DATE, How.CENTRE) and not plan.column:
        yield "split.column", f"must name the column to split by {plan.how}"
    if plan.how is How.DATE and not plan.first_test_day:
        yield "split.first_test_day", "must be a date such as 2024-07-31, in quotation marks"
    if plan.how is How.CENTRE and not plan.centres:
        yield "split.centres", "must name the centres that test"
    if design.matching is not None and not design.matching.covariates:
        yield "matching.covariates", "must not be empty"


def _numbers(design: Design) -> Faults:
    judging, validation = design.judging, design.validation
    shares = {"judging.sensitivity": judging.sensitivity, "judging.highest_threshold": judging.highest_threshold}
    if judging.prevalence is not None:
        shares["judging.prevalence"] = judging.prevalence
    for n, share in enumerate(validation.learning_curve):
        shares[f"validation.learning_curve[{n}]"] = share
    for place, share in shares.items():
        if not 0 < share <= 1:
            yield place, "must be above 0, up to 1"
    least = {
        "candidates": (design.candidates, 1),
        "folds": (design.folds, 2),
        "judging.replicates": (judging.replicates, 100),
    }
    for place, (number, lowest) in least.items():
        if number < lowest:
            yield place, f"must be {lowest} or more"
    if validation.folds == 1:
        yield "validation.folds", "must be 0 (none) or 2 and more"
    if validation.learning_curve and validation.learning_repeats < 1:
        yield "validation.learning_repeats", "must be 1 or more"
