"""A small study on disk: synthetic patients, few columns, quick to run."""

import re
from pathlib import Path

from OVFRiskLib.files.tables import write_csv
from OVFRiskLib.study.cohort import cells
from OVFRiskLib.study.design.templates import template
from OVFRiskLib.study.synthetic import synthetic_cohort

SHARED = ("glcm_Idmn", "glrlm_RunEntropy", "firstorder_Median", "ngtdm_Strength", "shape_Sphericity")


def write_small_study(
    folder: Path, *, patients: int = 90, resampled: bool = True, changes: dict[str, str] | None = None, seed: int = 5
) -> Path:
    """Write tables of `patients` and a small design of the malignant-fracture template; return the design's path.

    Without `resampled` the design has its test set only. `changes` replaces patterns (regular expressions) of the text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = synthetic_cohort("malignant-fracture", seed, patients)
    features = [title for title in drawn.features if title.endswith(SHARED)]
    table = drawn.cohort.table
    for name, part in (("clinical.csv", table.drop(columns=list(drawn.features))), ("features.csv", table[features])):
        write_csv(folder / name, {"subject": list(part.index), **cells(part)})
    text = template("malignant-fracture")
    little = (
        "folds = 3\nrepeats = 1\nhold_outs = 2\nbootstraps = 4\nlearning_curve = [0.6, 1.0]\n"
        "learning_repeats = 2\nablation = 2\n"
    )
    small = {
        r"\[validation\]\n(.+\n)+": f"[validation]\n{little if resampled else 'folds = 0'}\n",
        r"test = 63": "test = 0.3",
        r"sensitivity = 0.9": "sensitivity = 0.9\nreplicates = 100",
    }
    for pattern, new in (small | (changes or {})).items():
        text, count = re.subn(pattern, new, text)
        assert count, pattern
    path = folder / "design.toml"
    path.write_text(text, "utf-8")
    return path
