"""A study from its design to its results: whatever is there already is not done again."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from ...errors import UserError
from ...models.model import Model
from ...provenance import software
from ..cohort import ExternalSet, missing_report, table_one
from ..cohort.columns import Cohort, titles_like
from ..design.design import Design, Way
from ..design.reading import read_design
from .bundles import outputs
from .data import Patients, patients_of
from .procedure import procedure_of
from .results import ModelResult, Resampled, StudyRun
from .store import of_frame, read_json, to_frame, write_json
from .tasks import Task, chunks, final_tasks, other_tasks, read_final, run_task, run_tasks, search_tasks

Report = Callable[[float, str], None]
_KINDS = {
    "nested": "nested cross-validation",
    "hold-out": "repeated hold-out",
    "bootstrap": "bootstrap",
    "learning-curve": "learning curve",
    "ablation": "ablation",
}
_FIXED = "with the final model's settings, which were chosen on all training patients"


def run_study(design_file: Path, out: Path, jobs: int, report: Report, *, overwrite: bool = False) -> StudyRun:
    """Run a study, or what is left of it, and return its results.

    Parameters
    ----------
    design_file : Path
    out : Path
        Made new, or of a run of the same design and data that was stopped.
    jobs : int
        Processes; the results do not depend on it.
    report : callable
        Takes the share that is done (0-1) and what is being done.
    overwrite : bool
        Whether a run of another design, or with other data, is replaced.

    Raises
    ------
    UserError
        When the design or a table is wrong, or `out` holds something else.
    """
    design = read_design(design_file)
    data = design_file.absolute().parent
    patients = patients_of(design, data)
    out = out.absolute()
    _open(out, design_file, patients, overwrite)
    write_json(out / "work" / "sessions.json", [*_sessions(out), {"started": _now(), "cores": jobs}])
    _search(search_tasks(design), out, data, jobs, lambda share, name: report(0.01 + 0.5 * share, name))
    stages = (final_tasks(design), other_tasks(design))
    total, before = sum(map(len, stages)), 0
    for stage in stages:
        _run(stage, out, data, jobs, lambda n, name, done=before: report(0.51 + 0.42 * (done + n) / total, name))
        before += len(stage)
    _external(out, design, patients)
    write_json(out / "work" / "sessions.json", [*_sessions(out)[:-1], {**_sessions(out)[-1], "finished": _now()}])
    return _results(out, design, patients)


def load_run(out: Path) -> StudyRun:
    """Return the results of a finished run; the tables it was made from must still be there, unchanged.

    Raises
    ------
    UserError
        When `out` is no finished run, or its tables are gone or changed.
    """
    out = out.absolute()
    state = out / "work" / "study.json"
    if not state.exists():
        raise UserError(f"{out} holds no study.", "Run one: ovfrisk study run DESIGN OUT.")
    known = read_json(state)
    design = read_design(out / "design.toml")
    data = (out / known["data"]).resolve()
    patients = patients_of(design, data)
    if dict(patients.files) != known["files"]:
        raise UserError(f"The tables in {data} are not those of the run.", "Run the study again, into another OUT.")
    tasks = (*search_tasks(design), *final_tasks(design), *other_tasks(design))
    if not all((out / "work" / task.file).exists() for task in tasks):
        raise UserError(f"The run in {out} is not finished.", f"Go on: ovfrisk study run {data.name}/… {out.name}.")
    return _results(out, design, patients)


def _open(out: Path, design_file: Path, patients: Patients, overwrite: bool) -> None:
    """Make the folder ready, or make sure that it is this very study's."""
    text = design_file.read_bytes()
    versions = {name: one for name, one in software().items() if name != "platform"}
    content = [hashlib.sha256(text).hexdigest(), dict(patients.files), versions]
    mark = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    state = out / "work" / "study.json"
    if state.exists() and read_json(state).get("fingerprint") != mark:
        if not overwrite:
            what = f"{out} holds a run of another design, of other tables, or by other versions of the software."
            raise UserError(what, "Choose another OUT, or add --overwrite to replace it.")
        shutil.rmtree(out)
    elif out.exists() and not state.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} exists and holds no study.", "Choose another OUT: nothing was touched.")
    try:
        for folder in ("work", "models"):
            (out / folder).mkdir(parents=True, exist_ok=True)
        (out / "design.toml").write_bytes(text)
    except OSError as error:
        raise UserError(f"The folder {out} cannot be written: {error.strerror}.", "Choose another OUT.") from error
    folder = os.path.relpath(design_file.absolute().parent, out)
    write_json(state, {"fingerprint": mark, "data": folder, "files": dict(patients.files), "software": versions})


def _search(tasks: Sequence[Task], out: Path, data: Path, jobs: int, report: Report) -> None:
    memory: dict[tuple, object] = {}
    for n, task in enumerate(tasks):
        report(n / len(tasks), f"Searching settings of {task.learner}, {task.variant}, {task.way}")
        run_task(out, data, task, memory, jobs)


def _run(tasks: Sequence[Task], out: Path, data: Path, jobs: int, report: Callable[[int, str], None]) -> None:
    from joblib import Parallel, delayed  # scikit-learn's own requirement

    left = chunks([task for task in tasks if not (out / "work" / task.file).exists()])
    done = len(tasks) - sum(map(len, left))
    report(done, "Training")
    calls = (delayed(run_tasks)(out, data, chunk) for chunk in left)
    for number in Parallel(n_jobs=min(jobs, max(1, len(left))), batch_size=1, return_as="generator_unordered")(calls):
        done += number
        report(done, "Training and resampling")


