"""Seeds for the parts of a study: each part has its own, and none depends on what ran before it."""

from hashlib import sha256

LARGEST = 2**31 - 1
"""What NumPy, scikit-learn and R all take."""


def seed_of(seed: int, *names: object) -> int:
    """Return the seed of the part called `names`, 0 to 2**31 - 1: the same for the same study on every machine.

    Parameters
    ----------
    seed : int
        Of the study.
    *names : object
        What tells the part from the others, e.g. way, variant, learner, ``"bootstrap"``, 7. They count as text.
    """
    text = "\n".join(map(str, (seed, *names)))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") % (LARGEST + 1)
