"""Seeded segmentation on real images: agreement with the references over jittered clicks, and time.

Run by `make bench`; prints one row a body: Dice (mean, standard deviation and least over the clicks), mean surface
distance, trabecular attenuation against the reference mask's, and processor seconds a body.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.distance import depth_mm
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_labels import read_labels, read_stored
from OVFRiskLib.image import Modality, Volume
from OVFRiskLib.jobs import Job, Kind
from OVFRiskLib.phantom import Fracture, PhantomSettings, make_patient
from OVFRiskLib.segmentation.agreement import dice, surface_distance
from OVFRiskLib.segmentation.engines import ENGINES, Request
from OVFRiskLib.segmentation.seeds import Seed

TRABECULAR_DEPTH_MM = 4.0
SPACINGS = (1.5, (1, 1, 3), (1, 1, 5), 2.0)
ANCHORS = {"ct_abdomen_3mm": "L3@-5,143,315", "ct_contrast_5mm": "L1@3,-29,-271"}
Bodies = dict[VertebralLevel, np.ndarray]


def cases(data: Path) -> Iterator[tuple[str, Volume, Bodies]]:
    """Name, CT and reference bodies of each data set."""
    abdomen = data / "ct_abdomen_3mm"
    bodies = read_labels(abdomen / "vertebrae_verse_codes.nii.gz", "verse")
    levels = VertebralLevel.span("L1-L5")
    masks = {level: bodies.mask(Region(Compartment.WHOLE, level)).array for level in levels}
    ct = volume(abdomen / "ct.nii.gz")
    yield "ct_abdomen_3mm", ct, masks
    yield "ct_abdomen_3mm at 6 mm", *thickened(ct, masks, 2)
    l3 = data / "ct_l3_subregions"
    parts = read_stored(l3 / "sub-ct_seg-subreg_label-22_msk.nii.gz").array
    vertebrae = read_stored(l3 / "sub-ct_seg-vert_label-22_msk.nii.gz").array
    ct, masks = volume(l3 / "sub-ct_label-22_ct.nii.gz"), {VertebralLevel.L3: (vertebrae == 22) & (parts >= 49)}
    yield "ct_l3_subregions", ct, masks
    yield "ct_l3_subregions at 4.5 mm", *thickened(ct, masks, 3)
    l2 = data / "ct_l2_calibrated"
    parts = read_stored(l2 / "sub-verse004_0000_vertebra_21_seg.nii.gz").array
    ct, masks = volume(l2 / "sub-verse004_0000_vertebra_21_im.nii.gz"), {VertebralLevel.L2: np.isin(parts, (1, 2))}
    yield "ct_l2_calibrated", ct, masks
    yield "ct_l2_calibrated at 5 mm", *thickened(ct, masks, 5)


def volume(path: Path) -> Volume:
    """Read a CT as it is stored (the calibrated one is no longer in HU)."""
    stored = read_stored(path)
    return Volume(stored.array, stored.ijk_to_ras, Modality.CT, path.name)


def thickened(ct: Volume, masks: Bodies, times: int) -> tuple[Volume, Bodies]:
    """Average `times` slices along the axis that runs from foot to head; a mask keeps what is half covered."""
    axis = 2 - ct.orientation.index(next(letter for letter in ct.orientation if letter in "SI"))

    def averaged(array: np.ndarray) -> np.ndarray:
        rows = np.moveaxis(array, axis, 0)
        rows = rows[: len(rows) // times * times]
        blocks = rows.reshape(-1, times, *rows.shape[1:]).mean(axis=1, dtype=np.float32)
        return np.moveaxis(blocks, 0, axis)

    matrix = ct.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, 2 - axis] * (times - 1) / 2
    matrix[:3, 2 - axis] *= times
    thick = {level: averaged(mask) >= 0.5 for level, mask in masks.items()}
    return Volume(averaged(ct.array), matrix, Modality.CT, ct.name), thick


def clicks(ct: Volume, masks: Bodies, jitter_mm: float, seed: int) -> tuple[Seed, ...]:
    """Return points `jitter_mm` away from the bodies' centres, in random directions."""
    rng = np.random.default_rng(seed)
    seeds = []
    for level, mask in masks.items():
        away = rng.standard_normal(3)
        centre = ct.to_ras(np.argwhere(mask)[:, ::-1].mean(axis=0))
        seeds.append(Seed(centre + jitter_mm * away / np.linalg.norm(away), level))
    return tuple(seeds)


