"""How far each level of a label map can be trusted, and why not: the guard over masks and their names."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import combinations

import numpy as np

from ..anatomy import Region, Structure, VertebralLevel
from ..body_shape import BodyShape
from ..image import LabelMap, Volume
from ..level_frame import ANTERIOR
from .image_levels import image_levels
from .level_evidence import LevelEvidence, SpineEvidence, gather
from .level_numbering import from_image, numbering
from .level_quality import Fault, Finding, LevelQuality

# Shares of what the other levels let expect. Neighbours' volumes differ by under 15 % on the maps looked at, a level
# crushed to half its height keeps its arch and its footprint.
_FRAGMENT, _STUB, _FLAT, _NARROW = 0.5, 0.25, 0.3, 0.7
_TALL, _VAST = 1.4, 1.6
_TOGETHER = 1.4
_CLOSE = 0.55
_WIDE_CONTACT = 0.3  # of a body's footprint; facet joints touch over less, two halves of one body over more
_APART = 1.5
_INTRUSION = 0.02  # of the host's volume
_LOPSIDED = 0.7  # mirrored share; 0.8 to 0.95 on the maps looked at
_SHELL_HU = 120.0  # the brightest part: soft tissue stays below, 240 and more with the end plates' and walls' bone
_NO_BONE_HU, _DENSE_HU = -80.0, 700.0  # fatty marrow stays above, sclerosis below; cement and metal do not
_FALSE_PLACE = frozenset((Fault.FRAGMENT, Fault.DUPLICATE, Fault.MERGED, Fault.SPLIT))  # its centre tells nothing
_OF_SHAPE = frozenset((Fault.NO_BODY, Fault.SIZE, Fault.ASYMMETRIC, Fault.PIECES, Fault.CLIPPED, Fault.TURNED))
_EXPLAINS = {  # what needs no word beside a graver fault
    Fault.CUT: _OF_SHAPE,
    Fault.NO_BODY: _OF_SHAPE - {Fault.NO_BODY},
    Fault.FRAGMENT: _OF_SHAPE,
    Fault.MERGED: _OF_SHAPE,
    Fault.DUPLICATE: _OF_SHAPE,
    Fault.SPLIT: _OF_SHAPE | {Fault.FRAGMENT, Fault.INTERLOCKED},
}


def check_levels(
    labels: LabelMap,
    levels: Iterable[VertebralLevel],
    shapes: Mapping[VertebralLevel, BodyShape | str],
    ct: Volume | None = None,
) -> tuple[LevelQuality, ...]:
    """Judge levels by their masks, their neighbours, and the sacrum and ribs where the map names them.

    Parameters
    ----------
    labels : LabelMap
        The whole map: neighbours tell much of a level.
    levels : iterable of VertebralLevel
        The levels to judge.
    shapes : mapping
        From `body_shapes`, of all vertebrae of the map: the body found, or the reason why there is none.
    ct : Volume, optional
        On the same grid; with it attenuation is judged, too, and the names by the image where the map names neither
        sacrum nor ribs.
    """
    spine = gather(labels, shapes)
    found = {level: list(_own(evidence, spine, ct)) for level, evidence in spine.levels.items()}
    for judge in (_pairs, numbering, *_by_image(labels, spine, ct)):  # each leaves out what was found false before
        false = [level for level in found if any(finding.fault in _FALSE_PLACE for finding in found[level])]
        for level, finding in judge(spine, false):
            found[level].append(finding)
    return tuple(LevelQuality(level, _settled(found[level])) for level in levels)


def _by_image(labels: LabelMap, spine: SpineEvidence, ct: Volume | None) -> list[Callable]:
    """Return the comparison of the names with the CT, where it can tell what the map cannot."""
    if ct is None or spine.rib_levels or Region(Structure.SACRUM) in labels.regions:
        return []
    image = image_levels(ct)
    return [lambda spine, false: from_image(spine, image, false)] if image else []


def _settled(findings: list[Finding]) -> tuple[Finding, ...]:
    """Leave out what a graver finding explains."""
    explained = set().union(*(_EXPLAINS.get(finding.fault, ()) for finding in findings))
    return tuple(sorted((f for f in findings if f.fault not in explained), key=lambda f: f.trust))


def _own(e: LevelEvidence, spine: SpineEvidence, ct: Volume | None) -> Iterator[Finding]:
    """Judge one label."""
    if isinstance(e.shape, str):
        yield Finding(Fault.NO_BODY, e.shape, 0.0)
    if e.is_cut:
        yield Finding(Fault.CUT, "cut off by the border of the image", 0.0)
    elif e.edge.any():
        yield Finding(Fault.CLIPPED, "its processes reach the border of the image", 0.9)
    bodies = _several_bodies(e, spine)
    if bodies:
        yield bodies
    elif e.pieces > 1:
        yield Finding(Fault.PIECES, f"the label lies in {e.pieces} separate pieces", 0.6)
    yield from _size(e, spine)
    if e.symmetry is not None and e.symmetry < _LOPSIDED:
        yield Finding(Fault.ASYMMETRIC, f"left and right differ: {e.symmetry:.0%} of it has a mirror image", 0.6)
    if not isinstance(e.shape, str) and e.shape.frame.axes[1] @ ANTERIOR < 0:
        text = "the spinous process lies in front of the body: the image's orientation may be wrong"
        yield Finding(Fault.TURNED, text, 0.6)
    if ct and (hu := e.attenuation(ct)):
        yield from _attenuation(*hu)


def _attenuation(inside: float, shell: float) -> Iterator[Finding]:
    if inside < _NO_BONE_HU or shell < _SHELL_HU:
        text = f"no bone: {inside:.0f} HU inside, and 95 % of the label below {shell:.0f} HU"
        yield Finding(Fault.ATTENUATION, text, 0.2)
    elif inside > _DENSE_HU:
        yield Finding(Fault.ATTENUATION, f"{inside:.0f} HU inside: cement, metal or an error", 0.5)


def _several_bodies(e: LevelEvidence, spine: SpineEvidence) -> Finding | None:
    """Whether a label holds more than one body: next to each other, or in two places."""
    step = spine.step(e.level)
    along = [float(middle @ spine.axis) for middle in e.bodies(spine.depth)]
    if step is None:
        return None
    farthest = max(along, default=0.0) - min(along, default=0.0)
    if farthest > _APART * step:
        return Finding(Fault.DUPLICATE, "one label in two places", 0.0)
    extent, volume = spine.expected(e.level, "extent", 1), spine.expected(e.level, "volume", 3)
    long = extent and e.extent > _TALL * extent and e.volume > _TALL * volume
    if farthest > _CLOSE * step or long:
        return Finding(Fault.MERGED, "one label over two vertebrae", 0.0)
    return None


def _size(e: LevelEvidence, spine: SpineEvidence) -> Iterator[Finding]:
    volume, footprint, height = (
        spine.expected(e.level, *what) for what in (("volume", 3), ("footprint", 2), ("height", 1))
    )
    if volume is None:
        return
    share = e.volume / volume
    if share < (_STUB if e.is_cut else _FRAGMENT) and not _crushed(e, footprint, height):
        yield Finding(Fault.FRAGMENT, f"only a fragment: {share:.0%} of the volume that the others let expect", 0.0)
    elif share > _VAST:
        yield Finding(Fault.SIZE, f"too large: {share:.0%} of the volume that the others let expect", 0.5)


def _crushed(e: LevelEvidence, footprint: float | None, height: float | None) -> bool:
    """Whether a small volume is a body crushed flat: it keeps its footprint."""
    if not e.height or not footprint or not height:
        return False
    return e.footprint >= _NARROW * footprint and e.height >= _FLAT * height


def _pairs(spine: SpineEvidence, false: Collection[VertebralLevel]) -> Iterator[tuple[VertebralLevel, Finding]]:
    """Judge labels by what they share with others; between the levels in `false` only a split is looked for."""
    split = {pair: finding for pair in combinations(spine.levels, 2) if (finding := _split(*pair, spine))}
    silent = {*false, *(level for pair in split for level in pair)}
    touching = {pair: _touching(*pair, spine) for pair in combinations(spine.levels, 2) if not silent & {*pair}}
    for pair, finding in (*split.items(), *touching.items()):
        if finding:
            yield pair[0], finding
            yield pair[1], finding
    for (level, host), volume in spine.intruders.items():
        if volume > _INTRUSION * spine.levels[host].volume and not silent & {level, host}:
            for one, text in ((level, f"reaches into the body of {host}"), (host, f"{level} reaches into its body")):
                yield one, Finding(Fault.INTERLOCKED, f"{text} ({volume / 1000:.1f} mL)", 0.6)


def _split(a: VertebralLevel, b: VertebralLevel, spine: SpineEvidence) -> Finding | None:
    """Whether two labels share one vertebra: they touch widely or nearly coincide, and together are of one's size."""
    one, other = spine.levels[a], spine.levels[b]
    distance, step = float(np.linalg.norm(one.centre - other.centre)), spine.step(a)
    wide = _touch_widely(a, b, spine)
    if not wide and (step is None or distance > _CLOSE * step or _cut_above_another(one, other, distance)):
        return None
    volume = spine.expected(a, "volume", 3, without=(b,))
    if volume and one.volume + other.volume > _TOGETHER * volume:
        return None
    return Finding(Fault.SPLIT, f"one vertebra under two labels: {a} and {b}", 0.0)


def _cut_above_another(one: LevelEvidence, other: LevelEvidence, distance: float) -> bool:
    """Whether one of two labels is cut by the image's border, and a gap lies between the bodies.

    What is left of a cut vertebra has its centre near its neighbour's, nearest to a crushed one's.
    """
    if not (one.is_cut or other.is_cut) or not one.height or not other.height:
        return False
    return distance > (one.height + other.height) / 2


def _touching(a: VertebralLevel, b: VertebralLevel, spine: SpineEvidence) -> Finding | None:
    if not _touch_widely(a, b, spine):
        return None
    area = spine.contacts[frozenset((a, b))]
    return Finding(
        Fault.TOUCHING,
        f"the bodies of {a} and {b} touch over {area / 100:.1f} cm²: fused, or a mask that holds the disc",
        0.8,
    )


def _touch_widely(a: VertebralLevel, b: VertebralLevel, spine: SpineEvidence) -> bool:
    footprints = [e.footprint for e in spine.levels.values() if e.footprint]
    area = spine.contacts.get(frozenset((a, b)), 0.0)
    return bool(footprints) and area > _WIDE_CONTACT * float(np.median(footprints))
