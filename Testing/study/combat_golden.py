"""Golden values of ComBat by neuroCombat 0.2.12 (Fortin's Python version).

Made again by ``pip install --no-deps --target T neuroCombat==0.2.12`` and
``PYTHONPATH=T:. python -m Testing.study.combat_golden``. Its iteration stops at changes of 1e-4; here it goes on to
1e-13.
"""

import importlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

GOLDEN = Path(__file__).parent / "combat_golden.json"
MODES = {
    "parametric": {},
    "mean only": {"mean_only": True},
    "non-parametric": {"parametric": False},
    "non-parametric mean only": {"parametric": False, "mean_only": True},
}


def scanned() -> tuple[pd.DataFrame, pd.Series]:
    """Return 10 features of 60 real masses as three scanners would see them: each adds to and stretches a feature."""
    table = load_breast_cancer(as_frame=True).data.iloc[:60, :10]
    table.index = [f"patient-{n}" for n in range(60)]
    scanner = np.repeat([0, 1, 2], [30, 20, 10])
    step = np.arange(10)
    add = np.stack([np.sin(step), np.cos(step) - 0.5, 0.1 * step])[scanner]
    grow = np.exp(0.4 * np.stack([np.cos(3 * step), np.sin(2 * step), np.cos(step)]))[scanner]
    center, scale = table.mean().to_numpy(), table.std().to_numpy()
    return center + (table - center) * grow + scale * add, pd.Series(np.array(["A", "B", "C"])[scanner], table.index)


def main() -> None:
    """Write the golden values."""
    library = importlib.import_module("neuroCombat.neuroCombat")
    library.it_sol.__defaults__ = (1e-13,)
    table, scanner = scanned()
    made = {}
    for name, mode in MODES.items():
        found = library.neuroCombat(table.T.to_numpy(), scanner.to_frame("scanner"), "scanner", **mode)
        estimates = {key: np.asarray(found["estimates"][f"{key}.star"]).tolist() for key in ("gamma", "delta")}
        made[name] = {"data": found["data"].T[::5].tolist(), **estimates}
    made["made by"] = __doc__.strip().split("\n")
    GOLDEN.write_text(json.dumps(made) + "\n", "utf-8")


if __name__ == "__main__":
    main()
