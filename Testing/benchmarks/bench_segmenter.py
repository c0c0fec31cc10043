"""Train a network on synthetic patients and segment an unseen one with it, all by the command `ovfrisk`.

A quarter of an hour on two cores. Leaves `segmenter.md` in the given folder: Dice and surface distances by part,
times, memory.
"""

import argparse
import resource
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.segmentation.agreement import dice, surface_distance
from OVFRiskLib.segmentation.training.cases import PARTS, parts_array

SHELL_MM = 2.0  # OVFRisk's own cortical bone: the shell of a phantom (0.6-1.2 mm) is thinner than a voxel
BOUNDS = {Compartment.CORTICAL: 0.85, Compartment.CANCELLOUS: 0.95}
TRAINING = ("--shell", SHELL_MM, "--spacing", 1.5, "--patch", 48, "--width", 8)
TRAINING += ("--epochs", 24, "--steps", 100, "--learning-rate", 4e-3)
PATIENTS, UNSEEN = 8, 99


def main() -> None:
    """Run the benchmark; its exit code tells whether the bounds were reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out.absolute() / "segmenter"
    out.mkdir(parents=True, exist_ok=True)
    steps = {"making patients": lambda: _make_patients(out)}
    steps["training"] = lambda: _ovfrisk(
        "segmenter", "train", "--cases", out / "cases", "--out", out / "bundle", *TRAINING
    )
    steps["segmenting"] = lambda: _segment(out)
    seconds = {name: _seconds(step) for name, step in steps.items()}
    rows, reached = _agreement(out)
    text = "\n".join([*rows, "", *(f"{name}: {value:.0f} s" for name, value in seconds.items()), _memory(), ""])
    (out.parent / "segmenter.md").write_text(text, "utf-8")
    print(text)
    sys.exit(not reached)


def _make_patients(out: Path) -> None:
    _ovfrisk("phantom", out / "cases", "--cohort", PATIENTS, "--seed", 1)
    _ovfrisk("phantom", out / "unseen", "--seed", UNSEEN, "--fracture", "L1:wedge:0.30")


def _segment(out: Path) -> None:
    truth = read_labels(out / "unseen" / "compartments.nii.gz", "ovfrisk")
    body = truth.mask(Region(Compartment.CANCELLOUS, VertebralLevel.L3))
    point = truth.to_ras(np.argwhere(body.array).mean(axis=0)[::-1])
    anchor = f"L3@{','.join(f'{value:.1f}' for value in point)}"
    ct = out / "unseen" / "ct.nii.gz"
    _ovfrisk("segment", out / "result", "--ct", ct, "--engine", "monai", "--bundle", out / "bundle", "--anchor", anchor)


def _agreement(out: Path) -> tuple[list[str], bool]:
    truth = read_labels(out / "unseen" / "compartments.nii.gz", "ovfrisk")
    found = read_labels(out / "result" / "labels.nii.gz", "ovfrisk")
    wanted, got = parts_array(truth, SHELL_MM), parts_array(found)
    rows = ["| part | Dice | wanted | mean surface distance, mm | 95 %, mm |", "| --- | --- | --- | --- | --- |"]
    reached = truth.levels(Compartment.CANCELLOUS) == found.levels(Compartment.CANCELLOUS)
    for value, part in enumerate(PARTS, 1):
        a, b = got == value, wanted == value
        mean, far = surface_distance(a, b, truth.spacing)
        reached = reached and dice(a, b) >= BOUNDS[part]
        rows.append(f"| {part} | {dice(a, b):.3f} | {BOUNDS[part]} | {mean:.2f} | {far:.2f} |")
    return rows, reached


def _ovfrisk(*arguments: object) -> None:
    command = [sys.executable, "-m", "OVFRiskLib.cli", *map(str, arguments), "--overwrite"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _seconds(step: object) -> float:
    started = perf_counter()
    step()
    return perf_counter() - started


def _memory() -> str:
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
    return f"largest process: {peak:.0f} MiB"


if __name__ == "__main__":
    main()
