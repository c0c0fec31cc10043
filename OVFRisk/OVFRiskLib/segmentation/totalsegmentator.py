"""TotalSegmentator v2 (Wasserthal et al., Radiol Artif Intell 2023, doi:10.1148/ryai.230024), run as a child process.

Options, task numbers and settings are those of TotalSegmentator 2.18: bin/TotalSegmentator.py, config.py and
map_tasks_config.py. Nothing is downloaded: missing weights are named, with their size and licence. Usage statistics
are not sent, whatever TotalSegmentator's own settings say, unless the variable OVFRISK_USAGE_STATISTICS is set.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ..anatomy import Compartment, Region, VertebralLevel, label_scheme
from ..child_process import ChildProcess
from ..errors import UserError
from ..files.geometry import on_grid_of
from ..files.read_labels import read_labels, read_stored
from ..files.write_images import write_volume
from ..image import LabelMap, Volume
from .engines import Report, Request

STATISTICS = "OVFRISK_USAGE_STATISTICS"
_HEARTBEAT_S = 0.5
_MODEL_GB = 0.235  # one zipped model, as the download shows it
_SCHEME = "totalsegmentator"
_BODY = 1  # of the task vertebrae_body; 2 are the discs
_UNKNOWN = (VertebralLevel.T13, VertebralLevel.L6)
_CLASSES = (
    "sacrum",
    *(f"vertebrae_{level}" for level in VertebralLevel if level not in _UNKNOWN),
    *(f"{muscle}_{side}" for muscle in ("autochthon", "iliopsoas") for side in ("left", "right")),
    *(f"rib_{side}_{number}" for side in ("left", "right") for number in range(1, 13)),  # they count the levels
)
_CHECK_IMAGE = "Check that the image is a CT in HU that shows a spine."
_HINTS = (
    ("licen[cs]e", "This release asks for a licence number (free for non-commercial use): totalseg_set_license."),
    ("out of memory|^Killed", "There is too little memory: try --fast, or --device cpu."),
    ("CUDA|gpu", "Try --device cpu."),
)


@dataclass(frozen=True)
class Task:
    """One call of TotalSegmentator.

    Parameters
    ----------
    name : str
        As ``--task`` takes it.
    models : tuple of int
        Numbers of the models whose weights it needs.
    download : str
        As ``totalseg_download_weights -t`` takes it.
    options : tuple of str
    """

    name: str
    models: tuple[int, ...]
    download: str
    options: tuple[str, ...] = ()


_CROP = 298  # finds roughly where the asked classes are
_TOTAL = Task("total", (291, 292, 293, 294, 295, _CROP), "total", ("--roi_subset", *_CLASSES))
_FAST = Task("total", (297, _CROP), "total_fast", ("--fast", "--roi_subset", *_CLASSES))
_BODIES = Task("vertebrae_body", (305,), "vertebrae_body")


def segment_totalsegmentator(ct: Volume, request: Request, report: Report) -> LabelMap:
    """Segment vertebrae, sacrum, ribs and paraspinal muscles; vertebral bodies unless `request.whole`.

    A body is where the task vertebrae_body finds one and the task total the vertebra. There is no fast model of the
    bodies: `request.fast` concerns the vertebrae and muscles.

    Raises
    ------
    UserError
        When the package or its weights are missing, it fails, or finds no vertebra.
    """
    program = _program()
    tasks = (_FAST if request.fast else _TOTAL, *(() if request.whole else (_BODIES,)))
    for task in tasks:
        _check_weights(task)
    with tempfile.TemporaryDirectory(prefix="ovfrisk-totalsegmentator-") as name:
        folder = Path(name)
        report(0.0, "Writing the CT for TotalSegmentator")
        write_volume(folder / "ct.nii.gz", ct)
        _write_settings(folder)
        found = []
        for n, task in enumerate(tasks):
            before = n / len(tasks)

            def tell(share: float, what: str, before: float = before) -> None:
                report(before + share / len(tasks), what)

            found.append(_run(program, task, request.device, folder, tell))
        return converted(ct, *found)


def converted(ct: Volume, total: Path, bodies: Path | None = None) -> LabelMap:
    """Return TotalSegmentator's result on the CT's grid, in the scheme ``ovfrisk``.

    Parameters
    ----------
    ct : Volume
    total : Path
        Multilabel file of the task total.
    bodies : Path, optional
        Multilabel file of the task vertebrae_body; with it vertebrae are cut down to their bodies.

    Raises
    ------
    UserError
        When a file cannot be read, holds no vertebra, or does not lie on the CT.
    """
    labels = _labels(total)
    inside = _bodies(bodies, labels) if bodies else None
    values = {region: value for value, region in label_scheme("ovfrisk").regions.items()}
    array = np.zeros(labels.array.shape, np.int16)
    for value, region in labels.labels.items():
        mask = labels.array == value
        if inside is not None and region.part is Compartment.WHOLE:
            mask &= inside
            region = Region(Compartment.BODY, region.level)  # noqa: PLW2901 - the same vertebra, less of it
        array[mask] = values[region]
    names = {value: region for region, value in values.items()}
    result = LabelMap(array, labels.ijk_to_ras, names, "TotalSegmentator's result", labels.corrections)
    if not result.levels():
        raise UserError("TotalSegmentator found no vertebra.", _CHECK_IMAGE)
    result, note = on_grid_of(result, ct)
    return _with_remarks(result, note, labels.levels())


def _labels(path: Path) -> LabelMap:
    try:
        return read_labels(path, _SCHEME)
    except UserError as error:
        raise UserError(f"TotalSegmentator's result cannot be used: {error.what}", _CHECK_IMAGE) from error


def _bodies(path: Path, labels: LabelMap) -> np.ndarray:
    stored = read_stored(path)
    if stored.array.shape != labels.array.shape or not np.allclose(stored.ijk_to_ras, labels.ijk_to_ras, atol=1e-3):
        raise UserError("TotalSegmentator's vertebrae and bodies lie on different grids.", "Start it again.")
    return stored.array == _BODY


def _with_remarks(labels: LabelMap, note: str, found: Sequence[VertebralLevel]) -> LabelMap:
    """Add what a reader must know."""
    lost = [level for level in found if level not in labels.levels()]
    remarks = (
        note,
        "TotalSegmentator knows no T13 and no L6: count the levels where the anatomy is transitional.",
        f"TotalSegmentator found no body of {', '.join(lost)}." if lost else "",
    )
    corrections = (*labels.corrections, *filter(None, remarks))
    return LabelMap(labels.array, labels.ijk_to_ras, labels.labels, labels.name, corrections)


def _program() -> list[str]:
    """Return the installed command: on the path, beside this interpreter, or as a module of this interpreter."""
    paths = [os.environ.get("PATH", ""), str(Path(sys.executable).parent)]
    if found := shutil.which("TotalSegmentator", path=os.pathsep.join(paths)):
        return [found]
    if find_spec("totalsegmentator"):
        return [sys.executable, "-m", "totalsegmentator.bin.TotalSegmentator"]
    raise UserError(
        "TotalSegmentator is not installed.",
        "Install it (pip install TotalSegmentator: Apache-2.0, with PyTorch several GB), or choose another engine.",
    )


def _home() -> Path:
    return Path(os.environ.get("TOTALSEG_HOME_DIR") or Path.home() / ".totalsegmentator")


def _weights() -> Path:
    return Path(os.environ.get("TOTALSEG_WEIGHTS_PATH") or _home() / "nnunet" / "results")


def _check_weights(task: Task) -> None:
    missing = [number for number in task.models if not any(_weights().glob(f"Dataset{number}_*"))]
    if missing:
        size = f"{len(missing)} model{'s' * (len(missing) > 1)}, up to {_MODEL_GB * len(missing):.1f} GB"
        raise UserError(
            f"TotalSegmentator's weights of task {task.download} are missing in {_weights()}"
            f" (Dataset {', '.join(map(str, missing))}).",
            f"Download them: totalseg_download_weights -t {task.download} ({size}; Apache-2.0, open for any use;"
            " releases up to 2.10 ask for a licence number for vertebrae_body, free for non-commercial use).",
        )


def _write_settings(folder: Path) -> None:
    """Write settings of this run's own: the user's, but without sending statistics."""
    try:
        own = json.loads((_home() / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        own = {}
    private = {"send_usage_stats": bool(os.environ.get(STATISTICS)), "statistics_disclaimer_shown": True}
    defaults = {"totalseg_id": "ovfrisk", "prediction_counter": 0}
    (folder / "config.json").write_text(json.dumps(defaults | own | private), "utf-8")


def _run(program: Sequence[str], task: Task, device: str, folder: Path, report: Report) -> Path:
    """Run one task and return its file; report every half second, even while the program is silent."""
    out = folder / f"{task.name}.nii.gz"
    files = ["-i", str(folder / "ct.nii.gz"), "-o", str(out), "--ml"]
    how = ["--task", task.name, "--device", device.replace("cuda", "gpu"), "--nr_thr_saving", "1", *task.options]
    environment = {"TOTALSEG_HOME_DIR": str(folder), "TOTALSEG_WEIGHTS_PATH": str(_weights())}
    started, share, doing, said = time.monotonic(), 0.0, "starting", []
    with ChildProcess([*program, *files, *how], environment) as child:
        while (exit_code := child.exit_code) is None:
            for line in filter(str.strip, child.new_lines()):
                said.append(line)
                if part := re.search(r"Predicting part (\d+) of (\d+)", line):
                    share = max(share, (int(part[1]) - 1) / int(part[2]))
                if re.match(r"[A-Z][a-z]+[^|]*\.\.\.", line):
                    doing = line.partition("...")[0].strip()
            report(share, f"TotalSegmentator {task.name}: {doing} ({time.monotonic() - started:.0f} s)")
            time.sleep(_HEARTBEAT_S)
        said += filter(str.strip, child.new_lines())
    if exit_code or not out.is_file():
        raise _failure(task, exit_code, said)
    return out


def _failure(task: Task, exit_code: int, said: Sequence[str]) -> UserError:
    last = said[-1].strip() if said else "It wrote no message."
    fitting = [hint for pattern, hint in _HINTS if any(re.search(pattern, line, re.IGNORECASE) for line in said[-20:])]
    return UserError(
        f"TotalSegmentator (task {task.name}) made no result (exit code {exit_code}): {last}",
        fitting[0] if fitting else "Run it by hand to see more, or choose another engine.",
    )
