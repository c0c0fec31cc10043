"""The seeded engine: one click a vertebral body, or the first and the last with the number between."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..anatomy import Compartment, Region, label_scheme
from ..errors import UserError
from ..image import LabelMap, Volume
from .bodies import Body, find_bodies, first_look, usual_size
from .engines import Report, Request
from .seeds import Seed, levels_between, named_seeds
from .whole_vertebra import whole_vertebrae

_TRACED = 2  # bodies that a step along the spine looks at
_ARRIVED = 0.5  # of the last body's height, by which the trace may miss the last click


def segment_seeded(ct: Volume, request: Request, report: Report, trust: float = 1.0) -> LabelMap:
    """Segment the vertebral body around each seed of `request`, or the whole vertebra; `trust` as for `disc_chain`.

    Raises
    ------
    UserError
        When seeds are missing, contradict each other or lie outside the image.
    """
    report(0.0, "Looking for the discs")
    seeds = _checked(ct, named_seeds(request.seeds))
    if request.between is not None:
        seeds = _filled(ct, seeds, request.between, report)
    bodies = find_bodies(ct, seeds, report, trust)
    report(0.9, "Drawing the labels")
    labels = draw(ct, bodies)
    if request.whole:
        labels = whole_vertebrae(ct, bodies, labels)
    return replace(labels, corrections=_remarks(ct, bodies, request))


def _filled(ct: Volume, seeds: tuple[Seed, ...], count: int, report: Report) -> tuple[Seed, ...]:
    """Return the seeds with `count` more between the first and the last, found step by step from the head down."""
    if len(seeds) != 2:
        raise UserError(f"{len(seeds)} points were given for the first and the last vertebra.", "Give just two points.")
    first, last = seeds
    levels = (first.level, *levels_between(first.level, last.level, count), last.level)
    pitch = np.array([usual_size(level)[3] for level in levels])
    steps = (pitch[1:] + pitch[:-1]) / 2
    traced = [first]
    for n, level in enumerate(levels[1:]):
        here = traced[-1].point
        way = last.point - here
        before = traced[-2].point if n else here - way
        straight = way / np.linalg.norm(way) + (here - before) / np.linalg.norm(here - before)
        length = steps[n] * np.linalg.norm(way) / steps[n:].sum()
        guess = Seed(here + length * straight / np.linalg.norm(straight), level)
        near = (*traced, guess)[-_TRACED:]
        frames, _ = first_look(ct, [s.level for s in near], np.array([s.point for s in near]), _quiet(report))
        traced.append(Seed(frames[-1].origin, level))
    if np.linalg.norm(traced[-1].point - last.point) > _ARRIVED * pitch[-1]:
        raise UserError(
            f"{count} vertebrae between {first.level} and {last.level} do not fit the distance of the two points.",
            "Check the number, or click every vertebra.",
        )
    return tuple(traced)


def _quiet(report: Report) -> Report:
    """Let the caller stop the work without moving its progress."""
    return lambda _share, what: report(0.0, what)


def draw(ct: Volume, bodies: Sequence[Body]) -> LabelMap:
    """Return the bodies on the CT's grid, in the scheme ``ovfrisk``."""
    regions = label_scheme("ovfrisk").regions
    values = {region: value for value, region in regions.items()}
    array = np.zeros(ct.array.shape, dtype=np.int16)
    for body in bodies:
        box = _box(ct, body)
        if box is None:
            continue
        kji = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"), axis=-1)
        inside = body.contains(ct.to_ras(kji[..., ::-1])) & (array[box] == 0)
        array[box][inside] = values[Region(Compartment.BODY, body.level)]
    return LabelMap(array, ct.ijk_to_ras, regions, ct.name)


def _box(ct: Volume, body: Body) -> tuple[slice, slice, slice] | None:
    kji = ct.to_ijk(body.frame.to_ras(body.surface.points))[:, ::-1]
    low = np.maximum(np.floor(kji.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(kji.max(axis=0)).astype(int) + 2, ct.array.shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True)) if np.all(low < high) else None


def _remarks(ct: Volume, bodies: Sequence[Body], request: Request) -> tuple[str, ...]:
    """Tell what a reader has to know: levels that were counted, bodies cut off, discs that were not seen."""
    remarks = []
    if any(seed.level is None for seed in request.seeds):
        named = ", ".join(seed.level for seed in request.seeds if seed.level)
        remarks.append(f"levels counted from {named}, taking every point as the next vertebra: confirm")
    for body in bodies:
        ijk = ct.to_ijk(body.frame.to_ras(body.surface.points))
        if np.any(ijk < -0.5) or np.any(ijk > np.array(ct.array.shape[::-1]) - 0.5):
            remarks.append(f"{body.level} touches the image border")
        elif None in body.discs:
            side = "below" if body.discs[0] is None else "above"
            remarks.append(f"the disc {side} {body.level} was not found: check the end plate")
    return tuple(remarks)


def _checked(ct: Volume, seeds: tuple[Seed, ...]) -> tuple[Seed, ...]:
    for seed in seeds:
        ijk = ct.to_ijk(seed.point)
        if np.any(ijk < -0.5) or np.any(ijk > np.array(ct.array.shape[::-1]) - 0.5):
            raise UserError(
                f"The point of {seed.level} at R A S {np.round(seed.point, 1)} lies outside the CT.",
                "Check that points and CT belong together (points from files are RAS unless they say LPS).",
            )
    return seeds
