"""MRI with the regions that vertebral bone quality is measured in."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...anatomy import Structure
from ...image import Modality, Volume
from ...terminology import term
from ...vbq.roi import Roi
from . import planes
from .style import Illustration, data_uri, new_figure, outlined, styled

_CSF_COLOR = "#F0E442"  # Okabe and Ito's yellow: no level has it
_MARGIN_MM = (45.0, 20.0)  # in front and behind, above and below
_ON_PLANE_MM = 0.5


def mr_regions(volumes: Mapping[Modality, Volume], rois: Sequence[Roi]) -> Illustration:
    """Draw each sequence on the plane of most regions, with the regions' outlines."""
    sequences = {modality: volume for modality, volume in volumes.items() if modality is not Modality.CT}
    shared = _commonest_plane(rois)
    outlines = [shared.from_ras(roi.plane.to_ras(roi.outline)) for roi in rois]
    everything = np.concatenate(outlines)
    low, high = everything.min(axis=0)[:2] - _MARGIN_MM, everything.max(axis=0)[:2] + _MARGIN_MM
    surface = planes.plane(shared.origin, shared.axes, (low[0], high[0], low[1], high[1]), 0.5)
    with styled():
        width = min(10.5, 4.2 * len(sequences))
        figure = new_figure(width, width / len(sequences) * (high[1] - low[1]) / (high[0] - low[0]) + 0.3)
        for ax, (modality, volume) in zip(figure.subplots(1, len(sequences), squeeze=False)[0], sequences.items()):
            _draw(ax, surface, volume)
            ax.set_title(f"{modality}")
            for roi, outline in zip(rois, outlines):
                _outline(ax, roi, outline)
        uri = data_uri(figure, "png")
    names = ", ".join(str(roi.region) for roi in rois)
    return Illustration(
        "mr-regions",
        "MRI with measured regions",
        "Anterior is left. The same regions, fixed in the patient, are measured on every sequence. Solid: on this "
        "plane; dotted: measured on a parallel plane and projected. Yellow: cerebrospinal fluid, the reference.",
        f"Sagittal {', '.join(sequences)} with the outlines of {names}.",
        uri,
    )


def _commonest_plane(rois: Sequence[Roi]):
    return max((roi.plane for roi in rois), key=lambda plane: sum(roi.plane == plane for roi in rois))


def _draw(ax, surface: planes.Surface, volume: Volume) -> None:
    values = surface.sample(volume)
    seen = values[np.isfinite(values)]
    low, high = np.percentile(seen, (1, 99.5)) if seen.size else (0, 1)
    ax.set_axis_off()
    ax.imshow(
        np.nan_to_num(values, nan=float(low)),
        cmap="gray",
        vmin=low,
        vmax=high,
        extent=surface.extent,
        origin="lower",
        aspect="equal",
        interpolation="bilinear",
    )


def _outline(ax, roi: Roi, outline: np.ndarray) -> None:
    closed = np.vstack([outline, outline[:1]])
    csf = roi.region.part is Structure.CSF
    color = _CSF_COLOR if csf else term(roi.region).color
    on_plane = np.abs(outline[:, 2]).max() <= _ON_PLANE_MM
    ax.fill(-outline[:, 0], outline[:, 1], color=color, alpha=0.25, linewidth=0)
    ax.plot(-closed[:, 0], closed[:, 1], color=color, linewidth=1.3, linestyle="-" if on_plane else ":")
    name = f"CSF {roi.region.level}" if csf else roi.region.level
    x = -outline[:, 0].min() + 2 if csf else -outline[:, 0].mean()
    size = {"fontsize": 8, "weight": "bold", "color": "white", "va": "center", "path_effects": outlined()}
    ax.text(x, outline[:, 1].mean(), name, ha="left" if csf else "center", **size)
