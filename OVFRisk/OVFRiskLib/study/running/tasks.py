"""The parts of a study's run: each stands alone, takes its seed from its name, and leaves one file."""

import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import pandas as pd

from ...errors import UserError
from ..design.design import Design, Variant, Way
from ..design.reading import read_design
from ..learners import LEARNERS
from ..learners.search import one_thread
from . import resample
from .data import Patients, patients_of
from .final import Settings, final_model
from .importance import without
from .procedure import Procedure, procedure_of
from .results import ModelResult
from .store import of_frame, of_model, read_json, to_frame, to_model, write_json

_BLOCK = 10  # bootstrap samples a task
_SLOW_FIRST = ("tabnet", "random-forest", "xgboost", "svm")  # so that two cores end at about the same time


@dataclass(frozen=True)
class Task:
    """A part of a run.

    Parameters
    ----------
    kind : str
        ``search``, ``final``, ``nested``, ``hold-out``, ``bootstrap``, ``learning-curve`` or ``ablation``.
    way : Way
    variant, learner : str
    part : tuple
        Which repeat, fold, share.
    """

    kind: str
    way: Way
    variant: str
    learner: str
    part: tuple = ()

    @property
    def file(self) -> str:
        """Name of what it leaves."""
        words = (self.kind, self.way, self.variant, self.learner, *self.part)
        return "_".join(str(word).replace(" ", "-") for word in words) + ".json"


def search_tasks(design: Design) -> list[Task]:
    """Return the searches of settings: each uses all processes itself."""
    return [
        Task("search", way, variant.name, learner)
        for way, variant in product(design.ways, design.variants)
        for learner in _learners(design, variant)
        if not variant.parameters_of and LEARNERS[learner].is_searched
    ]


def final_tasks(design: Design) -> list[Task]:
    """Return the tasks of the models that are trained on all training patients."""
    found = [
        Task("final", way, variant.name, learner)
        for way, variant in product(design.ways, design.variants)
        for learner in _learners(design, variant)
    ]
    return _slow_first(found)


def other_tasks(design: Design) -> list[Task]:
    """Return the tasks that need the final models."""
    found = []
    for way, variant in product(design.ways, design.variants):
        for learner in _learners(design, variant):
            if not design.validation.learners or learner in design.validation.learners:
                found += [Task(kind, way, variant.name, learner, part) for kind, part in _parts(design, way)]
    return _slow_first(found)


def _slow_first(tasks: Sequence[Task]) -> list[Task]:
    rank = {name: n for n, name in enumerate(_SLOW_FIRST)}
    return sorted(tasks, key=lambda task: rank.get(task.learner, len(rank)))


def _learners(design: Design, variant: Variant) -> tuple[str, ...]:
    return variant.learners or design.learners


def _parts(design: Design, way: Way) -> Iterator[tuple[str, tuple]]:
    plan = design.validation
    yield from (("nested", part) for part in product(range(plan.repeats), range(plan.folds)))
    yield from (("hold-out", (repeat,)) for repeat in range(plan.hold_outs))
    samples = range(0, plan.bootstraps + 1, _BLOCK) if plan.bootstraps else ()  # and the patients themselves: number 0
    yield from (("bootstrap", (start,)) for start in samples)
    if way is Way.LEAK_FREE:
        yield from (("learning-curve", (share,)) for share in plan.learning_curve)
        if plan.ablation:
            yield "ablation", ()


def chunks(tasks: Sequence[Task]) -> list[list[Task]]:
    """Return the tasks in bundles for one process each: those of the same patients share their prepared inputs."""
    found: dict[tuple, list[Task]] = {}
    for task in tasks:
        key = (task.kind, task.way, task.part) if task.kind != "final" else (task,)
        found.setdefault(key, []).append(task)
    return list(found.values())


def run_tasks(out: Path, data: Path, tasks: Sequence[Task]) -> int:
    """Do tasks whose files are not there yet, and return how many these are."""
    memory: dict[tuple, object] = {}
    for task in tasks:
        run_task(out, data, task, memory)
    return len(tasks)


