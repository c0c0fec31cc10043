"""One run of PyRadiomics, files to table, in a process of its own; needs nothing of OVFRisk."""

import csv
import json
import logging
import resource
import sys
from functools import wraps
from pathlib import Path
from time import process_time

import numpy as np
import SimpleITK as sitk
from radiomics import featureextractor


def timed(extractor, names: tuple[str, ...], spent: list[float]) -> None:
    """Add the CPU time within methods of the extractor to ``spent[0]``."""
    for name in names:
        method = getattr(extractor, name)

        @wraps(method)
        def measured(*arguments, _method=method, **options):
            start = process_time()
            try:
                return _method(*arguments, **options)
            finally:
                spent[0] += process_time() - start

        setattr(extractor, name, measured)


def peak_memory() -> float:
    """Return the most memory this process has held, MiB."""
    status = Path("/proc/self/status")
    if not status.exists():  # no Linux; counts from before the program was loaded
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def main(job_file: str, table_file: str) -> None:
    """Describe the regions of a job, write their values as a table, and print the times."""
    logging.getLogger("radiomics").setLevel(logging.ERROR)
    job, spent, times = json.loads(Path(job_file).read_text()), [0.0], []
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    layout = job["protocol"]
    setting = {name: value for name, value in layout["setting"].items() if value is not None}
    blocks = {key: layout[key] for key in ("imageType", "featureClass")}
    extractor = featureextractor.RadiomicsFeatureExtractor({**blocks, "setting": {**setting, "additionalInfo": False}})
    timed(extractor, ("computeFeatures", "computeShape"), spent)
    image, labels = sitk.ReadImage(job["image"]), sitk.ReadImage(job["labels"])
    array, rows = sitk.GetArrayFromImage(labels), {}
    for region, values in job["regions"].items():
        before, inside = process_time(), spent[0]
        mask = sitk.GetImageFromArray(np.isin(array, values).astype(np.uint8))
        mask.CopyInformation(labels)
        rows[region] = {name: float(np.real(value)) for name, value in extractor.execute(image, mask).items()}
        times.append((process_time() - before, spent[0] - inside))
    with Path(table_file).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["region", "feature", "value"])
        writer.writerows((region, name, repr(value)) for region, row in rows.items() for name, value in row.items())
    print(json.dumps({"regions": times, "memory": peak_memory()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
