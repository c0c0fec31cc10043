"""The CT measurements of one level's bone, as rows of the table."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from .anatomy import Compartment, Region, VertebralLevel
from .attenuation import (
    AxialEllipse,
    Phase,
    PhaseCorrection,
    TrabecularReading,
    TrabecularSettings,
    attenuation,
    read_axial_ellipse,
    read_trabecular,
)
from .body_shape import BodyShape
from .calibration import DensityLine
from .image import LabelMap, Mask, Volume
from .measurement import Measurement, Quality, Source
from .morphometry import HeightSettings
from .muscle import MuscleSettings
from .segmentation.compartments import PeelSettings, shell_thickness
from .segmentation.level_check import LevelQuality

HU = "[hnsf'U]"  # UCUM
_BODY = (Compartment.CORTICAL, Compartment.CANCELLOUS)
PARTS = {  # what each measured part is made of in a split label map
    Compartment.WHOLE: tuple(Compartment),
    Compartment.BODY: _BODY,
    Compartment.CORTICAL: (Compartment.CORTICAL,),
    Compartment.CANCELLOUS: (Compartment.CANCELLOUS,),
}
TRABECULAR = (  # name, UCUM unit
    ("trabecular_attenuation", HU),
    *((f"trabecular_attenuation_{name}", HU) for name in ("sd", "median", "p5", "p25", "p75", "p95")),
    ("trabecular_volume", "cm3"),
    ("trabecular_excluded_fraction", "1"),
)
AXIAL = (
    ("trabecular_attenuation_axial", HU),
    ("trabecular_attenuation_axial_sd", HU),
    ("axial_ellipse_area", "cm2"),
)
_CANCELLOUS = Compartment.CANCELLOUS
_UNSURE_MG = 10.0  # mg/cm³: a quarter of the way from osteoporosis to normal
_SHELL_OFF = 0.25  # of the thickness asked for


@dataclass(frozen=True)
class CtSettings:
    """How a CT is measured, and what is known of it.

    Parameters
    ----------
    peel, trabecular, heights, muscle
        How each part is measured.
    phase : Phase or None
        Contrast phase; unknown stays unknown.
    correction : PhaseCorrection or None
        Takes the contrast medium's share off the attenuation, beside the uncorrected value.
    density : DensityLine or str
        From attenuation to density, or the reason why there is none.
    """

    peel: PeelSettings
    trabecular: TrabecularSettings
    heights: HeightSettings
    muscle: MuscleSettings
    phase: Phase | None
    correction: PhaseCorrection | None
    density: DensityLine | str

    @property
    def phase_note(self) -> str:
        """What the contrast phase means for attenuation; empty without contrast medium."""
        if self.phase is None:
            return "contrast phase not given"
        return "" if self.phase is Phase.NONE else f"{self.phase} contrast phase: reads higher than without contrast"


@dataclass(frozen=True)
class Level:
    """One level on a CT, cut out with a margin.

    Parameters
    ----------
    level : VertebralLevel
    ct : Volume
        Cropped to the vertebra.
    compartments : LabelMap
        On the crop's grid.
    shape : BodyShape or str
        The body in its own frame, or the reason why there is none.
    quality : LevelQuality
    """

    level: VertebralLevel
    ct: Volume
    compartments: LabelMap
    shape: BodyShape | str
    quality: LevelQuality
    image_hash: str

    @classmethod
    def cut_out(
        cls, ct: Volume, image_hash: str, compartments: LabelMap, shape: BodyShape | str, quality: LevelQuality
    ) -> "Level":
        """Cut one level out of a CT and its compartments (on the same grid)."""
        whole = compartments.mask(*(Region(part, quality.level) for part in Compartment))
        box = whole.box(margin=2)
        return cls(quality.level, ct.cropped(box), compartments.cropped(box), shape, quality, image_hash)

    def mask(self, part: Compartment) -> Mask:
        """Return a compartment; the body is cortical and cancellous bone, the whole everything.

        Raises
        ------
        ValueError
            When it is empty.
        """
        mask = self.compartments.mask(*(Region(p, self.level) for p in PARTS[part]))
        if not mask.array.any():
            raise ValueError(f"there is no {part} bone in the label map")
        return mask

    def source(self, part: Compartment) -> Source:
        """Return what a value of this compartment hangs on."""
        return Source(self.image_hash, self._mask_hashes[part])

    def trabecular(self, settings: TrabecularSettings) -> TrabecularReading:
        """Return what is read well inside the body.

        Raises
        ------
        ValueError
            When there is too little to read.
        """
        body, cancellous = (self.mask(part).array for part in (Compartment.BODY, Compartment.CANCELLOUS))
        shape = None if isinstance(self.shape, str) else self.shape
        return read_trabecular(self.ct, body, cancellous, shape, settings)

    @cached_property
    def _mask_hashes(self) -> dict[Compartment, str]:
        masks = {part: self.compartments.mask(*(Region(p, self.level) for p in parts)) for part, parts in PARTS.items()}
        return {part: mask.hash for part, mask in masks.items()}


def measure_level(subject: str, level: Level, settings: CtSettings) -> list[Measurement]:
    """Return every measurement of one level's bone; what cannot be measured is absent with its reason."""
    rows = _Rows(subject, level, settings)
    for part in PARTS:
        rows.add(part, "volume", "cm3", settings.peel.protocol_id, lambda part=part: level.mask(part).volume_mm3 / 1000)
    for part in PARTS:
        rows.add(part, "mean_attenuation", HU, settings.peel.protocol_id, lambda part=part: _mean(level, part))
    _add_shell(rows, settings.peel)
    _add_trabecular(rows, settings)
    _add_axial(rows, settings.trabecular.protocol_id)
    _add_density(rows, settings)
    return rows.rows