def run_task(out: Path, data: Path, task: Task, memory: dict[tuple, object], jobs: int = 1) -> None:
    """Do a task whose file is not there yet.

    Parameters
    ----------
    out : Path
        The study's folder, with ``design.toml``, ``work`` and ``models``.
    data : Path
        The folder of the tables.
    task : Task
    memory : dict
        Of fitted preparations.
    jobs : int
        Processes of a search.
    """
    path = out / "work" / task.file
    if not path.exists():
        start = time.perf_counter()
        with one_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters of them stands in the final models' notes
            values = _done(out, data, task, memory, jobs)
        write_json(path, {"values": values, "seconds": time.perf_counter() - start, "memory_mb": _memory_mb()})


def _memory_mb() -> float | None:
    """Return the most memory that this process had, MB; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _done(out: Path, data: Path, task: Task, memory: dict[tuple, object], jobs: int) -> dict:
    design, patients = _loaded(out / "design.toml", data)
    procedure = procedure_of(design, patients, task.way, task.variant, task.learner, memory)
    if task.kind == "search":
        return _searched(procedure, jobs)
    if task.kind == "final":
        return of_model(_final(out, procedure))
    model = read_final(out, task.way, task.variant, task.learner)
    if model.failed:
        return {"rows": None, "note": model.failed}
    try:
        return {"rows": of_frame(_rows(procedure, task, model)), "note": ""}
    except UserError as error:
        return {"rows": None, "note": error.what}


@cache
def _loaded(design: Path, data: Path) -> tuple[Design, Patients]:
    found = read_design(design)
    return found, patients_of(found, data)


def _searched(procedure: Procedure, jobs: int) -> dict:
    try:
        found = procedure.search(procedure.patients.train, procedure.design.candidates, jobs)
    except UserError as error:
        return {"failed": error.what}
    candidates = of_frame(found.candidates)
    return {"failed": "", "parameters": dict(found.parameters), "score": found.score, "candidates": candidates}


def _final(out: Path, procedure: Procedure) -> ModelResult:
    variant, learner, way = procedure.variant, procedure.learner, procedure.way
    try:
        return final_model(procedure, out / "models", _settings(out, procedure))
    except UserError as error:
        return ModelResult(way, variant.name, learner.name, learner.title, failed=error.what)


def _settings(out: Path, procedure: Procedure) -> Settings:
    """Return what the search found, of this variant or of the one whose settings it takes."""
    if not procedure.learner.is_searched:
        return Settings()
    other = procedure.variant.parameters_of
    task = Task("search", procedure.way, other or procedure.variant.name, procedure.learner.name)
    found = read_json(out / "work" / task.file)["values"]
    if found["failed"]:
        raise UserError(found["failed"], "See the search.")
    if other:
        return Settings(found["parameters"])
    return Settings(found["parameters"], found["score"], to_frame(found["candidates"]))


def read_final(out: Path, way: Way, variant: str, learner: str) -> ModelResult:
    """Return a final model's results that a task left."""
    return to_model(read_json(out / "work" / Task("final", way, variant, learner).file)["values"])


def _rows(procedure: Procedure, task: Task, model: ModelResult) -> pd.DataFrame:
    plan, parameters = procedure.design.validation, model.parameters
    if task.kind == "nested":
        return resample.nested(procedure, parameters, *task.part)
    if task.kind == "hold-out":
        return resample.hold_out(procedure, parameters, *task.part)
    if task.kind == "ablation":
        return without(procedure, parameters, list(model.importance.index), plan.ablation)
    if task.kind == "bootstrap":
        repeats = range(task.part[0], min(task.part[0] + _BLOCK, plan.bootstraps + 1))
        return pd.concat([resample.bootstrap(procedure, parameters, n) for n in repeats], ignore_index=True)
    repeats = range(plan.learning_repeats)
    return pd.concat([resample.fewer(procedure, parameters, task.part[0], n) for n in repeats], ignore_index=True)
