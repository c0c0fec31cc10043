"""Proposes which of an exam's series are its T1, T2 and STIR; what cannot be told is left to the user, by name."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..image import Modality, Volume
from .proposal import SEQUENCES
from .sequences import SequenceProposal, propose_sequence

_AXES = ("sagittal", "coronal", "axial")  # by the RAS axis that the slices' normal is nearest to
_ISOTROPIC, _FINE_MM = 1.5, 2.0  # longest over shortest voxel edge, longest edge: can be cut in any plane
_LUMBAR_MM = 150.0  # from L1 to L4, of small patients; less does not show them all
_FEW_SLICES = 0.8  # of the most
_COARSE = 1.25  # times the finest pixel area
_APART = 0.5  # share of the shorter one that two sequences have to have in common, head to foot
_FEWEST = 3


@dataclass(frozen=True)
class Candidate:
    """One series that may be chosen.

    Parameters
    ----------
    key : str
        What to call it, e.g. ``series 5``; unique in an exam.
    acquisition : mapping of str to str
        DICOM keywords as in `Volume.acquisition`.
    normal : tuple of float
        Unit normal of the slices, RAS.
    slices : int
    spacing_mm : tuple of float
        Of the pixels, then of the slices.
    span_mm : tuple of float
        Lowest and highest point along the patient's axis (S), mm.
    problem : str
        Why it cannot be measured on at all; empty where it can.
    """

    key: str
    acquisition: Mapping[str, str]
    normal: tuple[float, float, float]
    slices: int
    spacing_mm: tuple[float, float, float]
    span_mm: tuple[float, float]
    problem: str = ""

    @classmethod
    def from_volume(cls, key: str, volume: Volume) -> "Candidate":
        """Return an image that was read already; its slices lie across its coarsest axis."""
        across = int(np.argmax(volume.spacing))
        inplane = np.delete(volume.spacing, across)
        size = np.array(volume.array.shape[::-1]) - 1
        corners = [volume.to_ras(size * (i, j, k))[2] for i in (0, 1) for j in (0, 1) for k in (0, 1)]
        normal = volume.ijk_to_ras[:3, across] / volume.spacing[across]
        return cls(
            key,
            dict(volume.acquisition),
            tuple(float(v) for v in normal),
            volume.array.shape[2 - across],
            (*(float(v) for v in inplane), float(volume.spacing[across])),
            (float(min(corners)), float(max(corners))),
        )

    @property
    def plane(self) -> str:
        """``sagittal``, ``coronal``, ``axial``, or ``isotropic`` (any of them)."""
        if max(self.spacing_mm) <= min(_ISOTROPIC * min(self.spacing_mm), _FINE_MM):
            return "isotropic"
        return _AXES[int(np.abs(self.normal).argmax())]

    @property
    def words(self) -> frozenset[str]:
        """Words of its description."""
        return frozenset(self.acquisition.get("DescriptionWords", "").split("\\"))


@dataclass(frozen=True)
class SequenceChoice:
    """Which series is proposed for one sequence; the user may always name another.

    Parameters
    ----------
    key : str or None
        None where there is none, or where several are alike.
    reason : str
    doubts : tuple of str
        What may be wrong with the chosen one.
    candidates : tuple of str
        All series of this weighting that could be measured on.
    """

    key: str | None
    reason: str
    doubts: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()


_Judged = tuple[Candidate, SequenceProposal]


def propose_exam(series: Collection[Candidate]) -> Mapping[Modality, SequenceChoice]:
    """Propose the series for T1, T2 and STIR.

    Of several series of one weighting those win that, in this order: show no contrast agent, are not named after
    another part of the spine, cover 150 mm from head to foot, have fewer doubts, have more slices, and have smaller
    pixels. What is still alike is not chosen: all are named.

    Parameters
    ----------
    series : collection of Candidate

    Returns
    -------
    mapping of Modality to SequenceChoice
        T1, T2 and STIR, each with its reason.
    """
    judged = [(candidate, propose_sequence(candidate.acquisition)) for candidate in series]
    choices = {sequence: _choice(sequence, judged) for sequence in SEQUENCES}
    return _with_places(choices, {candidate.key: candidate for candidate in series})


def why_not(candidate: Candidate) -> str:
    """Return why a series is not measured on, whatever its weighting; empty where it can be."""
    if candidate.problem:
        return candidate.problem
    if candidate.slices < _FEWEST:
        return f"{candidate.slices} slices only"
    return "" if candidate.plane in ("sagittal", "isotropic") else f"{candidate.plane} slices"


def _choice(sequence: Modality, judged: Sequence[_Judged]) -> SequenceChoice:
    weighted = [(candidate, proposal) for candidate, proposal in judged if proposal.modality is sequence]
    usable = [(candidate, proposal) for candidate, proposal in weighted if not why_not(candidate)]
    out = [f"{candidate.key} is left out: {why_not(candidate)}" for candidate, _ in weighted if why_not(candidate)]
    names = tuple(candidate.key for candidate, _ in usable)
    if not usable:
        return SequenceChoice(None, "; ".join((f"no series is a sagittal {sequence}", *out, *_near(sequence, judged))))
    best, lost = _narrowed(usable)
    if len(best) > 1:
        alike = " and ".join(candidate.key for candidate, _ in best)
        return SequenceChoice(None, "; ".join((f"{alike} are alike: name one of them", *lost, *out)), (), names)
    chosen, proposal = best[0]
    return SequenceChoice(chosen.key, "; ".join((proposal.reason, *lost, *out)), proposal.doubts, names)


def _near(sequence: Modality, judged: Sequence[_Judged]) -> list[str]:
    """What was not proposed although its description names the sequence."""
    return [
        f"{candidate.key} is not: {proposal.reason}"
        for candidate, proposal in judged
        if proposal.modality is None and str(sequence) in candidate.words
    ]


def _narrowed(usable: Sequence[_Judged]) -> tuple[list[_Judged], list[str]]:
    """Return those that no criterion puts behind another, and why the rest lost."""
    left, lost = list(usable), []
    for behind, why in _CRITERIA:
        losers = [one for one in left if behind(one, left)]
        if losers and len(losers) < len(left):
            lost += [f"not {candidate.key}: {why}" for candidate, _ in losers]
            left = [one for one in left if one not in losers]
    return left, lost


def _enhanced(one: _Judged, _left: Sequence[_Judged]) -> bool:
    return "ContrastBolusAgent" in one[0].acquisition or "CONTRAST" in one[0].words


def _elsewhere(one: _Judged, _left: Sequence[_Judged]) -> bool:
    return bool(one[0].words & {"CERVICAL", "THORACIC"}) and "LUMBAR" not in one[0].words


def _short(one: _Judged, _left: Sequence[_Judged]) -> bool:
    return one[0].span_mm[1] - one[0].span_mm[0] < _LUMBAR_MM


def _doubtful(one: _Judged, left: Sequence[_Judged]) -> bool:
    return len(one[1].doubts) > min(len(proposal.doubts) for _, proposal in left)


def _fewer(one: _Judged, left: Sequence[_Judged]) -> bool:
    return one[0].slices < _FEW_SLICES * max(candidate.slices for candidate, _ in left)


def _coarser(one: _Judged, left: Sequence[_Judged]) -> bool:
    return _pixel(one[0]) > _COARSE * min(_pixel(candidate) for candidate, _ in left)


def _pixel(candidate: Candidate) -> float:
    return candidate.spacing_mm[0] * candidate.spacing_mm[1]


_CRITERIA: tuple[tuple[Callable[[_Judged, Sequence[_Judged]], bool], str], ...] = (
    (_enhanced, "with contrast agent"),
    (_elsewhere, "named after another part of the spine"),
    (_short, f"under {_LUMBAR_MM:g} mm from head to foot"),
    (_doubtful, "more doubtful"),
    (_fewer, "fewer slices"),
    (_coarser, "larger pixels"),
)


def _with_places(
    choices: Mapping[Modality, SequenceChoice], series: Mapping[str, Candidate]
) -> dict[Modality, SequenceChoice]:
    """Add doubts on what a chosen series shows: too little, another part, or a place of its own."""
    chosen = {sequence: series[choice.key] for sequence, choice in choices.items() if choice.key is not None}
    result = {}
    for sequence, choice in choices.items():
        doubts = list(choice.doubts)
        if sequence in chosen:
            one = (chosen[sequence], SequenceProposal(sequence, ""))
            doubts += [why for behind, why in _CRITERIA[1:3] if behind(one, ())]
            doubts += [
                f"hardly shows what {other} shows" for other in chosen if _apart(chosen[sequence], chosen[other])
            ]
        result[sequence] = SequenceChoice(choice.key, choice.reason, tuple(doubts), choice.candidates)
    return result


def _apart(a: Candidate, b: Candidate) -> bool:
    common = min(a.span_mm[1], b.span_mm[1]) - max(a.span_mm[0], b.span_mm[0])
    shorter = min(a.span_mm[1] - a.span_mm[0], b.span_mm[1] - b.span_mm[0])
    return a is not b and common < _APART * shorter
