"""CT with its compartments: sagittal, coronal and axial."""

from collections.abc import Iterable, Mapping

import numpy as np

from ...anatomy import Compartment, Region, VertebralLevel
from ...image import LabelMap, Volume, bounding_box
from ...level_frame import spine_directions
from ...measurement import MeasurementTable
from ...segmentation.level_check import LevelQuality
from ...terminology import term
from ..report_values import LevelGrade, Lookup, level_grades
from . import planes
from .heights import Lines, draw_height_lines
from .style import ORANGE, PALE, Illustration, data_uri, new_figure, outlined, styled

WINDOW = (-200.0, 600.0)  # HU: width 800, level 200; narrower than a bone window, to show cancellous bone
_MARGIN_MM = np.array([40.0, 40.0, 12.0])  # right, anterior, superior
_HALF_AXIAL_MM = 48.0
_AXIAL_COLUMNS = 7
_BODY = (Compartment.BODY, Compartment.CORTICAL, Compartment.CANCELLOUS)
_OUTLINES = (  # what is outlined, in whose colour
    ((Compartment.POSTERIOR,), Compartment.POSTERIOR),
    ((Compartment.WHOLE,), Compartment.WHOLE),
    (_BODY, Compartment.CORTICAL),
    ((Compartment.CANCELLOUS,), Compartment.CANCELLOUS),
)
_FIGURE_INCHES = 10.5
_LINES = (
    "White lines: where the anterior, middle and posterior height of each body is measured, with the height in mm as "
    "in the table. "
)


def ct_overview(
    ct: Volume,
    labels: LabelMap,
    levels: Iterable[LevelQuality],
    table: MeasurementTable | None = None,
    lines: Mapping[VertebralLevel, Lines] | None = None,
) -> Illustration:
    """Draw the spine from the side and from the front, each along the middle of the bodies.

    Parameters
    ----------
    ct : Volume
    labels : LabelMap
        Vertebrae, whole or in compartments.
    levels : iterable of LevelQuality
    table : MeasurementTable, optional
        Heights and grades to write on the sagittal picture.
    lines : mapping of VertebralLevel to its height lines, optional
        ``anterior``, ``middle``, ``posterior``: end points, shape (2, 3), RAS mm.
    """
    lookup = Lookup(table or MeasurementTable())
    labels = labels.cropped(bounding_box(labels.array, margin=1))
    qualities = {quality.level: quality for quality in levels}
    centres = planes.body_centres(labels)
    grades = level_grades(lookup, centres)
    low, high = _limits(labels, ct)
    step = max(0.5, min(1.0, float(ct.spacing.min())))
    surfaces = [make(centres, low, high, step) for make in (planes.sagittal, planes.coronal)]
    widths = [surface.x[-1] - surface.x[0] for surface in surfaces]
    with styled():
        mm_per_point = sum(widths) / _FIGURE_INCHES / 72
        figure = new_figure(_FIGURE_INCHES, (high[2] - low[2]) / mm_per_point / 72)
        axes = figure.subplots(1, 2, width_ratios=widths)
        for ax, surface, sides in zip(axes, surfaces, ("AP", "RL")):
            _draw(ax, surface, ct, labels, qualities)
            _name_levels(ax, centres, _remarks(centres, qualities, grades, sides), mm_per_point)
            _mark_sides(ax, surface, sides)
        draw_height_lines(axes[0], lines or {}, lookup)
        uri = data_uri(figure, "png")
    return Illustration(
        "ct-overview",
        "The spine from the side and from the front" if lines else "CT with compartments",
        "Left: sagittal; right: coronal. Both follow the middle of the vertebral bodies, so a curved spine appears "
        f"straightened. {_LINES if lines else ''}Window width 800, level 200 HU. One hue per level: dark cortical "
        "shell, light cancellous bone, dull posterior elements. Hatched: not measured.",
        f"Sagittal and coronal CT with the outlines of {', '.join(centres)}.{_described(grades)}",
        uri,
    )


