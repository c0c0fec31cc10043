"""Make the golden bundles: `PYTHONPATH=OVFRisk:. python -m Testing.models.make_golden`, once a schema version.

They stay as they are: a later OVFRisk has to read them and give the values written beside them. The patients are
simulated.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from OVFRiskLib.models.bundle import write_bundle
from OVFRiskLib.models.card import Calibration, Input, Output, Summary, Threshold
from OVFRiskLib.models.export import predictor_of
from OVFRiskLib.models.predictors.linear import LogisticPredictor
from OVFRiskLib.models.predictors.threshold import ThresholdPredictor

from .cards import example_card

FOLDER = Path(__file__).parent / "golden"
INPUTS = 4


def card(name: str, inputs: tuple[Input, ...], **changes: object) -> object:
    plain = {"calibration": None, "protocols": {}, "settings": {}, "synthetic": True, "inputs": inputs}
    return example_card(name=f"golden-{name}", **(plain | changes))


def plain_inputs(center: np.ndarray, scale: np.ndarray) -> tuple[Input, ...]:
    return tuple(
        Input(f"measure_{n}", f"Measure {n}", "1", center=c, scale=s, training=Summary(-4.0, 4.0, 0.0, 1.0))
        for n, (c, s) in enumerate(zip(center, scale))
    )


def trained() -> dict[str, object]:
    from pytorch_tabnet.tab_model import TabNetClassifier
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier
    from xgboost import XGBClassifier

    random = np.random.default_rng(7)
    x = random.normal(size=(300, INPUTS))
    y = (x[:, 0] + np.abs(x[:, 1]) + random.normal(size=300) / 2 > 1).astype(int)
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
        "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
        "forest": RandomForestClassifier(8, max_depth=3, random_state=0),
        "xgboost": XGBClassifier(n_estimators=12, max_depth=2, n_jobs=1, random_state=0),
    }
    found = {name: model.fit(x, y) for name, model in models.items()}
    network = TabNetClassifier(n_d=4, n_a=4, n_steps=2, seed=0, verbose=0, device_name="cpu")
    network.fit(x.astype("f4"), y, max_epochs=3, batch_size=64, virtual_batch_size=32)
    return found | {"tabnet": network}


def radscore() -> tuple[object, LogisticPredictor]:
    """A logistic model of a radscore and one more input, calibrated, with an interval."""
    terms = plain_inputs(np.array([1.0, -1.0]), np.array([2.0, 0.5]))
    score = Input("radscore", "Radscore", "1", terms=terms, coefficients=(0.8, -0.6), intercept=0.1, scale=1.5)
    more = Input("measure_2", "Measure 2", "1", impute=0.5)
    cut = Threshold("Youden", 0.4, "lower", "higher")
    made = card("radscore", (score, more), calibration=Calibration("logistic", 0.2, 0.9), thresholds=(cut,))
    return made, LogisticPredictor(-0.3, np.array([1.2, 0.7]), np.diag([0.04, 0.02, 0.03]))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    value = card("threshold", plain_inputs(np.zeros(1), np.ones(1)), output=Output.VALUE, thresholds=())
    bundles = {"threshold": (value, ThresholdPredictor()), "radscore": radscore()}
    for name, model in trained().items():
        predictor, center, scale = predictor_of(model)
        bundles[name] = (card(name, plain_inputs(center, scale)), predictor)
    for name, (made, predictor) in bundles.items():
        write_bundle(FOLDER / f"{name}.ovfrisk", made, predictor)
    from .test_golden import scored

    expected = {name: scored(FOLDER / f"{name}.ovfrisk") for name in bundles}
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
