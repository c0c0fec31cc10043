"""The paraspinal muscles on an axial section, with the part that fat has infiltrated."""

from collections.abc import Iterable

import numpy as np

from ...anatomy import Structure, VertebralLevel
from ...image import LabelMap, Volume, bounding_box
from ...level_frame import spine_directions
from ...measurement import MeasurementTable
from ..report_values import Lookup, number
from . import planes
from .style import BLUE, GREY, INK, VERMILLION, YELLOW, Illustration, data_uri, new_figure, outlined, styled

MUSCLES = {  # both sides: right, left, name, colour
    Structure.ERECTOR_SPINAE: (
        Structure.ERECTOR_SPINAE_RIGHT,
        Structure.ERECTOR_SPINAE_LEFT,
        "Erector spinae",
        VERMILLION,
    ),
    Structure.PSOAS: (Structure.PSOAS_RIGHT, Structure.PSOAS_LEFT, "Psoas", BLUE),
}
FAT_HU = (-190.0, -30.0)  # fat within muscle, see science.md and the muscle measurements
_WINDOW = (-150.0, 250.0)  # HU: the usual soft-tissue window
_PREFERRED = VertebralLevel.L3
_HALF_MM, _STEP_MM = 95.0, 0.8
_MARGIN_MM = 8.0
_PICTURE_INCHES = 6.2


def muscle_level(labels: LabelMap, structures: LabelMap) -> VertebralLevel | None:
    """Return the level to show: L3, or the nearest one whose section meets a muscle; None where none does."""
    centres = planes.body_centres(labels)
    muscles = _muscles(structures)
    if not muscles.any():
        return None
    box = bounding_box(muscles)
    met = muscles[box]
    part = structures.cropped(box)
    up = spine_directions(centres)
    nearest = sorted(centres, key=lambda level: (abs(level.rank - _PREFERRED.rank), level.rank))
    for level in nearest:
        surface = planes.axial(centres[level], up[level], _HALF_MM, 2.0)
        if np.nan_to_num(part_sample(surface, part, met)).any():
            return level
    return None


def part_sample(surface: planes.Surface, grid: LabelMap, mask: np.ndarray) -> np.ndarray:
    """Return where `mask` (on the grid of `grid`) meets the surface: 0, 1, or NaN outside of the image."""
    return surface.sample(grid, mask.astype(np.float32), order=0)


def muscle_section(
    ct: Volume, labels: LabelMap, structures: LabelMap, table: MeasurementTable, level: VertebralLevel
) -> Illustration:
    """Draw the axial section through the middle of `level` with outlines, fat and values of the muscles.

    Parameters
    ----------
    ct : Volume
    labels : LabelMap
        Vertebrae; they tell where the level lies.
    structures : LabelMap
        Muscles, on the CT's grid.
    table : MeasurementTable
    level : VertebralLevel
        See `muscle_level`.
    """
    labels = labels.cropped(bounding_box(labels.array, margin=1))
    centres = planes.body_centres(labels)
    surface = _section(centres[level], spine_directions(centres)[level], structures)
    with styled():
        width, height = surface.x[-1] - surface.x[0], surface.y[-1] - surface.y[0]
        figure = new_figure(10.5, _PICTURE_INCHES * height / width)
        ax, side = figure.subplots(1, 2, width_ratios=(_PICTURE_INCHES, 10.5 - _PICTURE_INCHES))
        _draw(ax, surface, ct, structures)
        _write_values(side, Lookup(table), level)
        uri = data_uri(figure, "png")
    return Illustration(
        "muscle",
        f"Paraspinal muscles at {level}",
        f"Axial section through the middle of {level}, perpendicular to the spine; the patient's right is on the "
        "left. Window width 400, level 50 HU. Solid: erector spinae; dashed: psoas. Yellow: voxels of the muscle "
        f"between {number(FAT_HU[0], '.0f')} and {number(FAT_HU[1], '.0f')} HU (fat within the muscle).",
        f"Axial CT at {level} with the outlines of erector spinae and psoas of both sides and the fat within them.",
        uri,
    )


def _muscles(structures: LabelMap, parts: Iterable[Structure] | None = None) -> np.ndarray:
    wanted = {part for muscle in MUSCLES.values() for part in muscle[:2]} if parts is None else set(parts)
    return structures.mask(*(region for region in structures.regions if region.part in wanted)).array


