"""Stands in for TotalSegmentator 2.18's command: its options and files, but results that were computed elsewhere.

Variables tell it what to do. STANDIN_RESULTS: folder with a file for each task; STANDIN_CALLS: file that gets a line of
JSON a call; STANDIN_MODE: ``fail``, ``silent``, ``slow`` (with a child of its own), ``nothing`` (no file) or ``text``.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-i", dest="input", type=Path, required=True)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    parser.add_argument("-ml", "--ml", action="store_true")
    parser.add_argument("-f", "--fast", action="store_true")
    parser.add_argument("-ta", "--task", choices=["total", "vertebrae_body"], default="total")
    parser.add_argument("-rs", "--roi_subset", nargs="+")
    parser.add_argument("-ns", "--nr_thr_saving", type=int, default=6)
    parser.add_argument("-d", "--device", default="gpu")
    given = parser.parse_args()
    mode = os.environ.get("STANDIN_MODE", "")
    config = json.loads((Path(os.environ["TOTALSEG_HOME_DIR"]) / "config.json").read_text())
    call = {"arguments": sys.argv[1:], "task": given.task, "config": config, "pids": [os.getpid()]}
    call["input_is_there"] = given.input.is_file()
    if mode == "slow":
        call["pids"].append(subprocess.Popen(["sleep", "600"]).pid)
    with open(os.environ["STANDIN_CALLS"], "a") as calls:
        calls.write(json.dumps(call) + "\n")
    if mode == "fail":
        print("Predicting...")
        sys.exit("RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB")
    if mode == "slow":
        print("Predicting part 2 of 5 ...", flush=True)
        time.sleep(600)
    if mode == "silent":
        time.sleep(2.5)
    else:
        print("\nIf you use this tool please cite: https://pubs.rsna.org/doi/10.1148/ryai.230024\n")
        print("Resampling...\n  Resampled in 0.01s\nPredicting...")
        sys.stderr.write("\r 50%|#####     | 4/8\r100%|##########| 8/8\n")
    if mode == "text":
        given.output.write_text("no image")
    elif mode != "nothing":
        shutil.copy(Path(os.environ["STANDIN_RESULTS"]) / f"{given.task}.nii.gz", given.output)


if __name__ == "__main__":
    main()
