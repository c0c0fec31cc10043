"""What lies at the spinal column: muscles, discs, canal with dural sac, ligaments."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np

from ..anatomy import VertebralLevel
from .painter import TissueMap
from .raster import Box
from .spine import CANAL_DEPTH_MM, Spine, Vertebra
from .tissues import Tissue

_NUCLEUS_RADIUS, _NUCLEUS_HEIGHT = 0.72, 0.72  # of the disc's
SAC_DEPTH_MM = 13.2  # sagittal, where it is not narrowed
SAC_CENTRE_MM = -CANAL_DEPTH_MM / 2 + 0.5  # behind the posterior wall (negative: backwards)
_STENOSIS_REACH = 0.9  # of the body's height, to either side of its middle
_SIDES = ((-1, Tissue.ERECTOR_LEFT, Tissue.PSOAS_LEFT), (1, Tissue.ERECTOR_RIGHT, Tissue.PSOAS_RIGHT))
Course = tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]


def paint_paraspinal(
    tissues: TissueMap, spine: Spine, stenosis: Mapping[VertebralLevel, float]
) -> dict[VertebralLevel, tuple[Box, np.ndarray]]:
    """Paint muscles, canal and discs; `stenosis` is the share of the thecal sac's depth lost behind a body.

    Returns
    -------
    dict
        Of each disc, named by the level above it, the box and where it lies in it (bone not yet taken out).
    """
    _paint_muscles(tissues, spine)
    _paint_ligaments(tissues, spine)
    _paint_canal(tissues, spine)
    for level, share in stenosis.items():
        _narrow_canal(tissues, spine, level, share)
    return {above: _paint_disc(tissues, spine[above], spine[below]) for above, below in pairwise(spine.vertebrae)}


def behind_wall(spine: Spine, x: float, y: float) -> Course:
    """Return the course of a point beside the bodies' posterior wall, as functions of z."""
    return (
        lambda z: spine.posterior_wall(z)[0] + x * spine.scale,
        lambda z: spine.posterior_wall(z)[1] + y * spine.scale,
    )


def _paint_muscles(tissues: TissueMap, spine: Spine) -> None:
    s = spine.scale
    heights = [spine[level].frame.origin[2] for level in (VertebralLevel.S1, VertebralLevel.L4, VertebralLevel.T10)]
    top, bottom = spine[VertebralLevel.L1].frame.origin[2], heights[0] - 60

    def growing(values: tuple[float, float, float, float]) -> Callable[[np.ndarray], np.ndarray]:
        return lambda z: np.interp(z, [heights[0] - 45, *heights], values) * s

    soft = (Tissue.FAT, Tissue.WALL_MUSCLE, Tissue.KIDNEY)
    for side, erector, psoas in _SIDES:
        outer = behind_wall(spine, side * 37, -33)
        tissues.column(erector, (-400, 400), outer, (growing((8, 15, 25, 19)), growing((7, 13, 17.5, 13))), soft)
        inner = behind_wall(spine, side * 14.5, -36)
        tissues.column(erector, (-400, 400), inner, (growing((8, 11, 10.5, 9)), growing((8, 15, 16.5, 12))), soft)
        down = _descent(top + 12, bottom)
        place = (
            lambda z, d=side, f=down: spine.middle(z)[0] + d * (25 + 22 * f(z)) * s,
            lambda z, f=down: spine.middle(z)[1] + (-7 + 10 * f(z) + 30 * f(z) ** 4) * s,
        )
        size = (lambda z, f=down: (5 + 13 * f(z)) * s, lambda z, f=down: (8 + 13 * f(z)) * s)
        tissues.column(psoas, (bottom - 60, top + 12), place, size, soft)
        lumbar = (spine[VertebralLevel.L4].frame.origin[2] - 10, top + 10)
        tissues.column(Tissue.WALL_MUSCLE, lumbar, behind_wall(spine, side * 62, -12), (17 * s, 8 * s), (Tissue.FAT,))