def trabecular(ct: Volume, mask: np.ndarray) -> float:
    """Mean of what lies deep enough in a body."""
    return float(ct.array[depth_mm(mask, ct.spacing) >= TRABECULAR_DEPTH_MM].mean())


def measure(ct: Volume, masks: Bodies, jitter_mm: float, seed: int) -> tuple[dict[VertebralLevel, tuple], float]:
    """Return each level's Dice, surface distance and trabecular difference, and seconds a body."""
    request = Request(clicks(ct, masks, jitter_mm, seed))
    start = time.process_time()
    labels = ENGINES["seeded"](ct, request, lambda _share, _what: None)
    seconds = (time.process_time() - start) / len(masks)
    found = {level: labels.mask(Region(Compartment.BODY, level)).array for level in masks}
    rows = {
        level: (
            dice(found[level], mask),
            surface_distance(found[level], mask, ct.spacing)[0],
            trabecular(ct, found[level]) - trabecular(ct, mask),
        )
        for level, mask in masks.items()
    }
    return rows, seconds


def phantoms() -> Iterator[str]:
    """Ten synthetic patients with scoliosis, one crushed body and rods through the automatic engine: a row each."""
    levels = VertebralLevel.span("T11-L5")
    for seed in range(10):
        spacing, scoliosis = SPACINGS[seed % len(SPACINGS)], 5.0 * (seed % 6)
        crush = Fracture(levels[seed % len(levels)], "crush", 0.35)
        patient = make_patient(PhantomSettings(seed, spacing=spacing, fractures=(crush,), scoliosis=scoliosis))
        parts = (Compartment.CORTICAL, Compartment.CANCELLOUS)
        truth = {v: patient.compartments.mask(*(Region(part, v) for part in parts)).array for v in levels}
        centres = {v: patient.ct.to_ras(np.argwhere(truth[v])[:, ::-1].mean(axis=0)) for v in levels}
        asked = ""
        try:
            labels = ENGINES["automatic"](patient.ct, Request(), lambda _share, _what: None)
        except UserError:
            asked, anchor = "yes", Seed(centres[VertebralLevel.L3], VertebralLevel.L3)
            labels = ENGINES["automatic"](patient.ct, Request(anchor=anchor), lambda _share, _what: None)
        found = {v: labels.mask(Region(Compartment.BODY, v)).array for v in levels}
        worst = min(levels, key=lambda v: dice(found[v], truth[v]))
        off = [
            np.linalg.norm(patient.ct.to_ras(np.argwhere(found[v])[:, ::-1].mean(axis=0)) - centres[v])
            for v in levels
            if found[v].any()
        ]
        yield (
            f"| {seed} | {spacing} | {scoliosis:g} | {crush.level} | {asked} | {len(off)} of {len(levels)} "
            f"| {dice(found[worst], truth[worst]):.3f} ({worst}) | {max(off):.1f} |"
        )


def longest_silence(data: Path, engine: str, case: str) -> float:
    """Return the longest time without a word from a job that segments `case`, s."""
    ct = data / case / "ct.nii.gz"
    with tempfile.TemporaryDirectory() as folder:
        job, told = (
            Job(["segment", Path(folder) / "out", "--ct", ct, "--engine", engine, "--anchor", ANCHORS[case]]),
            [],
        )
        job.start()
        while not job.ended:
            told += [time.monotonic() for event in job.poll() if event.kind is Kind.PROGRESS]
            time.sleep(0.02)
    return float(np.diff(told).max())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--jitter", type=float, default=3.5, help="mm")
    options = parser.parse_args()
    print("| case | level | Dice | SD | least | surface distance mm | trabecular HU off by | s a body |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, ct, masks in cases(options.data):
        runs = [measure(ct, masks, options.jitter, n) for n in range(options.repeats)]
        seconds = np.mean([run[1] for run in runs])
        for level in masks:
            values = np.array([run[0][level] for run in runs])
            agreed, distance, off = values.T
            print(
                f"| {name} | {level} | {agreed.mean():.3f} | {agreed.std():.3f} | {agreed.min():.3f} "
                f"| {distance.mean():.2f} | {off[np.abs(off).argmax()]:+.1f} | {seconds:.2f} |",
                flush=True,
            )
    print(
        "\n| phantom | spacing mm | scoliosis | crushed | asked for an anchor | bodies | least Dice | centre off mm |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in phantoms():
        print(row, flush=True)
    print()
    for case in ANCHORS:
        silence = longest_silence(options.data, "automatic", case)
        print(f"{case}, automatic: longest silence between two reports of progress {silence:.1f} s")


if __name__ == "__main__":
    main()
