"""How much faster than PyRadiomics 3.0.1? Interleaved runs, one thread each, CPU time.

    python Testing/benchmarks/bench_radiomics.py OUTPUT --pyradiomics PYTHON [--data ../shared/data] [--rounds 3]

PYTHON is an interpreter with pyradiomics 3.0.1 (it builds from source on Python 3.11:
``pip install numpy setuptools wheel && pip install --no-build-isolation pyradiomics==3.0.1``). Every run is a process
of its own that reads files and writes a table. OUTPUT gets ``radiomics.md`` and ``radiomics.json``.
"""

import argparse
import csv
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import numpy as np
import SimpleITK as sitk
from bench_cases import real, regions, synthetic
from OVFRiskLib.radiomics import Protocol
from OVFRiskLib.radiomics.kernels import ready

HERE = Path(__file__).parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
MEASURES = {
    "region": ("CPU a region, ms", 1e3),
    "features": ("feature stage a region, ms", 1e3),
    "process": ("files to table, CPU s", 1),
    "memory": ("peak memory, MiB", 1),
}


def main() -> None:
    """Run the benchmark and write its tables."""
    asked = _arguments()
    started = perf_counter()
    compiling = _compile_seconds()
    asked.output.mkdir(parents=True, exist_ok=True)
    protocol = Protocol.load(asked.protocol).to_dict()
    programs = {"OVFRisk": [sys.executable, HERE / "bench_ovfrisk.py"]}
    programs["PyRadiomics"] = [asked.pyradiomics, HERE / "bench_pyradiomics.py"]
    with tempfile.TemporaryDirectory() as folder:
        cases = {"S": synthetic()} | ({"R": real(asked.data)} if asked.data else {})
        jobs = {name: _write_job(Path(folder) / name, case, protocol) for name, case in cases.items()}
        for width in asked.bin_widths:
            jobs[f"S, one level, bin width {width:g}"] = _finer(Path(folder) / f"S{width:g}", jobs["S"], width)
        del cases
        found = {name: _case(job, programs, asked.rounds if name in "SR" else 1) for name, job in jobs.items()}
    result = {"machine": _machine(asked), "compile_s": compiling, "seconds": perf_counter() - started, "cases": found}
    (asked.output / "radiomics.json").write_text(json.dumps(result, indent=1) + "\n")
    text = _markdown(result)
    (asked.output / "radiomics.md").write_text(text)
    print(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--pyradiomics", required=True, help="interpreter with PyRadiomics 3.0.1")
    parser.add_argument("--data", type=Path, help="folder with ct_abdomen_3mm")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--protocol", default="residual-back-pain")
    parser.add_argument("--bin-widths", type=float, nargs="*", default=[5.0, 2.0])
    return parser.parse_args()


def _compile_seconds() -> dict[str, float]:
    """Return how long all kernels take in a new process: first with an empty cache, then from it."""
    code = "from OVFRiskLib.radiomics.kernels import ready; ready()"
    seconds = {}
    with tempfile.TemporaryDirectory() as cache:
        for name in ("first", "cached"):
            start = perf_counter()
            subprocess.run([sys.executable, "-c", code], env=_environment() | {"NUMBA_CACHE_DIR": cache}, check=True)
            seconds[name] = round(perf_counter() - start, 2)
    ready()
    return seconds


def _environment() -> dict[str, str]:
    return os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _write_job(folder: Path, case: tuple, protocol: dict) -> Path:
    array, labels, matrix, names = case
    folder.mkdir()
    job = {"protocol": protocol, "regions": regions(labels, names)}
    for name, values in (("image", array), ("labels", labels)):
        job[name] = str(folder / f"{name}.nrrd")
        sitk.WriteImage(_itk(values, matrix), job[name])
    (folder / "job.json").write_text(json.dumps(job))
    return folder / "job.json"


def _finer(folder: Path, job_file: Path, width: float) -> Path:
    job = json.loads(job_file.read_text())
    job["protocol"]["setting"]["binWidth"] = width
    job["regions"] = {name: job["regions"][name] for name in list(job["regions"])[3:6]}
    folder.mkdir()
    (folder / "job.json").write_text(json.dumps(job))
    return folder / "job.json"


def _itk(array: np.ndarray, matrix: np.ndarray) -> sitk.Image:
    image, lps = sitk.GetImageFromArray(array), np.diag([-1.0, -1.0, 1.0])
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps @ (matrix[:3, :3] / spacing)).ravel().tolist())
    image.SetOrigin((lps @ matrix[:3, 3]).tolist())
    return image


