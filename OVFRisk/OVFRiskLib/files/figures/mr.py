"""MRI with the regions that vertebral bone quality is measured in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...anatomy import Structure
from ...image import Modality, Volume
from ...terminology import term
from ...vbq.plane import Plane
from ...vbq.regions import Regions
from ...vbq.roi import Roi
from ...vbq.score_places import Place, places_on
from . import planes
from .style import Illustration, data_uri, new_figure, outlined, styled

_CSF_COLOR = "#F0E442"  # Okabe and Ito's yellow: no level has it
_MARGIN_MM = (45.0, 20.0)  # in front and behind, above and below
_ON_PLANE_MM = 0.5
_STEP_MM = 0.5
_PARALLEL = 0.9986  # cosine; 3 degrees: a plane that leans more cuts several slices
_HOW = (
    "Anterior is left. Solid: on this slice; dotted: measured on another slice and projected. Yellow: cerebrospinal "
    "fluid, the reference. Hatched: left out, no healthy marrow."
)


@dataclass(frozen=True)
class _View:
    """A sequence as it is drawn: cut where most regions lie.

    Parameters
    ----------
    volume : Volume
    plane : Plane
        On the middle of the slice that is measured.
    places : tuple of Place
    outlines : tuple of ndarray, shape (n, 3)
        Of the places, in the plane and along its normal, mm.
    slice_name : str
    """

    volume: Volume
    plane: Plane
    places: tuple[Place, ...]
    outlines: tuple[np.ndarray, ...]
    slice_name: str

    @property
    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Low and high corner of what is shown, mm."""
        everything = np.concatenate(self.outlines)[:, :2]
        return everything.min(axis=0) - _MARGIN_MM, everything.max(axis=0) + _MARGIN_MM


def mr_regions(
    volumes: Mapping[Modality, Volume],
    regions: Regions | Sequence[Roi],
    exclude: bool = True,
    correct_motion: bool = True,
) -> Illustration:
    """Draw all sequences beside each other with the regions that were measured on them.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        A CT among them is not drawn.
    regions : Regions or sequence of Roi
        Single regions have no exclusions and do not move.
    exclude, correct_motion : bool
        As they were measured (`vbq.measure_vbq`).
    """
    regions = regions if isinstance(regions, Regions) else Regions(tuple(regions))
    views = {
        sequence: _view(volume, places_on(sequence, regions, exclude, correct_motion))
        for sequence, volume in volumes.items()
        if sequence is not Modality.CT
    }
    corners = [view.limits for view in views.values()]
    low, high = np.min([c[0] for c in corners], axis=0), np.max([c[1] for c in corners], axis=0)
    with styled():
        width = min(10.5, 4.2 * len(views))
        figure = new_figure(width, width / len(views) * (high[1] - low[1]) / (high[0] - low[0]) + 0.45)
        for ax, (sequence, view) in zip(figure.subplots(1, len(views), squeeze=False)[0], views.items()):
            _draw(ax, view, low, high)
            ax.set_title(f"{sequence}, {view.slice_name}")
        uri = data_uri(figure, "png")
    names = ", ".join(str(roi.region) for roi in regions)
    return Illustration(
        "mr-regions",
        "MRI with measured regions",
        f"Regions lie in the patient: on every sequence the same part of each body is measured. {_HOW}",
        f"Sagittal {', '.join(views)} with the outlines of {names}.",
        uri,
    )


def mr_sequence(sequence: Modality, volume: Volume, places: Sequence[Place], subject: str = "") -> Illustration:
    """Draw one sequence, large, with the regions where they were measured on it.

    Parameters
    ----------
    sequence : Modality
    volume : Volume
    places : sequence of Place
        At least one (`vbq.score_places.places_on`).
    subject : str
        A code for the title.
    """
    view = _view(volume, places)
    low, high = view.limits
    told = _told(places)
    with styled():
        width = 7.0
        shown = width * (high[1] - low[1]) / (high[0] - low[0])
        figure = new_figure(width, shown + 0.55 + 0.18 * len(told))
        ax = figure.subplots()
        _draw(ax, view, low, high)
        ax.set_title(", ".join(text for text in (subject, str(sequence), view.slice_name) if text))
        ax.text(0, -0.012, "\n".join(told), transform=ax.transAxes, va="top", fontsize=7.5, linespacing=1.4)
        uri = data_uri(figure, "png")
    names = ", ".join(str(place.region) for place in places)
    return Illustration(
        f"mr-{sequence.lower()}",
        f"{sequence} with measured regions",
        _HOW,
        f"Sagittal {sequence} with the outlines of {names}.",
        uri,
    )


