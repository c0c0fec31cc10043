"""TabNet with the two-phase search of Ge et al."""

from scipy.stats import loguniform, randint, uniform
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .search import Learner, Parameters, Phase
from .tabnet_classifier import TabNetHoldOut


def _network(parameters: Parameters, seed: int) -> BaseEstimator:
    return make_pipeline(StandardScaler(), TabNetHoldOut(random_state=seed, **parameters))


TABNET = Learner(
    name="tabnet",
    title="TabNet",
    source=(
        "Ge et al. 2025 searched first the architecture (width, decision steps, independent and shared layers, "
        "sparsity coefficient; 100 candidates), then the training (learning rate, batch size, decay schedule; their "
        "number is not given), stopping 10 epochs after the best; ranges are not given. Here: width 4-24, 2-3 steps, "
        "1-2 layers of each kind, sparsity log-uniform in 1e-6-1e-2, relaxation 1-2; then rate log-uniform in "
        "0.005-0.05, batches of 128, 256 or 512, decay of the rate by 0.9-1 an epoch; 60 % of candidates in the first "
        "phase. They seem to have stopped on the fold that they scored; here a fifth of each training part says when "
        "to stop, so that a fold's AUROC is of patients the network has not seen."
    ),
    build=_network,
    start={"learning_rate": 0.02, "batch_size": 128, "decay": 0.95},
    phases=(
        Phase(
            "architecture",
            {
                "width": randint(4, 25),
                "steps": randint(2, 4),
                "independent": randint(1, 3),
                "shared": randint(1, 3),
                "relaxation": uniform(1.0, 1.0),
                "sparsity": loguniform(1e-6, 1e-2),
            },
            share=0.6,
        ),
        Phase(
            "training",
            {"learning_rate": loguniform(5e-3, 5e-2), "batch_size": [128, 256, 512], "decay": uniform(0.9, 0.1)},
        ),
    ),
)
