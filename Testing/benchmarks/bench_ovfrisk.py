"""One run of OVFRisk, files to table, in a process of its own; called by bench_radiomics.py."""

import csv
import json
import resource
import sys
from functools import wraps
from pathlib import Path
from time import process_time

import numpy as np
import SimpleITK as sitk


def timed(module, names: tuple[str, ...], spent: list[float]) -> None:
    """Add the CPU time within functions of a module to ``spent[0]``."""
    for name in names:
        function = getattr(module, name)

        @wraps(function)
        def measured(*arguments, _function=function):
            start = process_time()
            try:
                return _function(*arguments)
            finally:
                spent[0] += process_time() - start

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

    job, spent, times = json.loads(Path(job_file).read_text()), [0.0], []
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    timed(extraction, ("_shape_features", "_levels", "_image_features"), spent)
    volume = read_volume(Path(job["image"]), Modality.CT)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(job["labels"]))
    protocol = Protocol.from_dict(job["protocol"])
    rows = {}
    for region, values in job["regions"].items():
        before, inside = process_time(), spent[0]
        found = np.zeros(labels.shape, dtype=bool)
        for value in values:
            found |= labels == value
        features = extract_regions(volume, {region: Mask(found, volume.ijk_to_ras)}, protocol, threads=1)[region]
        rows[region] = features.values
        times.append((process_time() - before, spent[0] - inside))
    with Path(table_file).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["region", "feature", "value"])
        writer.writerows((region, name, repr(value)) for region, row in rows.items() for name, value in row.items())
    print(json.dumps({"regions": times, "memory": peak_memory()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
