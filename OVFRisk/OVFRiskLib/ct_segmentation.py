"""The vertebrae of a patient's CT, found by an engine and judged level by level."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from .anatomy import Compartment, VertebralLevel
from .ct_analysis import MEASURED, Report
from .image import LabelMap, Volume
from .segmentation.compartments import PeelSettings, body_shapes, split_compartments
from .segmentation.engines import ENGINES, Request
from .segmentation.level_check import check_levels
from .segmentation.level_quality import LevelQuality
from .segmentation.seeds import Seed


@dataclass(frozen=True)
class Segmentation:
    """What an engine found.

    Parameters
    ----------
    labels : LabelMap
        On the CT's grid, in the scheme ``ovfrisk``.
    levels : tuple of LevelQuality
        T1 to L6; the others are labelled, but not judged.
    settings : mapping
        Engine and request, for the run manifest.
    """

    labels: LabelMap
    levels: tuple[LevelQuality, ...]
    settings: Mapping[str, object]


def segment_ct(
    ct: Volume, engine: str, request: Request, report: Report, compartments: PeelSettings | None = None
) -> Segmentation:
    """Find the vertebrae on a CT.

    Parameters
    ----------
    ct : Volume
    engine : str
        A name in `ENGINES`.
    request : Request
    report : Report
    compartments : PeelSettings, optional
        Split the usable levels into cortical, cancellous and posterior bone.

    Raises
    ------
    UserError
        When the engine lacks something or finds nothing.
    """
    labels = ENGINES[engine](ct, request, lambda share, what: report(0.9 * share, what))
    report(0.9, "Finding the frames of the bodies")
    vertebrae = labels.restricted(region for region in labels.regions if region.part in set(Compartment))
    levels = [level for level in vertebrae.levels() if level in MEASURED]
    shapes = body_shapes(vertebrae, levels)
    report(0.92, "Judging the levels")
    qualities = check_levels(labels, levels, shapes, ct)
    if compartments:
        report(0.95, "Splitting the bodies")
        usable = {quality.level: shapes[quality.level] for quality in qualities if quality.usable}
        whole = vertebrae.restricted(region for region in vertebrae.regions if region.level in usable)
        labels = _laid_over(labels, split_compartments(whole, usable, compartments))
    settings = request_settings(engine, request) | {"compartments": asdict(compartments) if compartments else None}
    return Segmentation(labels, qualities, settings)


def request_settings(engine: str, request: Request) -> dict:
    """Return engine and request as JSON can hold them."""
    return {
        "engine": engine,
        "seeds": [_seed(seed) for seed in request.seeds],
        "between": request.between,
        "anchor": _seed(request.anchor) if request.anchor else None,
        "whole": request.whole,
        "bundle": request.bundle.name if request.bundle else None,
        "fast": request.fast,
        "device": request.device,
    }


def _seed(seed: Seed) -> dict[str, VertebralLevel | list[float] | None]:
    return {"level": seed.level, "ras_mm": [round(float(mm), 3) for mm in seed.point]}


def _laid_over(labels: LabelMap, split: LabelMap) -> LabelMap:
    """Return `labels` with the vertebrae of `split` as it has them; the rest stays."""
    array = np.where(split.array > 0, split.array, labels.array)
    return replace(labels, array=array, labels={**labels.labels, **split.labels})