def ct_axial(ct: Volume, labels: LabelMap, levels: Iterable[LevelQuality]) -> Illustration:
    """Draw one axial section a usable level, through the middle of the body and perpendicular to the spine."""
    labels = labels.cropped(bounding_box(labels.array, margin=1))
    qualities = {quality.level: quality for quality in levels}
    centres = planes.body_centres(labels)
    up = spine_directions(centres)
    centres = {level: centre for level, centre in centres.items() if _is_usable(level, qualities)}
    rows = -(-len(centres) // _AXIAL_COLUMNS) or 1
    columns = max(4, -(-len(centres) // rows))
    with styled():
        figure = new_figure(_FIGURE_INCHES, _FIGURE_INCHES / columns * rows + 0.25 * rows)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax in axes:
            ax.set_axis_off()
        for ax, (level, centre) in zip(axes, centres.items()):
            surface = planes.axial(centre, up[level], _HALF_AXIAL_MM, 0.5)
            _draw(ax, surface, ct, labels, qualities)
            ax.set_title(level, color=term(Region(Compartment.CORTICAL, level)).color)
            _mark_sides(ax, surface, "RL")
        uri = data_uri(figure, "png")
    return Illustration(
        "ct-axial",
        "Axial sections",
        "Through the middle of each vertebral body, perpendicular to the spine; 96 mm wide. "
        "Trabecular attenuation is read well inside the outline of the cancellous bone.",
        f"One axial section each of {', '.join(centres)}.",
        uri,
    )


def _described(grades: Mapping[VertebralLevel, LevelGrade]) -> str:
    deformed = [f"{level}: {grade}" for level, grade in grades.items() if grade.fractured]
    return f" Deformed: {'; '.join(deformed)}." if deformed else ""


def _is_usable(level: VertebralLevel, qualities: Mapping[VertebralLevel, LevelQuality]) -> bool:
    return level not in qualities or qualities[level].usable


def _limits(labels: LabelMap, ct: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Return the RAS limits (mm) of the labels with a margin, within the image."""
    points = labels.to_ras(np.argwhere(labels.array)[:, ::-1])
    nk, nj, ni = (size - 1 for size in ct.array.shape)
    corners = ct.to_ras([[i, j, k] for i in (0, ni) for j in (0, nj) for k in (0, nk)])
    low = np.maximum(points.min(axis=0) - _MARGIN_MM, corners.min(axis=0))
    return low, np.minimum(points.max(axis=0) + _MARGIN_MM, corners.max(axis=0))


def _draw(
    ax, surface: planes.Surface, ct: Volume, labels: LabelMap, qualities: Mapping[VertebralLevel, LevelQuality]
) -> None:
    ax.set_axis_off()
    ax.imshow(
        np.nan_to_num(surface.sample(ct), nan=-1024.0),
        cmap="gray",
        vmin=WINDOW[0],
        vmax=WINDOW[1],
        extent=surface.extent,
        origin="lower",
        aspect="equal",
        interpolation="bilinear",
    )
    for level, vertebra in planes.level_crops(labels).items():
        part = surface.near(vertebra)
        for parts, shade in _OUTLINES if part else ():
            mask = vertebra.mask(*(Region(p, level) for p in parts)).array
            inside = np.nan_to_num(part.sample(vertebra, mask.astype(np.float32)))
            if inside.max() > 0.5:
                _fill(ax, part, inside, term(Region(shade, level)).color, _is_usable(level, qualities))


def _fill(ax, surface: planes.Surface, inside: np.ndarray, color: tuple[float, ...], usable: bool) -> None:
    if usable:
        ax.contourf(surface.x, surface.y, inside, levels=[0.5, 2], colors=[color], alpha=0.14)
    else:
        color = PALE
        hatching = ax.contourf(surface.x, surface.y, inside, levels=[0.5, 2], colors="none", hatches=["////"])
        hatching.set_edgecolor(PALE)
    ax.contour(surface.x, surface.y, inside, levels=[0.5], colors=[color], linewidths=0.9)


def _remarks(
    centres: Iterable[VertebralLevel],
    qualities: Mapping[VertebralLevel, LevelQuality],
    grades: Mapping[VertebralLevel, LevelGrade],
    sides: str,
) -> dict[VertebralLevel, tuple[str, tuple[str, ...]]]:
    """Return what is written below each level's name, with its colour: grades only on the sagittal picture."""
    remarks = {}
    for level in centres:
        grade = grades.get(level) if sides == "AP" else None
        if not _is_usable(level, qualities):
            remarks[level] = "white", ("not measured",)
        elif grade and (grade.grade is None or grade.fractured or grade.borderline):
            remarks[level] = ORANGE if grade.fractured else "white", (grade.name, grade.remarks)
    return remarks


def _name_levels(
    ax,
    centres: Mapping[VertebralLevel, np.ndarray],
    remarks: Mapping[VertebralLevel, tuple[str, tuple[str, ...]]],
    mm_per_point: float,
) -> None:
    """Write each level's name beside its body, and remarks below. No text covers another."""
    left, free = ax.get_xlim()[0] + 3, ax.get_ylim()[1] - 2
    for level, centre in centres.items():
        y = min(centre[2] + 5 * mm_per_point, free)
        color, lines = remarks.get(level, ("white", ()))
        ax.text(left, y, level, color=color, weight="bold", fontsize=10, va="top", path_effects=outlined())
        free = y - 14 * mm_per_point
        for line in filter(None, lines):
            ax.text(left, free, line, color=color, fontsize=6.5, va="top", path_effects=outlined())
            free -= 9 * mm_per_point
        free -= 2 * mm_per_point


def _mark_sides(ax, surface: planes.Surface, sides: str) -> None:
    """Write which side is which, as on a film, and draw a scale of 20 mm."""
    left, right, bottom, _ = surface.extent
    size = {"color": "white", "fontsize": 9, "weight": "bold", "path_effects": outlined()}
    for x, side, align in ((left + 3, sides[0], "left"), (right - 3, sides[1], "right")):
        ax.text(x, bottom + 3, side, ha=align, va="bottom", **size)
    middle = (left + right) / 2
    ax.plot([middle - 10, middle + 10], [bottom + 4] * 2, color="white", linewidth=2, solid_capstyle="butt")
    ax.text(middle, bottom + 5, "20 mm", color="white", fontsize=6.5, ha="center", va="bottom", path_effects=outlined())