class _Rows:
    """Collects the rows of one level; a ValueError of a measurement becomes the reason of its absence."""

    def __init__(self, subject: str, level: Level, settings: CtSettings) -> None:
        self.subject, self.level, self.settings = subject, level, settings
        self.rows: list[Measurement] = []

    def add(
        self,
        part: Compartment,
        name: str,
        unit: str,
        protocol: str,
        measure: Callable[[], float],
        note: str = "",
        remark: str = "",
    ) -> None:
        """Add a row; a note flags it, a remark does not."""
        value, reason = self._measured(measure)
        if value is None:
            quality, note = Quality.ABSENT, reason
        else:
            phase = self.settings.phase_note if unit == HU and name != "trabecular_attenuation_corrected" else ""
            doubts = [text for text in (self.level.quality.note, note, phase) if text]
            quality = Quality.FLAGGED if doubts else Quality.OK
            note = "; ".join([*doubts, *([remark] if remark else [])])
        where = (self.subject, self.level.level, part, name, value, unit, protocol)
        self.rows.append(Measurement(*where, source=self.level.source(part), quality=quality, note=note))

    def _measured(self, measure: Callable[[], float]) -> tuple[float | None, str]:
        if not self.level.quality.usable:
            return None, self.level.quality.note
        try:
            return float(measure()), ""
        except ValueError as error:
            return None, str(error)

    @cached_property
    def trabecular(self) -> TrabecularReading:
        return self.level.trabecular(self.settings.trabecular)

    @cached_property
    def axial(self) -> AxialEllipse:
        if isinstance(self.level.shape, str):
            raise ValueError(self.level.shape)
        return read_axial_ellipse(self.level.ct, self.trabecular, self.level.shape)


def _add_shell(rows: _Rows, peel: PeelSettings) -> None:
    def thickness() -> float:
        return shell_thickness(rows.level.compartments, rows.level.level).mm

    note = ""
    if rows.level.quality.usable and peel.cortical_depth_voxels is None:
        with suppress(ValueError):  # then the row says why
            found = thickness()
            if abs(found / peel.cortical_depth_mm - 1) > _SHELL_OFF:
                note = f"{found:.1f} mm, not {peel.cortical_depth_mm:g} mm: voxels too large, or drawn by a reader"
    rows.add(Compartment.CORTICAL, "shell_thickness", "mm", peel.protocol_id, thickness, note)


def _mean(level: Level, part: Compartment) -> float:
    return attenuation(level.ct.array[level.mask(part).array]).mean


def _add_trabecular(rows: _Rows, settings: CtSettings) -> None:
    note, remark = _reading_notes(rows)
    for name, unit in TRABECULAR:
        protocol = settings.trabecular.protocol_id
        rows.add(_CANCELLOUS, name, unit, protocol, lambda n=name: _named(rows.trabecular, n), note, remark)
    if correction := settings.correction:
        rows.add(
            _CANCELLOUS,
            "trabecular_attenuation_corrected",
            HU,
            correction.protocol_id,
            lambda: correction.corrected(rows.trabecular.statistics.mean),
            "; ".join(text for text in (note, correction.note) if text),
            remark,
        )


def _add_axial(rows: _Rows, protocol: str) -> None:
    note = ""
    if rows.level.quality.usable:
        with suppress(ValueError):  # then the row says why
            note = rows.axial.note
    for name, unit in AXIAL:
        rows.add(_CANCELLOUS, name, unit, protocol, lambda n=name: _named(rows.axial, n), note)


def _named(reading: TrabecularReading | AxialEllipse, name: str) -> float:
    return next(value for found, _, value in reading.rows() if found == name)


def _add_density(rows: _Rows, settings: CtSettings) -> None:
    line, (note, remark) = settings.density, _reading_notes(rows)
    if isinstance(line, DensityLine):
        protocol, how = line.protocol_id, "; ".join(text for text in (line.method, remark) if text)
        note = "; ".join(text for text in (*line.notes, note) if text)
    else:
        protocol, how = settings.trabecular.protocol_id, remark
    with suppress(ValueError):  # then the row says why
        if rows.level.quality.usable and (error := _density("vbmd_error", line, rows)) > _UNSURE_MG:
            note = "; ".join(text for text in (f"uncertain by {error:.0f} mg/cm³", note) if text)
    for name in ("vbmd", "vbmd_error"):
        rows.add(_CANCELLOUS, name, "mg/cm3", protocol, lambda n=name: _density(n, line, rows), note, how)


def _density(name: str, line: DensityLine | str, rows: _Rows) -> float:
    if isinstance(line, str):
        raise ValueError(line)
    hu = rows.trabecular.statistics.mean
    return line.vbmd(hu) if name == "vbmd" else line.error(hu)


def _reading_notes(rows: _Rows) -> tuple[str, str]:
    """Return what flags the trabecular reading, and what is only remarked."""
    try:
        reading = rows.trabecular if rows.level.quality.usable else None
    except ValueError:  # the rows say why
        return "", ""
    if reading is None:
        return "", ""
    return (reading.note, "") if reading.flagged else ("", reading.note)