def _section(centre: np.ndarray, up: np.ndarray, structures: LabelMap) -> planes.Surface:
    """Return the axial surface, cut to the muscles and the body of the vertebra."""
    wide = planes.axial(centre, up, _HALF_MM, _STEP_MM)
    met = np.nan_to_num(part_sample(wide, structures, _muscles(structures))) > 0
    rows, columns = (np.flatnonzero(met.any(axis=axis)) for axis in (1, 0))
    margin = round(_MARGIN_MM / _STEP_MM)
    y = slice(max(rows[0] - margin, 0), rows[-1] + 1 + margin)
    x = slice(max(columns[0] - margin, 0), columns[-1] + 1 + margin)
    return planes.Surface(wide.points[y, x], wide.x[x], wide.y[y])


def _draw(ax, surface: planes.Surface, ct: Volume, structures: LabelMap) -> None:
    ax.set_axis_off()
    values = surface.sample(ct)
    style = {"cmap": "gray", "extent": surface.extent, "origin": "lower", "aspect": "equal"}
    ax.imshow(np.nan_to_num(values, nan=-1024.0), vmin=_WINDOW[0], vmax=_WINDOW[1], interpolation="bilinear", **style)
    nearest = surface.sample(ct, order=0)  # fat is counted in voxels, so the tint shows voxels
    for right, left, _, color in MUSCLES.values():
        for part in (right, left):
            mask = _muscles(structures, [part])
            inside = np.nan_to_num(part_sample(surface, structures, mask)) > 0
            if inside.any():
                fat = inside & (nearest >= FAT_HU[0]) & (nearest <= FAT_HU[1])
                _tint(ax, surface, fat)
                line = "-" if right is Structure.ERECTOR_SPINAE_RIGHT else "--"
                smooth = np.nan_to_num(surface.sample(structures, mask.astype(np.float32)))
                ax.contour(surface.x, surface.y, smooth, levels=[0.5], colors=[color], linewidths=1.6, linestyles=line)
    _mark_sides(ax, surface)


def _tint(ax, surface: planes.Surface, fat: np.ndarray) -> None:
    from matplotlib.colors import ListedColormap

    style = {"extent": surface.extent, "origin": "lower", "aspect": "equal", "interpolation": "nearest"}
    ax.imshow(np.where(fat, 1.0, np.nan), cmap=ListedColormap([YELLOW]), alpha=0.65, **style)


def _mark_sides(ax, surface: planes.Surface) -> None:
    left, right, bottom, _ = surface.extent
    size = {"color": "white", "fontsize": 9, "weight": "bold", "path_effects": outlined(), "va": "bottom"}
    ax.text(left + 3, bottom + 3, "R", ha="left", **size)
    ax.text(right - 3, bottom + 3, "L", ha="right", **size)


def _write_values(ax, lookup: Lookup, level: VertebralLevel) -> None:
    """Write mean attenuation and fat of each muscle beside the picture: of the level's slab."""
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(1, 0)
    y = 0.06
    for both, (right, left, name, color) in MUSCLES.items():
        line = "-" if both is Structure.ERECTOR_SPINAE else "--"
        ax.plot([0.02, 0.12], [y, y], color=color, linewidth=2, linestyle=line)
        ax.text(0.16, y, f"{name}, slab of {level}", weight="bold", va="center", fontsize=9)
        for n, (title, part) in enumerate((("right", right), ("left", left), ("both", both))):
            _write_line(ax, y + 0.085 * (n + 1), title, lookup, level, part)
        y += 0.42


def _write_line(ax, y: float, title: str, lookup: Lookup, level: VertebralLevel, part: Structure) -> None:
    hu = lookup.value(level, part, "mean_attenuation")
    fat = lookup.value(level, part, "fat_infiltrated_fraction")
    ax.text(0.16, y, title, color=GREY, va="center", fontsize=8.5)
    if hu is None and fat is None:
        ax.text(0.36, y, "not measured", color=GREY, va="center", fontsize=8.5)
        return
    ax.text(0.58, y, f"{number(hu, '.0f')} HU", ha="right", color=INK, va="center", fontsize=9)
    ax.text(0.98, y, f"fat {number(None if fat is None else 100 * fat, '.0f')} %", ha="right", va="center", fontsize=9)
