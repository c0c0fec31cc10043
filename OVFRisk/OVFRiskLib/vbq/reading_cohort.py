"""A synthetic cohort with the published groups' scores: for tests and teaching, never for evidence."""

from types import MappingProxyType

import numpy as np

from ..models.catalogue import published_models

COHORT = 84  # patients in each group of Huang et al.
# Mean and SD with and without fracture, Table 1 of Huang et al., Global Spine J 2025; it has no cut-off.
_STIR = ((0.318, 0.051), (0.316, 0.050))
SYNTHETIC = "synthetic: independent normal draws about published means and SDs (Huang et al. 2025, Table 1)"


def published_groups() -> MappingProxyType[str, tuple[tuple[float, float], tuple[float, float]]]:
    """Return (mean, SD) with fracture and (mean, SD) without, by the score's name, as published."""
    cards = [model.card for model in published_models() if model.card.population.groups]
    groups = {card.inputs[0].name: tuple(card.population.groups.values()) for card in cards}
    return MappingProxyType(groups | {"vbq_stir": _STIR})


def synthetic_vbq_cohort(seed: int, n: int = COHORT) -> dict[str, list[str | float]]:
    """Draw a synthetic cohort of `n` patients with and `n` without fracture.

    Each score is normal with the published mean and SD of its group. The scores of one patient are independent of each
    other, which those of a real one are not (their correlation is not published): nothing that combines scores can be
    learned from it.

    Parameters
    ----------
    seed : int
        The same seed gives the same cohort.
    n : int
        Patients in each group; 84 in the publication.

    Returns
    -------
    dict of list
        Columns for `files.tables.write_csv` or a data frame: ``subject`` (``synthetic-...``), ``fracture`` (1 or 0),
        ``vbq_t1``, ``vbq_t2``, ``vbq_t2_stir``, ``vbq_stir`` (unit 1), and ``note``, which says that it is synthetic.

    Raises
    ------
    ValueError
        When `n` is not positive.
    """
    if n < 1:
        raise ValueError("a cohort needs at least one patient in each group")
    rng = np.random.default_rng((seed, 84))
    columns: dict[str, list[str | float]] = {
        "subject": [f"synthetic-{seed}-{number:03d}" for number in range(1, 2 * n + 1)],
        "fracture": [1.0] * n + [0.0] * n,
    }
    for name, groups in published_groups().items():
        columns[name] = np.concatenate([mean + sd * rng.standard_normal(n) for mean, sd in groups]).tolist()
    return columns | {"note": [SYNTHETIC] * (2 * n)}
