"""What each score of vertebral bone quality is, from the signals of its regions.

Huang et al., Global Spine J 2025, doi:10.1177/21925682251339995: the mean signal of L1-L4 over that of CSF at L3, on
T1, T2 and STIR; VBQ-T2-STIR is the mean over the levels of (T2 - STIR) over the same difference of CSF.
Ehresman et al., Spine J 2020, doi:10.1016/j.spinee.2019.10.018, take the median of the levels.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..anatomy import Region
from ..image import Modality

STATISTICS: Mapping[str, Callable[[list[float]], float]] = {
    "mean": lambda values: float(np.mean(values)),
    "median": lambda values: float(np.median(values)),
}
Means = Mapping[tuple[Modality, Region], float]


@dataclass(frozen=True)
class Score:
    """One score: of one sequence, or of the difference of two.

    Parameters
    ----------
    name : str
    sequences : tuple of Modality
        One, or two of which the second is subtracted from the first.
    """

    name: str
    sequences: tuple[Modality, ...]

    def value(self, means: Means, bodies: Iterable[Region], csf: Region, statistic: str) -> float:
        """Return the score.

        Parameters
        ----------
        means : mapping of (Modality, Region) to float
            Mean signal of each region on each sequence.
        bodies : iterable of Region
            Of the levels that the score is made of.
        csf : Region
        statistic : str
            ``mean`` or ``median``.

        Raises
        ------
        ValueError
            When nothing can be divided by the signal of CSF.
        """
        reference = self._signal(means, csf)
        if reference <= 0:
            raise ValueError(self._why_no_reference(means, csf))
        return STATISTICS[statistic]([self._signal(means, body) for body in bodies]) / reference

    def _signal(self, means: Means, region: Region) -> float:
        first, *rest = (means[sequence, region] for sequence in self.sequences)
        return first - sum(rest)

    def _why_no_reference(self, means: Means, csf: Region) -> str:
        signals = [means[sequence, csf] for sequence in self.sequences]
        if len(signals) == 1:
            return f"the signal of CSF on {self.sequences[0]} is {signals[0]:g}: nothing can be divided by it"
        return f"CSF is not brighter on T2 ({signals[0]:g}) than on STIR ({signals[1]:g})"


SINGLE = tuple(Score(f"vbq_{sequence.lower()}", (sequence,)) for sequence in (Modality.T1, Modality.T2, Modality.STIR))
DIFFERENCE = Score("vbq_t2_stir", (Modality.T2, Modality.STIR))


def scores_of(sequences: Iterable[Modality]) -> tuple[Score, ...]:
    """Return the scores that these sequences give."""
    there = set(sequences)
    return tuple(score for score in (*SINGLE, DIFFERENCE) if set(score.sequences) <= there)
