"""Which levels of a label map may be measured, and why not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..anatomy import VertebralLevel
from ..body_shape import BodyShape
from ..image import LabelMap, Mask
from ..level_frame import ANTERIOR
from .compartments import vertebra

FRAGMENT_SHARE = 0.5  # of the other levels' median volume; neighbours differ by about 5 %, T11 from L4 by a third
PIECE_SHARE = 0.05  # a second piece larger than this share of the vertebra is worth a word


@dataclass(frozen=True)
class LevelQuality:
    """Whether a level may be measured.

    Parameters
    ----------
    level : VertebralLevel
    usable : bool
        False where a measurement would be false.
    reasons : tuple of str
        Why it is not usable, or what to keep in mind.
    """

    level: VertebralLevel
    usable: bool
    reasons: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """All reasons in one sentence."""
        return "; ".join(self.reasons)


def check_levels(
    labels: LabelMap, levels: Iterable[VertebralLevel], shapes: Mapping[VertebralLevel, BodyShape | str]
) -> tuple[LevelQuality, ...]:
    """Judge each level: cut off by the image, only a fragment, out of order, in pieces, or without a body.

    Parameters
    ----------
    labels : LabelMap
    levels : iterable of VertebralLevel
        The levels to judge.
    shapes : mapping
        From `body_shapes`: the body found, or the reason why there is none.
    """
    masks = {level: vertebra(labels, level) for level in levels}
    volumes = {level: mask.volume_mm3 for level, mask in masks.items()}
    disordered = _out_of_order({level: _height(mask) for level, mask in masks.items()})
    return tuple(_judge(level, masks[level], volumes, shapes[level], level in disordered) for level in masks)


def _judge(
    level: VertebralLevel,
    mask: Mask,
    volumes: Mapping[VertebralLevel, float],
    shape: BodyShape | str,
    disordered: bool,
) -> LevelQuality:
    faults = [text for text in (_cut_off(mask, shape), _fragment(level, volumes)) if text]
    if isinstance(shape, str):
        faults.append(shape)
    if disordered:
        faults.append("does not lie in its place along the spine: levels may be swapped")
    remarks = [text for text in (_pieces(mask), _clipped(mask), _turned(shape)) if text]
    return LevelQuality(level, not faults, tuple(faults) or tuple(remarks))


def _cut_off(mask: Mask, shape: BodyShape | str) -> str:
    """Whether the body reaches the border of the image (arch and processes may)."""
    edge = _border(mask.array)
    if not edge.any():
        return ""
    if not isinstance(shape, str):
        points = shape.frame.from_ras(mask.to_ras(np.argwhere(edge)[:, ::-1]))
        if not np.any(points[:, 1] >= shape.wall_at(points[:, 2])):
            return ""
    return "cut off by the border of the image"


def _clipped(mask: Mask) -> str:
    return "its processes reach the border of the image" if _border(mask.array).any() else ""


def _border(array: np.ndarray) -> np.ndarray:
    """Keep only what lies in the image's outermost voxels."""
    edge = array.copy()
    edge[1:-1, 1:-1, 1:-1] = False
    return edge


def _fragment(level: VertebralLevel, volumes: Mapping[VertebralLevel, float]) -> str:
    others = [volume for other, volume in volumes.items() if other != level]
    if not others or volumes[level] >= FRAGMENT_SHARE * np.median(others):
        return ""
    return f"only a fragment: {volumes[level] / np.median(others):.0%} of the other levels' volume"


def _pieces(mask: Mask) -> str:
    part = mask.cropped(mask.box())
    pieces, _ = ndimage.label(part.array, structure=np.ones((3, 3, 3)))
    sizes = np.sort(np.bincount(pieces.ravel())[1:])[::-1]
    large = np.count_nonzero(sizes >= PIECE_SHARE * sizes.sum())
    return f"the label lies in {large} separate pieces" if large > 1 else ""


def _turned(shape: BodyShape | str) -> str:
    if isinstance(shape, str) or shape.frame.axes[1] @ ANTERIOR > 0:
        return ""
    return "the spinous process lies in front of the body: the image's orientation may be wrong"


def _height(mask: Mask) -> float:
    """Return the mean cranio-caudal position, mm."""
    part = mask.cropped(mask.box())
    return float(part.to_ras(np.argwhere(part.array).mean(axis=0)[::-1])[2])


def _out_of_order(heights: Mapping[VertebralLevel, float]) -> set[VertebralLevel]:
    """Return the levels that lie above one further up the spine, or below one further down."""
    ordered = sorted(heights, key=lambda level: level.rank)
    wrong = ((a, b) for n, a in enumerate(ordered) for b in ordered[n + 1 :] if heights[a] <= heights[b])
    return {level for pair in wrong for level in pair}
