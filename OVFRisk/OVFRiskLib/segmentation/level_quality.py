"""How far a level can be trusted: findings, a score from 0 to 1, and whether it may be measured."""

from dataclasses import dataclass
from enum import StrEnum
from math import prod

from ..anatomy import VertebralLevel

BAR = 0.7  # a level of lower quality is flagged wherever it is used


class Fault(StrEnum):
    """What can be wrong with a level, or be worth stating."""

    CUT = "cut"
    CLIPPED = "clipped"
    NO_BODY = "no body"
    FRAGMENT = "fragment"
    PIECES = "pieces"
    DUPLICATE = "duplicate"
    MERGED = "merged"
    SPLIT = "split"
    TOUCHING = "touching"
    INTERLOCKED = "interlocked"
    SIZE = "size"
    ASYMMETRIC = "asymmetric"
    TURNED = "turned"
    ATTENUATION = "attenuation"
    ORDER = "order"
    GAP = "gap"
    SHIFTED = "shifted"
    TRANSITIONAL = "transitional"


_UNMEASURABLE = frozenset(
    (Fault.CUT, Fault.NO_BODY, Fault.FRAGMENT, Fault.DUPLICATE, Fault.MERGED, Fault.SPLIT, Fault.ORDER)
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason.

    Parameters
    ----------
    fault : Fault
    text : str
        For the reader.
    trust : float
        What is left of the trust in the level, 0 to 1; 1 for a plain statement.
    """

    fault: Fault
    text: str
    trust: float


@dataclass(frozen=True)
class LevelQuality:
    """How far a level can be trusted.

    Parameters
    ----------
    level : VertebralLevel
    findings : tuple of Finding
    """

    level: VertebralLevel
    findings: tuple[Finding, ...] = ()

    @property
    def usable(self) -> bool:
        """False where a measurement would be false."""
        return not any(finding.fault in _UNMEASURABLE for finding in self.findings)

    @property
    def score(self) -> float:
        """Quality, 0 to 1: the product of what each finding leaves of the trust."""
        return prod(finding.trust for finding in self.findings)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not usable; or, where it is, what to keep in mind."""
        doubts = [f for f in self.findings if f.trust < 1 and (self.usable or f.fault in _UNMEASURABLE)]
        return tuple(finding.text for finding in doubts)

    @property
    def statements(self) -> tuple[str, ...]:
        """What is no fault but must be known, such as a sixth lumbar vertebra."""
        return tuple(finding.text for finding in self.findings if finding.trust == 1)

    @property
    def note(self) -> str:
        """All reasons in one sentence, led by a warning where the quality is below the bar."""
        distrust = [f"distrust this level (quality {self.score:.2f})"] if self.usable and self.score < BAR else []
        return "; ".join((*distrust, *self.reasons))