def _external(out: Path, design: Design, patients: Patients) -> None:
    """Have the finished models predict the external patients, once."""
    path = out / "work" / "external.json"
    if patients.external is None or path.exists():
        return
    taken = ExternalSet(patients.external.table, "external")
    table = taken.take("judging the finished models")
    found = {}
    for task in final_tasks(design):
        model = read_final(out, task.way, task.variant, task.learner)
        if model.bundle:
            procedure = procedure_of(design, patients, task.way, task.variant, task.learner)
            titles = dict.fromkeys(t for name in procedure.variant.groups for t in patients.columns[name])
            values = outputs(Model.load(out / "models" / model.bundle), table[list(titles)].astype(float))
            found[task.file] = of_frame(pd.DataFrame({"probability": values}, table.index))
    write_json(path, {"uses": list(taken.uses), "predictions": found})


def _results(out: Path, design: Design, patients: Patients) -> StudyRun:
    finals = {(*key,): None for key in _keys(design)}
    external = read_json(out / "work" / "external.json") if patients.external is not None else {}
    models = tuple(_model(out, *key, external.get("predictions", {})) for key in finals)
    cohort = patients.cohort
    return StudyRun(
        design=design,
        cohort=cohort,
        outcome=patients.outcome,
        split=patients.split,
        external=patients.external,
        table_one=table_one(cohort.table, design.outcome, _described(design, cohort)),
        table_split=_by_split(design, patients),
        missing=missing_report(cohort, design.outcome),
        matching=patients.matching,
        balance=patients.balance,
        models=models,
        resampled=_resampled(out, design),
        facts=_facts(out, design, patients, external),
        folder=out,
        synthetic=patients.synthetic,
    )


def _keys(design: Design) -> list[tuple[Way, str, str]]:
    return [
        (way, variant.name, learner)
        for way in design.ways
        for variant in design.variants
        for learner in variant.learners or design.learners
    ]


def _model(out: Path, way: Way, variant: str, learner: str, external: dict) -> ModelResult:
    model = read_final(out, way, variant, learner)
    name = Task("final", way, variant, learner).file
    if name in external:
        model.predictions["external"] = to_frame(external[name])["probability"]
    return model


def _described(design: Design, cohort: Cohort) -> list[str]:
    """Return the columns of Table 1: those asked for, else what is neither a feature nor text that varies freely."""
    if design.describe:
        return titles_like(cohort, design.describe, design.outcome)
    columns = cohort.columns
    return [
        t
        for t in cohort.table
        if t not in (design.outcome, "synthetic") and not columns[t].protocol_id and columns[t].unit
    ]


def _by_split(design: Design, patients: Patients):
    if patients.split is None:
        return None
    frame = patients.cohort.table.copy()
    frame["set"] = ["test" if key in set(patients.test) else "training" for key in frame.index]
    titles = [design.outcome, *_described(design, patients.cohort)]
    return table_one(frame, "set", titles)


def _resampled(out: Path, design: Design) -> tuple[Resampled, ...]:
    groups: dict[tuple, list[Task]] = {}
    for task in sorted(other_tasks(design), key=lambda one: (one.kind, one.part)):
        groups.setdefault((task.way, task.variant, task.learner, task.kind), []).append(task)
    return tuple(_joined(out, design, key, tasks) for key, tasks in groups.items())


def _joined(out: Path, design: Design, key: tuple, tasks: Sequence[Task]) -> Resampled:
    found = [read_json(out / "work" / task.file)["values"] for task in tasks]
    frames = [to_frame(one["rows"]) for one in found if one["rows"] is not None]
    failed = [one["note"] for one in found if one["note"]]
    notes = [f"{len(failed)} of {len(found)} failed: {failed[0]}"] if failed else []
    *who, kind = key
    refitted = kind in ("nested", "hold-out") and design.validation.candidates
    if read_final(out, *who).parameters and (not refitted or design.variant(key[1]).parameters_of):
        notes.append(_FIXED)
    return Resampled(
        *who, _KINDS[kind], pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(), "; ".join(notes)
    )


def _facts(out: Path, design: Design, patients: Patients, external: dict) -> dict[str, object]:
    sessions = _sessions(out)
    seconds, memory = {}, []
    for path in sorted((out / "work").glob("*_*.json")):
        found = read_json(path)
        seconds[path.stem] = found["seconds"]
        memory += [found["memory_mb"]] if found["memory_mb"] else []
    return {
        "software": read_json(out / "work" / "study.json")["software"],
        "started": sessions[0]["started"],
        "finished": sessions[-1].get("finished", ""),
        "sessions": len(sessions),
        "seconds": seconds,
        "files": dict(patients.files),
        "cores": sessions[-1]["cores"],
        "memory_mb": round(max(memory)) if memory else None,
        "external_uses": external.get("uses", []),
        "left_out": len(patients.cohort.left_out),
        "seed": design.seed,
    }


def _sessions(out: Path) -> list[dict]:
    path = out / "work" / "sessions.json"
    return read_json(path) if path.exists() else []


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
