"""ComBat: taking from the features what the scanner adds to them.

Written here because no package that does it could be taken (November 2026): combatlearn 2.3 estimates its priors across
the scanners instead of across the features, 0.2 SD off neuroCombat's result in our trial, and adds a constant to every
variance, so that units matter; neuroCombat has had no release since 2021; neuroHarmonize 2.5 forbids NumPy 2; inmoose
is under the GPL, which OVFRisk is not.
"""

from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ...errors import UserError
from .base import check_options, features_of, listed, names_of
from .parameter import Parameter

FEWEST_PATIENTS = 2
"""Of a scanner: below it there is no spread."""
_ROUNDING = 1e-12
_SETTLED, _MOST_ROUNDS = 1e-12, 10_000
_POOL = "Leave its patients out, or give scanners that are alike one name."


class Combat(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Brings each scanner's mean and spread of every feature to those of all training patients.

    Location and scale of a feature on a scanner, both in units of the feature's SD within scanners, are shrunk towards
    what is usual on that scanner by empirical Bayes over its features (Johnson, Li and Rabinovic, Biostatistics
    2007;8:118-127). Without covariates: if the scanners' patients differ (one centre sends the fractures), that
    difference is taken away, too. The columns may have any units. A feature that has one value on each scanner loses
    all that differs between them.

    Parameters
    ----------
    batches : Series
        The scanner by patient, of everybody who will be met; index: the keys that the tables have. In a pipeline
        behind another step, set its output to pandas.
    column : str
        What `batches` is called: the clinical column that it is from.
    parametric : bool
        Whether the scanner's locations are taken to be normal and its variances inverse gamma; else the features
        themselves are the prior (Johnson's non-parametric one).
    mean_only : bool
        Adjust the location alone; shrunk, as in sva and neuroCombat, as if a scanner had one patient.

    Fitted attributes
    -----------------
    table_ : DataFrame
        A row a feature and scanner (index ``feature``): ``batch``, ``patients``, ``gamma_hat`` and ``delta_hat``
        (location, and variance, as found, in SDs and variances within scanners), ``gamma`` and ``delta`` (as taken
        away) and ``note``.
    batches_ : tuple of str
    center_, scale_ : ndarray, shape (features,)
        Mean, and SD (of n) within scanners.
    gamma_, delta_ : ndarray, shape (scanners, features)
    """

    PARAMETERS: ClassVar = (
        Parameter("batches", object, None, "the patients' scanners"),
        Parameter("column", str, "scanner", "ours: the clinical column of the scanners"),
        Parameter("parametric", bool, True, "Johnson 2007"),
        Parameter("mean_only", bool, False, "Johnson 2007"),
    )

    def __init__(
        self,
        batches: pd.Series | None = None,
        column: str = "scanner",
        parametric: bool = True,
        mean_only: bool = False,
    ) -> None:
        self.batches = batches
        self.column = column
        self.parametric = parametric
        self.mean_only = mean_only

    def fit(self, x: pd.DataFrame, y: object = None) -> "Combat":  # noqa: ARG002
        """Find what each scanner of the training rows does.

        Raises
        ------
        UserError
            Where a patient's scanner is not known, there is one scanner only, a scanner has too few patients, or
            there are fewer than two features to learn from.
        """
        check_options(self)
        values = features_of(self, x, fitting=True)
        names, code, patients = np.unique(self._scanners(x), return_inverse=True, return_counts=True)
        self._check(names, patients)
        self.batches_ = tuple(names.tolist())
        shift, spread, inside = self._found(values, code)
        self.gamma_, self.delta_ = shift.copy(), np.ones_like(shift)
        for n, (name, count) in enumerate(zip(self.batches_, patients)):
            found = self._shrunk(shift[n, inside], spread[n, inside], count, name)
            self.gamma_[n, inside], self.delta_[n, inside] = found
        self.table_ = self._table(patients, shift, spread, inside)
        return self

    def transform(self, x: pd.DataFrame) -> np.ndarray:
        """Return the features as all scanners together would have measured them.

        Raises
        ------
        UserError
            Where a patient's scanner is not known or was not among those of the training.
        """
        check_is_fitted(self, "table_")
        values, used = features_of(self, x), self._scanners(x)
        new = ~np.isin(used, self.batches_)
        if new.any():
            who = listed(pd.Index(x.index)[new], 3)
            raise UserError(
                f"ComBat knows no {self.column} '{used[new][0]}' (patients {who}): no training patient has it.",
                f"Leave these patients out, or split so that each {self.column} trains, too. What an unknown scanner "
                "adds cannot be taken away.",
            )
        code = np.searchsorted(self.batches_, used)
        moved = (values - self.center_) / self.scale_ - self.gamma_[code]
        return moved / np.sqrt(self.delta_[code]) * self.scale_ + self.center_

    def _scanners(self, x: pd.DataFrame) -> np.ndarray:
        """Return the scanner of each row, as text."""
        if not isinstance(self.batches, pd.Series) or not self.batches.index.is_unique:
            raise UserError(
                "ComBat was not given one scanner a patient.",
                f"Name the clinical column of them as its '{self.column}'.",
            )
        if not isinstance(x, pd.DataFrame):
            raise UserError(
                "ComBat needs the patients' keys to know their scanners, and got a table without.",
                "Give a DataFrame; in a pipeline, set the output of the steps before it to pandas.",
            )
        used = self.batches.reindex(x.index)
        if used.isna().any():
            raise UserError(
                f"The {self.column} of {listed(x.index[used.isna()], 3)} is not known.",
                "Complete the column, or leave these patients out.",
            )
        return used.astype(str).to_numpy(dtype=str)

    def _found(self, x: np.ndarray, code: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return location and variance of each scanner's standardised features, and which vary within scanners."""
        batches = [x[code == n] for n in range(len(self.batches_))]
        means = np.stack([batch.mean(axis=0) for batch in batches])
        within = np.sqrt(((x - means[code]) ** 2).mean(axis=0))
        inside = within > _ROUNDING * np.abs(x).max(axis=0)
        if inside.sum() < 2:
            raise UserError(
                f"ComBat has {inside.sum()} features that vary within a {self.column}; it needs at least 2.",
                "Give it all features, before any of them are chosen.",
            )
        self.center_, self.scale_ = x.mean(axis=0), np.where(inside, within, 1.0)
        variances = np.stack([batch.var(axis=0, ddof=1) for batch in batches]) / self.scale_**2
        return (means - self.center_) / self.scale_, np.where(inside, variances, 1.0), inside

    def _check(self, names: np.ndarray, patients: np.ndarray) -> None:
        if len(names) < 2:
            raise UserError(
                f"All training patients have the same {self.column}, '{names[0]}'.",
                "Leave ComBat out: there is nothing to bring together.",
            )
        if patients.min() < FEWEST_PATIENTS:
            raise UserError(f"Only one training patient has the {self.column} '{names[patients.argmin()]}'.", _POOL)

    def _shrunk(self, shift: np.ndarray, spread: np.ndarray, patients: int, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return gamma and delta of one scanner."""
        if not spread.any():
            raise UserError(f"All patients of the {self.column} '{name}' have the same features.", _POOL)
        if self.mean_only:
            spread = np.ones_like(spread)
        if not self.parametric:
            return non_parametric(shift, spread, patients)
        if self.mean_only:
            return _location(shift, spread, 1), spread
        return parametric(shift, spread, patients)

    def _table(self, patients: np.ndarray, shift: np.ndarray, spread: np.ndarray, inside: np.ndarray) -> pd.DataFrame:
        known = {"gamma_hat": shift, "gamma": self.gamma_, "delta_hat": spread, "delta": self.delta_}
        rows, columns = self.gamma_.shape
        table = {"batch": np.repeat(self.batches_, columns), "patients": np.repeat(patients, columns)}
        table |= {name: value.ravel() for name, value in known.items()}
        table["note"] = np.tile(np.where(inside, "", "has one value on each: not shrunk"), rows)
        return pd.DataFrame(table, index=pd.Index(np.tile(names_of(self), rows), name="feature"))


def parametric(shift: np.ndarray, spread: np.ndarray, patients: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the posterior location and variance of each feature on a scanner, by a normal and an inverse gamma prior.

    Johnson 2007, equations 3.1 and 3.2, with the priors' parameters by moments over the features, iterated until
    nothing changes any more.

    Parameters
    ----------
    shift, spread : ndarray, shape (features,)
        Mean and variance (of n - 1) of the standardised features.
    patients : int
    """
    mean, variance = spread.mean(), spread.var(ddof=1)
    delta = np.where(spread > 0, spread, mean)
    for _ in range(_MOST_ROUNDS):
        gamma = _location(shift, delta, patients)
        squares = (patients - 1) * spread + patients * (shift - gamma) ** 2
        # The inverse gamma's a = (2 v + m²) / v and b = (m v + m³) / v, with all multiplied by v, which may be 0.
        above = variance * (squares / 2 + mean) + mean**3
        new = above / (variance * (patients / 2 + 1) + mean**2)
        if (np.abs(new - delta) <= _SETTLED * new).all():
            return gamma, new
        delta = new
    raise UserError(f"ComBat does not settle for {patients} patients of one scanner.", _POOL)


def _location(shift: np.ndarray, delta: np.ndarray, patients: int) -> np.ndarray:
    certain = patients * shift.var(ddof=1)
    return (certain * shift + delta * shift.mean()) / (certain + delta)


def non_parametric(shift: np.ndarray, spread: np.ndarray, patients: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of all other features' location and variance, weighted by how well they explain a feature.

    Johnson 2007, supplement; by logarithms, so that no weight is lost to rounding. Parameters as of `parametric`.
    """
    squares = (patients - 1) * spread[:, None] + patients * (shift[:, None] - shift) ** 2
    other = np.where(spread > 0, spread, spread[spread > 0].min())
    fits = -patients / 2 * np.log(other) - squares / (2 * other)
    np.fill_diagonal(fits, -np.inf)
    weight = softmax(fits, axis=1)
    return weight @ shift, weight @ other