def _told(places: Sequence[Place]) -> list[str]:
    """Return the lines below a picture: how to read it, and what was done to the regions."""
    left_out = [f"{' and '.join(place.kinds)} ({place.region.level})" for place in places if place.left_out]
    own = (f"{_name(place.roi)}: {place.roi.note}" for place in places if place.roi.note)
    notes = dict.fromkeys((*(note for place in places for note in place.notes), *own))
    first = "Anterior is left. Dotted: measured on another slice. Yellow: CSF, the reference."
    return [first, *([f"Hatched, left out: {', '.join(left_out)}"] if left_out else []), *_wrapped(notes)]


def _wrapped(notes: Iterable[str], width: int = 105) -> list[str]:
    from textwrap import wrap

    return [line for note in notes for line in wrap(note[:1].upper() + note[1:], width)]


def _view(volume: Volume, places: Sequence[Place]) -> _View:
    """Cut the sequence on the middle of the slice in which most regions lie: what is drawn is what was measured."""
    shared = _commonest_plane([place.roi for place in places])
    grid = volume.reoriented("RAS")  # slices are counted from the patient's left
    across = int(np.argmax(np.abs(shared.normal @ grid.ijk_to_ras[:3, :3] / grid.spacing)))
    direction = grid.ijk_to_ras[:3, across] / grid.spacing[across]
    ijk = grid.to_ijk(np.array(shared.origin))
    along = float(direction @ shared.normal)
    if abs(along) < _PARALLEL:
        drawn, name = shared, "oblique cut through the slices"
    else:
        side = np.sign(along)  # of two equally near slices that on the normal's side is measured (`Roi.mask_on`)
        nearest = int(side * np.floor(side * ijk[across] + 0.5))
        drawn = shared.shifted((nearest - ijk[across]) * grid.spacing[across] * along)
        name = f"slice {nearest + 1} of {grid.array.shape[2 - across]} from the left"
    outlines = tuple(drawn.from_ras(place.roi.plane.to_ras(place.roi.outline)) for place in places)
    flat = tuple(_on_shared(place, shared, outline) for place, outline in zip(places, outlines))
    return _View(volume, drawn, tuple(places), flat, name)


def _on_shared(place: Place, shared: Plane, outline: np.ndarray) -> np.ndarray:
    """Return an outline with its distance from the common plane, not from the middle of the slice."""
    distance = shared.from_ras(place.roi.plane.to_ras(place.roi.outline))[:, 2:]
    return np.hstack([outline[:, :2], distance])


def _commonest_plane(rois: Sequence[Roi]) -> Plane:
    return max((roi.plane for roi in rois), key=lambda plane: sum(roi.plane == plane for roi in rois))


def _draw(ax, view: _View, low: np.ndarray, high: np.ndarray) -> None:
    surface = planes.plane(view.plane.origin, view.plane.axes, (low[0], high[0], low[1], high[1]), _STEP_MM)
    values = surface.sample(view.volume)
    seen = values[np.isfinite(values)]
    dark, bright = np.percentile(seen, (1, 99.5)) if seen.size else (0, 1)
    ax.set_axis_off()
    ax.imshow(
        np.nan_to_num(values, nan=float(dark)),
        cmap="gray",
        vmin=dark,
        vmax=bright,
        extent=surface.extent,
        origin="lower",
        aspect="equal",
        interpolation="bilinear",
    )
    for place, outline in zip(view.places, view.outlines):
        _outline(ax, place.roi, outline)
        for part in place.left_out:
            _hatch(ax, view.plane.from_ras(part.plane.to_ras(part.outline)))


def _outline(ax, roi: Roi, outline: np.ndarray) -> None:
    closed = np.vstack([outline, outline[:1]])
    csf = roi.region.part is Structure.CSF
    color = _CSF_COLOR if csf else term(roi.region).color
    on_plane = np.abs(outline[:, 2]).max() <= _ON_PLANE_MM
    ax.fill(-outline[:, 0], outline[:, 1], color=color, alpha=0.25, linewidth=0)
    ax.plot(-closed[:, 0], closed[:, 1], color=color, linewidth=1.3, linestyle="-" if on_plane else ":")
    x = -outline[:, 0].min() + 2 if csf else -outline[:, 0].mean()
    size = {"fontsize": 8, "weight": "bold", "color": "white", "va": "center", "path_effects": outlined()}
    ax.text(x, outline[:, 1].mean(), _name(roi), ha="left" if csf else "center", zorder=5, **size)


def _name(roi: Roi) -> str:
    return f"CSF {roi.region.level}" if roi.region.part is Structure.CSF else str(roi.region.level)


def _hatch(ax, outline: np.ndarray) -> None:
    ax.fill(-outline[:, 0], outline[:, 1], facecolor="none", edgecolor="white", hatch="////", linewidth=1.0)
