"""Every morphometric value of a patient as rows of the table."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..anatomy import Compartment, VertebralLevel
from ..body_shape import BodyShape
from ..measurement import Measurement, Quality, Source, protocol_id
from ..segmentation.level_quality import LevelQuality
from .angles import Angle, angles
from .fractures import Grading, fracture_summary, grade_fractures
from .heights import Heights, HeightSettings, measure_heights

_FROM_HEIGHTS = (  # name, unit, how it is read
    ("anterior_height", "mm", lambda h: h.anterior),
    ("middle_height", "mm", lambda h: h.middle),
    ("posterior_height", "mm", lambda h: h.posterior),
    ("depth", "mm", lambda h: h.depth),
    ("height_uncertainty", "mm", lambda h: h.uncertainty),
    ("anterior_height_midsagittal", "mm", lambda h: h.midsagittal["anterior"]),
    ("middle_height_midsagittal", "mm", lambda h: h.midsagittal["middle"]),
    ("posterior_height_midsagittal", "mm", lambda h: h.midsagittal["posterior"]),
    ("anterior_posterior_ratio", "1", lambda h: h.anterior_posterior_ratio),
    ("middle_posterior_ratio", "1", lambda h: h.middle_posterior_ratio),
    ("wedge_angle", "deg", lambda h: h.wedge_angle),
    ("lateral_wedge_angle", "deg", lambda h: h.lateral_wedge_angle),
)
_FROM_GRADING = (
    ("posterior_neighbour_ratio", lambda g: g.posterior_ratio),
    ("genant_grade", lambda g: g.grade),
    ("genant_type", lambda g: None if g.grade is None else g.kind.code),
    ("height_reduction", lambda g: g.reduction),
    ("height_reduction_own", lambda g: g.own_reduction),
    ("height_reduction_neighbours", lambda g: g.neighbour_reduction),
)
_SUMMARY = {"fractured_levels": "count", "worst_genant_grade": "worst", "spinal_deformity_index": "index"}
_LARGE_MM = 1.0  # an uncertainty beyond this is a remark
_ANGLE_DIGITS = 6  # what lies below differs between machines
_GRADING = protocol_id("genant", {"version": 2, "bounds": [0.2, 0.25, 0.4]})


@dataclass(frozen=True)
class Morphometry:
    """Heights, grades and angles of a patient, and the rows that say them.

    Parameters
    ----------
    heights : mapping of VertebralLevel to Heights or str
        Or the reason why there are none.
    gradings : mapping of VertebralLevel to Grading
    angles : mapping of str to Angle
    rows : tuple of Measurement
    """

    heights: Mapping[VertebralLevel, Heights | str]
    gradings: Mapping[VertebralLevel, Grading]
    angles: Mapping[str, Angle]
    rows: tuple[Measurement, ...]


def measure_morphometry(
    subject: str,
    shapes: Mapping[VertebralLevel, BodyShape | str],
    qualities: Mapping[VertebralLevel, LevelQuality],
    settings: HeightSettings,
    sources: Mapping[VertebralLevel, Source],
) -> Morphometry:
    """Measure heights, fractures and angles of every level of `shapes`; what cannot be measured is absent.

    Parameters
    ----------
    subject : str
    shapes : mapping
        The body of each level, or the reason why there is none.
    qualities : mapping
        A level that may not be measured has no heights, and is part of no angle; below the bar it has no grade.
    settings : HeightSettings
    sources : mapping
        Of each level's rows.
    """
    heights = {v: _heights(shape, qualities.get(v), settings) for v, shape in shapes.items()}
    gradings = grade_fractures(heights, qualities)
    between = angles(heights)
    levels = [v for v in shapes if v is not VertebralLevel.S1]  # the sacrum serves angles only
    table = _Table(subject, settings.protocol_id, sources, qualities)
    for v in levels:
        table.add_level(v, heights[v], gradings[v])
    table.add_patient({v: gradings[v] for v in levels}, between)
    return Morphometry(heights, gradings, between, tuple(table.rows))


def morphometry_rows(
    subject: str,
    shapes: Mapping[VertebralLevel, BodyShape | str],
    qualities: Mapping[VertebralLevel, LevelQuality],
    settings: HeightSettings,
    sources: Mapping[VertebralLevel, Source],
) -> list[Measurement]:
    """Return the rows of `measure_morphometry`."""
    return list(measure_morphometry(subject, shapes, qualities, settings, sources).rows)


def _heights(shape: BodyShape | str, quality: LevelQuality | None, settings: HeightSettings) -> Heights | str:
    if quality and not quality.usable:
        return quality.note
    if isinstance(shape, str):
        return shape
    try:
        return measure_heights(shape, settings)
    except ValueError as error:
        return str(error)


class _Table:
    def __init__(
        self,
        subject: str,
        protocol: str,
        sources: Mapping[VertebralLevel, Source],
        qualities: Mapping[VertebralLevel, LevelQuality],
    ) -> None:
        self.subject, self.protocol, self.sources, self.qualities = subject, protocol, sources, qualities
        self.rows: list[Measurement] = []

    def add_level(self, level: VertebralLevel, heights: Heights | str, grading: Grading) -> None:
        known = not isinstance(heights, str)
        doubt = f"uncertain by {heights.uncertainty:.1f} mm" if known and heights.uncertainty > _LARGE_MM else ""
        for name, unit, read in _FROM_HEIGHTS:
            reason = "" if known else heights
            remark = doubt if unit == "mm" and name.endswith(("height", "midsagittal")) else ""
            self._add(level, name, read(heights) if known else None, unit, self.protocol, remark, reason)
        for name, read in _FROM_GRADING:
            remark = grading.note
            if name == "genant_type" and grading.grade is not None:
                remark = "; ".join(text for text in (str(grading.kind), grading.note) if text)
            reason = grading.note or "not compared with neighbours: none is sound"
            self._add(level, name, read(grading), "1", _GRADING, remark, reason, plain=not grading.note)

    def add_patient(self, gradings: Mapping[VertebralLevel, Grading], between: Mapping[str, Angle]) -> None:
        summary = fracture_summary(gradings)
        left = [f"{v}" for v, grading in gradings.items() if grading.grade is None]
        note = f"graded: {', '.join(summary.levels)}" if summary else ""
        note += f"; not graded: {', '.join(left)}" if left else ""
        for name, field in _SUMMARY.items():
            value = getattr(summary, field) if summary else None
            self._add(None, name, value, "1", _GRADING, note, "no level could be graded", plain=not left)
        for name, angle in between.items():
            self._add(None, name, angle.degrees, "deg", self.protocol, angle.note, angle.note, plain=True)

    def _add(
        self,
        level: VertebralLevel | None,
        name: str,
        value: float | None,
        unit: str,
        protocol: str,
        remark: str,
        reason: str,
        *,
        plain: bool = False,
    ) -> None:
        """Add a row; a remark flags it unless it is `plain`."""
        part = Compartment.BODY if level else None
        trust = self.qualities[level].note if level in self.qualities else ""
        if value is None:
            quality, note = Quality.ABSENT, reason
        else:
            quality = Quality.FLAGGED if trust or (remark and not plain) else Quality.OK
            note = "; ".join(text for text in (trust, remark) if text)
        if value is not None:
            value = round(float(value), _ANGLE_DIGITS) + 0.0 if unit == "deg" else float(value)
        where = (self.subject, level, part, name, value, unit, protocol)
        self.rows.append(Measurement(*where, source=self._source(level), quality=quality, note=note))

    def _source(self, level: VertebralLevel | None) -> Source:
        if level:
            return self.sources.get(level, Source())
        images = {source.image for source in self.sources.values()}
        return Source(image=images.pop()) if len(images) == 1 else Source()
