"""pytorch-tabnet's network as a scikit-learn estimator that stops early by itself."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ...errors import UserError, import_optional

_FEATURE = "Training a TabNet model"
_LARGEST_GHOST_BATCH = 128


class TabNetHoldOut(ClassifierMixin, BaseEstimator):
    """A TabNet classifier (Arik and Pfister, AAAI 2021) on the CPU, one seed one network.

    A part of the training rows, stratified, is held out: training stops when their AUROC has not risen for `patience`
    epochs, and the best epoch's weights are kept.

    Parameters
    ----------
    width : int
        Of decision and of attention (n_d, n_a).
    steps, independent, shared : int
        Decision steps; layers of each step's own and common ones.
    relaxation : float
        Of attention to inputs that earlier steps used (gamma), 1 or more.
    sparsity : float
        Weight of the masks' entropy in the loss (lambda_sparse).
    learning_rate, decay : float
        Adam's; its factor after each epoch.
    batch_size, max_epochs, patience : int
    hold_out : float
        Share of the training rows, 0-1.
    random_state : int

    Attributes
    ----------
    model_ : TabNetClassifier
        Of pytorch-tabnet.
    classes_ : ndarray
    feature_importances_ : ndarray, shape (inputs,)
    epochs_ : int
        How many were trained.
    history_ : dict of list
        Loss and AUROC of the held-out rows, epoch by epoch.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - scikit-learn wants each setting by name
        self,
        width: int = 8,
        steps: int = 3,
        independent: int = 2,
        shared: int = 2,
        relaxation: float = 1.3,
        sparsity: float = 1e-3,
        learning_rate: float = 0.02,
        decay: float = 0.95,
        batch_size: int = 128,
        max_epochs: int = 100,
        patience: int = 10,
        hold_out: float = 0.2,
        random_state: int = 0,
    ) -> None:
        self.width = width
        self.steps = steps
        self.independent = independent
        self.shared = shared
        self.relaxation = relaxation
        self.sparsity = sparsity
        self.learning_rate = learning_rate
        self.decay = decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.hold_out = hold_out
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> "TabNetHoldOut":  # noqa: N803 - scikit-learn's name
        """Train on (patients, inputs) and outcomes 0 and 1."""
        x, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if self.classes_.tolist() != [0, 1]:
            raise UserError(
                "The outcome does not have the two values 0 and 1.", "Code it: 1 with the event, 0 without."
            )
        parts = self._parts(x, y.astype(np.int64))
        torch = import_optional("torch", _FEATURE)
        with reproducible(torch), _quiet():
            self.model_ = self._network(torch)
            self._train(*parts)
        self.feature_importances_ = self.model_.feature_importances_
        self.history_ = {"loss": list(self.model_.history["loss"]), "auroc": list(self.model_.history["held_out_auc"])}
        self.epochs_ = len(self.history_["loss"])
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:  # noqa: N803
        """Return the probabilities of 0 and 1, shape (patients, 2)."""
        check_is_fitted(self, "model_")
        x = validate_data(self, X, dtype=np.float32, reset=False)
        with reproducible(import_optional("torch", _FEATURE)):
            return self.model_.predict_proba(x).astype(np.float64)

    def predict(self, X: np.ndarray) -> np.ndarray:  # noqa: N803
        """Return 1 where its probability is above a half."""
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]

    def _parts(self, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        """Return training and held-out inputs, training and held-out outcomes."""
        try:
            return train_test_split(x, y, test_size=self.hold_out, stratify=y, random_state=self.random_state)
        except ValueError as error:
            raise UserError(
                f"{len(y)} patients, {int(y.sum())} with the event, are too few to hold a part out for TabNet.",
                "Leave TabNet out of the design, or use fewer folds.",
            ) from error

    def _network(self, torch: object) -> object:
        tab_model = import_optional("pytorch_tabnet.tab_model", _FEATURE)
        return tab_model.TabNetClassifier(
            n_d=self.width,
            n_a=self.width,
            n_steps=self.steps,
            n_independent=self.independent,
            n_shared=self.shared,
            gamma=self.relaxation,
            lambda_sparse=self.sparsity,
            optimizer_params={"lr": self.learning_rate},
            scheduler_fn=torch.optim.lr_scheduler.ExponentialLR,
            scheduler_params={"gamma": self.decay},
            seed=int(self.random_state),
            device_name="cpu",
            verbose=0,
        )

    def _train(self, x: np.ndarray, held_x: np.ndarray, y: np.ndarray, held_y: np.ndarray) -> None:
        batch = min(self.batch_size, len(x))  # an incomplete batch is dropped, so there must be a complete one
        self.model_.fit(
            x,
            y,
            eval_set=[(held_x, held_y)],
            eval_name=["held_out"],
            eval_metric=["auc"],
            max_epochs=self.max_epochs,
            patience=self.patience,
            batch_size=batch,
            virtual_batch_size=min(batch, _LARGEST_GHOST_BATCH),
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what pytorch-tabnet prints and warns of early stopping, verbose or not."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Best weights from best epoch")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


@contextmanager
def reproducible(torch: object) -> Iterator[None]:
    """Compute on one thread, and leave torch's random numbers and threads as they were."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(before)
