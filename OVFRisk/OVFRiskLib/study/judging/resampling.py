"""Bootstrap by counts: patients who fall into the same cell are alike, so that only their number is drawn."""

import numpy as np

from .estimate import LEVEL, Estimate

MOST_UNDEFINED = 0.05  # share of resamples without the figure; from there on their percentiles mean nothing


def draws(counts: np.ndarray, replicates: int, seed: int) -> np.ndarray:
    """Return the counts in `replicates` resamples of all patients, with replacement.

    Drawing n patients with replacement is drawing once from the multinomial distribution of their cells.

    Parameters
    ----------
    counts : ndarray of int, shape (cells,)
    replicates, seed : int

    Returns
    -------
    ndarray of int, shape (replicates, cells)
    """
    return _multinomial(np.random.default_rng(seed), counts, replicates)


def stratified_draws(events: np.ndarray, others: np.ndarray, replicates: int, seed: int) -> tuple[np.ndarray, ...]:
    """Return resampled counts of patients with and without the event, each as many as there were."""
    generator = np.random.default_rng(seed)
    return tuple(_multinomial(generator, counts, replicates) for counts in (events, others))


def _multinomial(generator: np.random.Generator, counts: np.ndarray, replicates: int) -> np.ndarray:
    return generator.multinomial(counts.sum(), counts / counts.sum(), size=replicates)


def percentiles(replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 2.5th and 97.5th percentile along the first axis, of the resamples that have a value."""
    low, high = np.nanquantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def of_replicates(value: float, replicates: np.ndarray, n: int, events: int, method: str) -> Estimate:
    """Return an estimate with the percentile interval of its bootstrap replicates, shape (replicates,)."""
    undefined = int(np.sum(~np.isfinite(replicates)))
    method = f"{method}; 95 % CI by {len(replicates)} bootstrap resamples (percentiles)"
    if undefined > MOST_UNDEFINED * len(replicates):
        reason = f"it is undefined in {undefined} of {len(replicates)} bootstrap resamples"
        return Estimate(value, None, None, n, events, method, reason)
    if undefined:
        method += f", {undefined} of them without a value"
    low, high = percentiles(np.where(np.isfinite(replicates), replicates, np.nan))
    return Estimate(value, float(low), float(high), n, events, method)
