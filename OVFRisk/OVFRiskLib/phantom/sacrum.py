"""The sacrum below and beside the body of S1."""

import numpy as np

from ..level_frame import LevelFrame
from .body import BodyForm, Heights
from .posterior import Rod
from .spine import Vertebra

_SEGMENTS = ((38.0, 23.0, 24.0, 20.0, 14.0), (30.0, 17.0, 20.0, 17.0, 18.0))  # S2, S3: width, depth, Ha, Hp, turn


def sacral_segments(first: Vertebra) -> list[Vertebra]:
    """Return the bodies of S2 and S3, fused below S1: each smaller and turned forwards."""
    segments: list[Vertebra] = []
    above = first
    for width, depth, anterior, posterior, turn in _SEGMENTS:
        s = first.scale
        heights = Heights(anterior * s, (anterior + posterior) / 2 * s, posterior * s)
        form = BodyForm(width * s, depth * s, heights, waist=0.05)
        angle = np.radians(turn)
        up = above.frame.axes.T @ np.array([0, np.sin(angle), np.cos(angle)])
        bottom = above.frame.to_ras(
            [0, (depth * s - above.form.depth) / 4, -above.form.half_line(np.zeros(1))[0] - 1.2]
        )
        frame = LevelFrame(bottom - up * form.half_line(np.zeros(1))[0], first.frame.axes).aligned(up)
        above = Vertebra(first.level, form, heights, frame, s)
        segments.append(above)
    return segments


def sacral_rods(first: Vertebra) -> list[Rod]:
    """Return alae, lateral masses, facets and crest, in the frame of S1, mm."""
    s, wall, bottom = first.scale, -first.form.depth / 2, -first.form.heights.posterior / 2
    side = [
        Rod((20 * s, 0.0, 2 * s), (44 * s, -15 * s, -3 * s), (11 * s, 12 * s)),
        Rod((20 * s, -8 * s, bottom - 8 * s), (40 * s, -24 * s, bottom - 6 * s), (10 * s, 13 * s)),
        Rod((15 * s, -20 * s, bottom - 30 * s), (28 * s, -34 * s, bottom - 26 * s), (8 * s, 10 * s)),
        Rod((18 * s, wall - 12 * s, 4 * s), (20 * s, wall - 14 * s, -bottom + 7 * s), (4.8 * s, 3.6 * s)),
        Rod((17 * s, wall - 13 * s, 0.0), (16 * s, wall - 17 * s, bottom - 24 * s), (6 * s, 6 * s)),
        Rod((14 * s, wall - 17 * s, 2 * s), (0.0, wall - 20 * s, -2 * s), (2.8 * s, 2.8 * s), (1, 1, 2.0)),
    ]
    crest = Rod((0.0, wall - 21 * s, -6 * s), (0.0, wall - 22 * s, bottom - 34 * s), (3.4 * s, 2.6 * s), (2.2, 1.3, 1))
    return [*side, *(rod.mirrored() for rod in side), crest]
