"""One run of OVFRisk, files to table, in a process of its own; called by bench_radiomics.py."""

import csv
import json
import resource
import sys
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from time import process_time

import numpy as np
import SimpleITK as sitk

FEATURES = "features"


def timed(module, name: str, stage_of: Callable[..., str], spent: Counter) -> None:
    """Add the CPU time within a function of a module to the stage that its arguments name."""
    function = getattr(module, name)

    @wraps(function)
    def measured(*arguments):
        start = process_time()
        try:
            return function(*arguments)
        finally:
            spent[stage_of(*arguments)] += process_time() - start

    setattr(module, name, measured)


def peak_memory() -> float:
    """Return the most memory this process has held, MiB."""
    status = Path("/proc/self/status")
    if not status.exists():  # no Linux; counts from before the program was loaded
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def main(job_file: str, table_file: str) -> None:
    """Describe the regions of a job, write their values as a table, and print the times."""
    from OVFRiskLib.files.read_images import read_volume
    from OVFRiskLib.image import Mask, Modality
    from OVFRiskLib.radiomics import Protocol, extract_regions, extraction
    from OVFRiskLib.radiomics.kernels import ready

    job, times, spent = json.loads(Path(job_file).read_text()), [], Counter()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    ready()
    loads = {"cpu_s": process_time(), "mib": peak_memory()}
    for name, stage in (("prepare", "preparation"), ("_shape_features", FEATURES), ("_levels", FEATURES)):
        timed(extraction, name, lambda *_, _stage=stage: _stage, spent)
    timed(extraction, "_image_features", lambda *_: FEATURES, spent)
    timed(extraction, "_levels", lambda *_: "grey levels", spent)
    timed(extraction, "_class_features", lambda _image, group, *_: group, spent)
    volume = read_volume(Path(job["image"]), Modality.CT)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(job["labels"]))
    protocol = Protocol.from_dict(job["protocol"])
    rows = {}
    for region, values in job["regions"].items():
        before, inside = process_time(), spent[FEATURES]
        found = np.zeros(labels.shape, dtype=bool)
        for value in values:
            found |= labels == value
        spent["mask"] += process_time() - before
        features = extract_regions(volume, {region: Mask(found, volume.ijk_to_ras)}, protocol, threads=1)[region]
        rows[region] = features.values
        times.append((process_time() - before, spent[FEATURES] - inside))
    with Path(table_file).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["region", "feature", "value"])
        writer.writerows((region, name, repr(value)) for region, row in rows.items() for name, value in row.items())
    stages = {name: seconds / len(times) for name, seconds in spent.items() if name != FEATURES}
    stages["filters and the rest"] = np.mean([total for total, _ in times]) - sum(stages.values())
    print(json.dumps({"regions": times, "memory": peak_memory(), "stages": stages, "loads": loads}))


if __name__ == "__main__":
    main(*sys.argv[1:])
