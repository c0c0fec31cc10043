"""Which levels found bodies are: counted from an anchor, or proposed from the sacrum and the last rib.

Confidences are judged from what is known about variants, not calibrated on patients: 0.85 does not promise 85 of 100.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..image import Volume
from ..level_frame import LevelFrame
from .column import SPONGY_HU, bone_share
from .disc_planes import DiscPlane
from .seeds import Seed
from .spine_curve import SpineCurve, sample

SURE_ENOUGH = 0.7  # a proposal with less confidence is not made: ribs alone never name levels
# Transitional vertebrae are found in 4 to 30 % of people (Konin & Walz, AJNR 2010;31:1778-1786): one sign alone may be
# one level off, however clear. Ribs say less: the twelfth may be absent or a stub.
_FROM_SACRUM, _FROM_RIBS, _FROM_ONE_RIB, _FROM_BOTH = 0.85, 0.6, 0.4, 0.95
_LUMBAR = 5
_ANCHOR_REACH_MM = 30.0

_WING_MM = (np.arange(26.0, 41, 2), np.arange(-6.0, 9, 2), -np.arange(8.0, 22, 2))  # aside, front, below the end plate
_WING_SHARE = (0.05, 0.15)  # share of bone: no wing, clearly one
_SLOPE_DEG = (8.0, 23.0)  # of S1 against the discs above: no more than L5's, clearly S1's
_LEAST_SACRUM = 0.3
_TURNS = np.radians((-16, -8, 0, 8, 16))  # about the spine, as in scoliosis
_SEEN_DISCS = 4  # above, that give the spine's own direction

_RIB_STEP_MM = 2.0
_RIB_ASIDE_MM, _RIB_ROOT_MM, _RIB_REACH_MM = 26.0, 34.0, 62.0  # transverse processes end at 35-50 mm
_RIB_BONE = 0.35


@dataclass(frozen=True, eq=False)
class FoundBody:
    """A body that was found and has no name yet.

    Parameters
    ----------
    point : ndarray, shape (3,)
        Its middle, RAS mm.
    low, high : float
        Places of its discs (or of the image's border) on the spine's curve, mm.
    cut : bool
        Whether the image's border cuts it.
    """

    point: np.ndarray
    low: float
    high: float
    cut: bool = False


@dataclass(frozen=True, eq=False)
class Sacrum:
    """The disc on the sacrum: its index in the discs from foot to head, and how clear it is (0 to 1)."""

    disc: int
    confidence: float


def find_sacrum(ct: Volume, discs: Sequence[DiscPlane]) -> Sacrum | None:
    """Return the highest disc with the sacrum's wings at both sides below it and a steep end plate; None without."""
    slopes = np.array([np.degrees(np.arctan2(disc.normal[1], disc.normal[2])) for disc in discs])
    found = []
    for n, disc in enumerate(discs):
        above = slopes[n + 1 : n + 1 + _SEEN_DISCS]
        steeper = slopes[n] - np.median(above) if len(above) else slopes[n] - _SLOPE_DEG[0]
        wings = _between(max(_wings(ct, disc, turn) for turn in _TURNS), _WING_SHARE)
        found.append(wings * (0.5 + 0.5 * _between(steeper, _SLOPE_DEG)) if steeper > _SLOPE_DEG[0] else 0.0)
    clear = [n for n, confidence in enumerate(found) if confidence >= max(_LEAST_SACRUM, max(found) / 2)]
    return Sacrum(clear[-1], found[clear[-1]]) if clear else None


def _wings(ct: Volume, disc: DiscPlane, turn: float) -> float:
    """Return the share of bone beside the body below the disc, on the side with less; its front turned by `turn`."""
    frame = LevelFrame(disc.point, np.eye(3)).aligned(disc.normal, np.array([np.sin(turn), np.cos(turn), 0.0]))
    aside, front, below = _WING_MM
    shares = []
    for side in (1, -1):
        z, y, x = np.meshgrid(below, front, side * aside, indexing="ij")
        seen = sample(ct, frame.to_ras(np.stack([x, y, z], axis=-1)))
        shares.append(np.mean(np.nan_to_num(bone_share(seen, SPONGY_HU))))
    return float(min(shares))


def rib_reach(ct: Volume, curve: SpineCurve, bodies: Sequence[FoundBody]) -> np.ndarray:
    """Return how far bone that is rooted at each body reaches aside, mm, shape (len(bodies), 2): right, left.

    A rib reaches farther than a transverse process; bone between both is followed in the straightened image.
    """
    s = np.arange(bodies[-1].low - 60, bodies[0].high + 1, _RIB_STEP_MM)
    y = np.arange(-50.0, 11, _RIB_STEP_MM)
    aside = np.arange(_RIB_ASIDE_MM, 91, _RIB_STEP_MM)
    reach = np.zeros((len(bodies), 2))
    for side, sign in enumerate((1, -1)):
        bone = np.nan_to_num(bone_share(curve.sample(ct, s, y, sign * aside))) > _RIB_BONE
        pieces, _ = ndimage.label(bone, np.ones((3, 3, 3)))
        ends = _farthest(pieces, aside)
        for n, body in enumerate(bodies):
            rows = (s > body.low + 2) & (s < body.high - 2)
            roots = pieces[rows][:, :, aside <= _RIB_ROOT_MM]
            reach[n, side] = ends[np.unique(roots)].max() if roots.any() else 0.0
    return reach


def _farthest(pieces: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """Return for each piece the largest distance aside, mm; 0 for the background."""
    ends = np.zeros(pieces.max() + 1)
    for n, mm in enumerate(aside):
        ends[np.unique(pieces[:, :, n])] = mm
    ends[0] = 0
    return ends


def last_rib(reach: np.ndarray) -> tuple[int, float] | None:
    """Return the index of the lowest body with a rib and the confidence that its levels have; None without.

    Ribs are counted from the top: bone beside L4 or L5 that reaches as far is the iliac crest. Ribs at every body say
    nothing: there may be more below.
    """
    bears = (reach >= _RIB_REACH_MM).any(axis=1)
    count = int(np.argmin(bears)) if not bears.all() else 0
    if count == 0:
        return None
    both = bool((reach[count - 1] >= _RIB_REACH_MM).all())
    return count - 1, _FROM_RIBS if both else _FROM_ONE_RIB


@dataclass(frozen=True)
class Naming:
    """Levels of the bodies from head to foot (None: not a vertebra above the sacrum), and what the reader must know."""

    levels: tuple[VertebralLevel | None, ...]
    notes: tuple[str, ...]


def name_levels(
    bodies: Sequence[FoundBody], sacrum: Sacrum | None, rib: tuple[int, float] | None, anchor: Seed | None
) -> Naming:
    """Name bodies (from head to foot, the lowest on the sacrum where there is one).

    Raises
    ------
    UserError
        When nothing shows the levels with enough confidence, or the anchor contradicts what was found.
    """
    if anchor is not None:
        index, level = _anchored(bodies, anchor), anchor.level
        source = f"levels counted from the given {level}"
    else:
        index, level, confidence, sign = _proposed(bodies, sacrum, rib)
        source = f"levels proposed from the {sign}, confidence {confidence:.2f}: confirm them, or name one body"
    levels = _counted(bodies, index, level, sacrum, rib)
    return Naming(levels, (source, *_doubts(levels, sacrum, rib)))


def _anchored(bodies: Sequence[FoundBody], anchor: Seed) -> int:
    distances = [np.linalg.norm(body.point - anchor.point) for body in bodies]
    if min(distances) > _ANCHOR_REACH_MM:
        raise UserError(
            f"No vertebral body was found at the anchor of {anchor.level}.",
            f"Name one that was found: {_example(bodies)}.",
        )
    return int(np.argmin(distances))


def _proposed(
    bodies: Sequence[FoundBody], sacrum: Sacrum | None, rib: tuple[int, float] | None
) -> tuple[int, VertebralLevel, float, str]:
    """Return a body's index and level, the confidence, and where it comes from."""
    lowest, found = len(bodies) - 1, f"{len(bodies)} vertebral bodies were found"
    if sacrum and rib:
        count = lowest - rib[0]
        if count != _LUMBAR:
            raise _unnamed(
                bodies,
                f"The levels are unclear: {count} bodies lie between the last rib and the sacrum, usually {_LUMBAR} do "
                "(a T13, an L6, an L5 that is part of the sacrum, or a short rib).",
            )
        index, level, sign = lowest, VertebralLevel.L5, "sacrum and the last rib"
        confidence = _FROM_BOTH * max(sacrum.confidence, rib[1])
    elif sacrum:
        index, level, sign, confidence = lowest, VertebralLevel.L5, "sacrum", _FROM_SACRUM * sacrum.confidence
    elif rib:
        index, level, sign, confidence = rib[0], VertebralLevel.T12, "last rib", rib[1]
    else:
        raise _unnamed(bodies, f"{found}, but neither the sacrum nor the last rib, which would name them.")
    if confidence < SURE_ENOUGH:
        needed = f"confidence {confidence:.2f}, needed {SURE_ENOUGH:.2f}"
        raise _unnamed(bodies, f"{found}, but which they are is not clear from the {sign} ({needed}).")
    return index, level, confidence, sign


def _unnamed(bodies: Sequence[FoundBody], why: str) -> UserError:
    return UserError(why, f"Say which level one body is: {_example(bodies)}.")


def _example(bodies: Sequence[FoundBody]) -> str:
    body = bodies[len(bodies) // 2]
    r, a, s = body.point
    return f"--anchor L1@{r:.0f},{a:.0f},{s:.0f} if the body at this place (R, A, S in mm) is L1"


def _counted(
    bodies: Sequence[FoundBody],
    index: int,
    level: VertebralLevel,
    sacrum: Sacrum | None,
    rib: tuple[int, float] | None,
) -> tuple[VertebralLevel | None, ...]:
    """Count from one body up and down; T13 where a body below T12 has the last rib, L6 where one lies on the sacrum."""
    all_levels = list(VertebralLevel)
    usual = [other for other in all_levels if other not in (VertebralLevel.T13, VertebralLevel.L6)]
    above = [other for other in usual if other.rank < level.rank]
    below = [other for other in usual if level.rank < other.rank < VertebralLevel.S1.rank]
    count_above, count_below = index, len(bodies) - 1 - index
    if level is VertebralLevel.T12 and rib and rib[0] == index + 1:
        below.insert(0, VertebralLevel.T13)
    if sacrum and count_below == len(below) + 1 and level is not VertebralLevel.L6:
        below.append(VertebralLevel.L6)
    if count_above > len(above) or (sacrum and count_below > len(below)):
        raise UserError(
            f"{count_above} bodies were found above and {count_below} below the one taken as {level}: too many.",
            "Check the anchor's level and place.",
        )
    downwards = [*below, *[None] * count_below][:count_below]
    return (*above[len(above) - count_above :], level, *downwards)


def _doubts(
    levels: Sequence[VertebralLevel | None], sacrum: Sacrum | None, rib: tuple[int, float] | None
) -> tuple[str, ...]:
    doubts = []
    if rib and levels[rib[0]] not in (VertebralLevel.T12, VertebralLevel.T13):
        doubts.append(f"the last rib was found at {levels[rib[0]]}: a T13, an L6 or a short twelfth rib is possible")
    if VertebralLevel.T13 in levels:
        doubts.append("T13: the body below T12 has ribs")
    if sacrum and levels[-1] is VertebralLevel.L6:
        doubts.append("L6: six lumbar bodies lie above the sacrum")
    elif sacrum and levels[-1] is not VertebralLevel.L5:
        doubts.append(f"the sacrum lies right below {levels[-1]}: an L5 that is part of it is possible")
    return tuple(doubts)


def _between(value: float, bounds: tuple[float, float]) -> float:
    return float(np.clip((value - bounds[0]) / (bounds[1] - bounds[0]), 0, 1))
