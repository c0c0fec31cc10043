"""Makes the tables that R and the tests judge: real outcomes, and two models' predictions for unseen patients.

Run `python Testing/study/judging_tables.py` to write judging_breast_cancer.csv and judging_diabetes.csv again; the
predictions of diabetes are rounded to two decimals, so that they are tied. Then, in this folder, `Rscript judging.R`
writes judging_golden.json.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def table(x: np.ndarray, y: np.ndarray, columns: tuple[list[int], list[int]], decimals: int) -> np.ndarray:
    """Outcome and two probabilities of the odd rows, by models that the even rows fitted."""
    train, test = slice(0, None, 2), slice(1, None, 2)
    found = [y[test]]
    for chosen in columns:
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x[train][:, chosen], y[train])
        found.append(np.round(model.predict_proba(x[test][:, chosen])[:, 1], decimals))
    return np.column_stack(found)


def main() -> None:
    """Write both tables beside this file."""
    cancer, diabetes = load_breast_cancer(), load_diabetes()
    tables = {
        "breast_cancer": table(cancer.data, 1 - cancer.target, ([1, 4], [1, 4, 8, 5]), 6),  # 1: malignant
        "diabetes": table(diabetes.data, (diabetes.target > 140).astype(int), ([0, 1, 3], [0, 1, 2, 3]), 2),
    }
    for name, rows in tables.items():
        path = Path(__file__).with_name(f"judging_{name}.csv")
        np.savetxt(path, rows, fmt=["%d", "%.6g", "%.6g"], delimiter=",", header="y,old,new", comments="")


if __name__ == "__main__":
    main()
