"""Two real tables on which R judges the cohort's statistics: scikit-learn's breast cancer and diabetes data.

The diabetes outcome is dichotomised at 200. Keys sort as the rows do, so that ties fall as in R.
"""

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes

COVARIATES = {"breast": ("texture", "smoothness", "fractal"), "diabetes": ("age", "bmi", "bp")}


def breast() -> pd.DataFrame:
    data = load_breast_cancer(as_frame=True).frame
    return pd.DataFrame(
        {
            "group": np.where(data["target"] == 0, "case", "control"),
            "texture": data["mean texture"],
            "smoothness": data["mean smoothness"],
            "fractal": data["mean fractal dimension"],
            "sex": np.where(data["symmetry error"] > 0.02, "F", "M"),  # any two classes: there is no sex in the data
            "band": np.select([data["texture error"] < 0.8, data["texture error"] < 1.4], ["a", "b"], "c"),
        },
    ).set_index(pd.Index([f"b{n:03d}" for n in range(len(data))], name="subject"))


def diabetes() -> pd.DataFrame:
    data = load_diabetes(as_frame=True, scaled=False).frame
    return pd.DataFrame(
        {
            "group": np.where(data["target"] > 200, "case", "control"),
            "age": data["age"],
            "bmi": data["bmi"],
            "bp": data["bp"],
            "sex": np.where(data["sex"] > 1.5, "M", "F"),
            "band": np.select([data["s6"] < 85, data["s6"] < 95], ["a", "b"], "c"),
        },
    ).set_index(pd.Index([f"d{n:03d}" for n in range(len(data))], name="subject"))


TABLES = {"breast": breast, "diabetes": diabetes}