def _case(job: Path, programs: dict[str, list], rounds: int) -> dict:
    runs = {name: [] for name in programs}
    for _ in range(rounds):
        for name, command in programs.items():
            runs[name].append(_run([*map(str, command), str(job), str(job.with_name(f"{name}.csv"))], name))
    measured = {name: {key: [v for run in found for v in run[key]] for key in MEASURES} for name, found in runs.items()}
    summary = {name: {key: _summary(values) for key, values in row.items()} for name, row in measured.items()}
    ratio = {k: summary["PyRadiomics"][k]["median"] / summary["OVFRisk"][k]["median"] for k in MEASURES}
    values, difference = _differences(*(job.with_name(f"{name}.csv") for name in programs))
    found = {"runs": rounds, "measured": summary, "ratio": ratio, "values": values, "largest_difference": difference}
    return found | {key: _medians([run[key] for run in runs["OVFRisk"]]) for key in ("stages", "loads")}


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def _run(command: list[str], name: str) -> dict[str, list[float]]:
    """Run a program; the system counts its CPU time, all of its threads included."""
    environment = _environment() if name == "OVFRisk" else os.environ | ONE_THREAD
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{name} failed ({process.returncode}).")
        output.seek(0)
        told = json.loads(output.read().splitlines()[-1])
    region, features = zip(*told["regions"])
    found = {"region": region, "features": features, "process": [_cpu(used)], "memory": [told["memory"]]}
    return found | {key: told[key] for key in ("stages", "loads") if key in told}


def _cpu(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


def _summary(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _differences(one: Path, other: Path) -> tuple[int, dict[str, object]]:
    """Return how many values both tables have, and the largest relative difference."""
    tables = []
    for path in (one, other):
        with path.open(newline="") as file:
            tables.append({(row["region"], row["feature"]): float(row["value"]) for row in csv.DictReader(file)})
    both = tables[0].keys() & tables[1].keys()
    relative = {key: _relative(tables[0][key], tables[1][key]) for key in both}
    worst = max(relative, key=relative.get)
    return len(both), {"relative": relative[worst], "region": worst[0], "feature": worst[1]}


def _relative(a: float, b: float) -> float:
    return abs(a - b) / max(abs(b), 1e-6)


def _machine(asked: argparse.Namespace) -> dict[str, str]:
    asking = "import importlib.metadata as m, sys; print(m.version('pyradiomics'), m.version('simpleitk'), "
    asking += "m.version('numpy'), sys.version.split()[0])"
    theirs = subprocess.run(
        [asked.pyradiomics, "-c", asking], capture_output=True, text=True, check=True
    ).stdout.split()
    cpu = Path("/proc/cpuinfo")
    models = [line for line in cpu.read_text().splitlines() if "model name" in line] if cpu.exists() else []
    return {
        "processor": models[0].partition(": ")[2] if models else platform.processor(),
        "system": platform.platform(),
        "OVFRisk": ", ".join(f"{p} {version(p)}" for p in ("numpy", "scipy", "numba", "simpleitk"))
        + f", Python {platform.python_version()}",
        "PyRadiomics": "pyradiomics {}, simpleitk {}, numpy {}, Python {}".format(*theirs),
        "protocol": asked.protocol,
    }


def _markdown(result: dict) -> str:
    lines = ["# Radiomics: OVFRisk and PyRadiomics", "", *(f"* {k}: {v}" for k, v in result["machine"].items())]
    lines.append("* Kernels: compiled in {first} s once on a computer, {cached} s later".format(**result["compile_s"]))
    lines += ["", "Medians (minimum–maximum); one thread each, runs interleaved, every run a process of its own.", ""]
    lines += ["| case | measure | PyRadiomics | OVFRisk | ratio |", "|---|---|---|---|---|"]
    for name, case in result["cases"].items():
        for key, (title, scale) in MEASURES.items():
            cells = [_cell(case["measured"][engine][key], scale) for engine in ("PyRadiomics", "OVFRisk")]
            lines.append(f"| {name} | {title} | {cells[0]} | {cells[1]} | {case['ratio'][key]:.1f} |")
    lines.append("")
    for name, case in result["cases"].items():
        worst = case["largest_difference"]
        lines.append(
            f"* {name}: {case['values']} values; largest relative difference {worst['relative']:.1e}"
            f" ({worst['feature']} of {worst['region']})."
        )
    return "\n".join([*lines, "", *_profile(result["cases"])]) + "\n"


def _profile(cases: dict[str, dict]) -> list[str]:
    """Return the table of what OVFRisk's time and memory are spent on."""
    names = list(dict.fromkeys(name for case in cases.values() for name in case["stages"]))
    lines = ["| OVFRisk, CPU a region, ms | " + " | ".join(cases) + " |", "|---" * (len(cases) + 1) + "|"]
    for name in names:
        cells = (f"{1e3 * case['stages'].get(name, 0):.1f}" for case in cases.values())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    loads = next(iter(cases.values()))["loads"]
    text = "Loading libraries and kernels, once a process and part of files to table: {cpu_s:.2f} s CPU, {mib:.0f} MiB."
    return [*lines, "", text.format(**loads)]


def _cell(summary: dict[str, float], scale: float) -> str:
    return "{:.3g} ({:.3g}–{:.3g})".format(*(summary[key] * scale for key in ("median", "min", "max")))


if __name__ == "__main__":
    main()