def _descent(top: float, bottom: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda z: np.clip((top - z) / (top - bottom), 0, 1)


def _paint_ligaments(tissues: TissueMap, spine: Spine) -> None:
    """Between the spinous processes and along the laminae."""
    s, span = spine.scale, (spine[VertebralLevel.S1].frame.origin[2] - 10, 400)
    tissues.column(Tissue.LIGAMENT, span, behind_wall(spine, 0, -36), (2.2 * s, 17 * s))
    tissues.column(Tissue.LIGAMENT, span, behind_wall(spine, 0, -11), (14 * s, 12.5 * s), (Tissue.FAT,))


def _paint_canal(tissues: TissueMap, spine: Spine) -> None:
    s, half = spine.scale, CANAL_DEPTH_MM / 2
    first = spine[VertebralLevel.S1].frame.origin[2]
    end, conus = first - 38 * s, spine[VertebralLevel.L1].frame.origin[2] - 8 * s
    centre = behind_wall(spine, 0, -half - 0.4)
    tissues.column(Tissue.EPIDURAL_FAT, (end - 5, 400), centre, (11.6 * s, (half + 0.4) * s))
    sac = behind_wall(spine, 0, SAC_CENTRE_MM)

    def closing(radius: float) -> Callable[[np.ndarray], np.ndarray]:
        return lambda z: radius * s * np.sqrt(np.clip((z - end) / (60 * s), 0, 1))

    tissues.column(Tissue.CSF, (end, 400), sac, (closing(8.8), closing(SAC_DEPTH_MM / 2)))

    def tapering(radius: float) -> Callable[[np.ndarray], np.ndarray]:
        return lambda z: radius * s * np.clip((z - conus) / (34 * s), 0, 1) ** 0.7

    tissues.column(
        Tissue.CORD, (conus, 400), behind_wall(spine, 0, -half - 0.3), (tapering(4.7), tapering(3.6)), (Tissue.CSF,)
    )
    for x, y in (
        (-5, -2.2),
        (-3.6, -3.4),
        (-2, -4.2),
        (-0.6, -3.6),
        (0.9, -4.4),
        (2.3, -3.7),
        (3.7, -3.2),
        (5, -2),
        (0.2, -2.4),
    ):
        thin = 0.75 * s

        def across(z: np.ndarray, x: float = x) -> np.ndarray:
            return spine.posterior_wall(z)[0] + x * s * np.clip(0.35 + 0.8 * (conus + 20 - z) / 90, 0.3, 1)

        root = (across, behind_wall(spine, 0, -half + 0.5 + y)[1])
        tissues.column(Tissue.CORD, (end + 12, conus + 22), root, (thin, thin), (Tissue.CSF,))


def _narrow_canal(tissues: TissueMap, spine: Spine, level: VertebralLevel, share: float) -> None:
    """Leave a flat middle of the sac; before and behind it lies ligament. Whole at the body, running out beyond it."""
    s, middle, tall = spine.scale, spine[level].frame.origin[2], spine[level].healthy.posterior
    span = middle - _STENOSIS_REACH * tall, middle + _STENOSIS_REACH * tall
    box = (
        tissues.raster.z.range(*span),
        slice(0, tissues.array.shape[1]),
        slice(0, tissues.array.shape[2]),
    )
    z = tissues.raster.z.fine[box[0]]
    if z.size == 0:
        return
    away = np.abs(z - middle) / tall
    run_out = np.clip((_STENOSIS_REACH - away) / (_STENOSIS_REACH - 0.5), 0, 1)
    half = SAC_DEPTH_MM / 2 * s * (1 - share * run_out)
    centre = spine.posterior_wall(z)[1] + SAC_CENTRE_MM * s
    beyond = np.abs(tissues.raster.y.fine - centre[:, None]) > half[:, None]
    squeezed = beyond & (run_out > 0.5)[:, None]  # the fat too
    for where, over in ((beyond, (Tissue.CSF, Tissue.CORD)), (squeezed, (Tissue.EPIDURAL_FAT,))):
        tissues.fill(Tissue.LIGAMENT, box, np.broadcast_to(where[..., None], tissues.array[box].shape), over)


def _paint_disc(tissues: TissueMap, above: Vertebra, below: Vertebra) -> tuple[Box, np.ndarray]:
    """Fill the space between two end plates: a bright nucleus in a fibrous ring."""
    low, high = _disc_bounds(above, below)
    box = tissues.raster.box(low, high)
    points = tissues.raster.points(box)
    upper, lower = above.local(points), below.local(points)
    under = above.form.plates(*upper[:2])[1] - upper[2]  # how far below the upper body's end plate
    over = lower[2] - below.form.plates(*lower[:2])[0]
    walls = (above.form.wall_distance(*upper[:2]) + below.form.wall_distance(*lower[:2])) / 2
    inside = (under >= -1) & (over >= -1) & (walls <= -0.2)  # reaches below the bone, which is drawn over it
    tissues.fill(Tissue.ANNULUS, box, inside)
    outwards = np.clip(1 + walls / (above.form.depth / 2), 0, None)  # 0 in the middle, 1 at the rim
    upwards = (over - under) / np.maximum(over + under, 1)
    core = (outwards / _NUCLEUS_RADIUS) ** 2.5 + (np.abs(upwards) / _NUCLEUS_HEIGHT) ** 2.5 <= 1
    tissues.fill(Tissue.NUCLEUS, box, core & inside)
    return box, inside


def _disc_bounds(above: Vertebra, below: Vertebra) -> tuple[np.ndarray, np.ndarray]:
    reach = np.array(above.form.reach)
    top = above.corners(np.array([-1, -1, -1.3]) * reach, np.array([1, 1, 0]) * reach)
    reach = np.array(below.form.reach)
    bottom = below.corners(np.array([-1, -1, 0]) * reach, np.array([1, 1, 1.3]) * reach)
    return np.minimum(top[0], bottom[0]), np.maximum(top[1], bottom[1])
