"""All CT measurements of one level, as rows of the table."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from .anatomy import Compartment, Region, VertebralLevel
from .attenuation import Attenuation, Phase, TrabecularSettings, attenuation, trabecular_region
from .body_shape import BodyShape
from .calibration import Calibration
from .image import LabelMap, Mask, Volume
from .measurement import Measurement, Quality, Source
from .morphometry import Heights, HeightSettings, measure_heights
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
_UNEVEN_HU = 15.0  # mean and median of even bone differ by less
_SHELL_OFF = 0.25  # of the thickness asked for
_THICK_MM = 3.0  # voxels beyond this leave heights uncertain by over a millimetre


@dataclass(frozen=True)
class CtSettings:
    """How a CT is measured, and what is known of it."""

    peel: PeelSettings
    trabecular: TrabecularSettings
    heights: HeightSettings
    phase: Phase | None
    calibration: Calibration | None


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

    def trabecular(self, settings: TrabecularSettings) -> Attenuation:
        """Return the attenuation well inside the body."""
        region = trabecular_region(self.mask(Compartment.BODY).array, self.ct, settings)
        return attenuation(self.ct.array[region & self.mask(Compartment.CANCELLOUS).array])


def measure_level(subject: str, level: Level, settings: CtSettings) -> list[Measurement]:
    """Return every CT measurement of one level; what cannot be measured is absent with its reason."""
    rows = _Rows(subject, level, settings)
    for part in PARTS:
        rows.add(part, "volume", "cm3", settings.peel.protocol_id, lambda part=part: level.mask(part).volume_mm3 / 1000)
    for part in PARTS:
        rows.add(part, "mean_attenuation", HU, settings.peel.protocol_id, lambda part=part: _mean(level, part))
    _add_shell(rows, settings.peel)
    _add_trabecular(rows, settings)
    _add_heights(rows, settings.heights.protocol_id)
    return rows.rows


class _Rows:
    """Collects the rows of one level; a ValueError of a measurement becomes the reason of its absence."""

    def __init__(self, subject: str, level: Level, settings: CtSettings) -> None:
        self.subject, self.level, self.settings = subject, level, settings
        self.rows: list[Measurement] = []

    def add(
        self, part: Compartment, name: str, unit: str, protocol: str, measure: Callable[[], float], note: str = ""
    ) -> None:
        value, reason = self._measured(measure)
        if value is None:
            quality, note = Quality.ABSENT, reason
        else:
            remarks = [self.level.quality.note, note, _phase_note(self.settings.phase) if unit == HU else ""]
            note = "; ".join(remark for remark in remarks if remark)
            quality = Quality.FLAGGED if note else Quality.OK
        where = (self.subject, self.level.level, part, name, value, unit, protocol)
        self.rows.append(Measurement(*where, source=self._source(part), quality=quality, note=note))

    def _measured(self, measure: Callable[[], float]) -> tuple[float | None, str]:
        if not self.level.quality.usable:
            return None, self.level.quality.note
        try:
            return float(measure()), ""
        except ValueError as error:
            return None, str(error)

    def _source(self, part: Compartment) -> Source:
        return Source(self.level.image_hash, self._mask_hashes[part])

    @cached_property
    def _mask_hashes(self) -> dict[Compartment, str]:
        masks = {
            part: self.level.compartments.mask(*(Region(p, self.level.level) for p in parts))
            for part, parts in PARTS.items()
        }
        return {part: mask.hash for part, mask in masks.items()}

    @cached_property
    def trabecular(self) -> Attenuation:
        return self.level.trabecular(self.settings.trabecular)

    @cached_property
    def heights(self) -> Heights:
        if isinstance(self.level.shape, str):
            raise ValueError(self.level.shape)
        return measure_heights(self.level.shape, self.settings.heights)


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
    protocol, part = settings.trabecular.protocol_id, Compartment.CANCELLOUS
    note = _uneven_note(rows)
    rows.add(part, "trabecular_attenuation", HU, protocol, lambda: rows.trabecular.mean, note)
    rows.add(part, "trabecular_attenuation_sd", HU, protocol, lambda: rows.trabecular.sd, note)
    rows.add(part, "trabecular_attenuation_median", HU, protocol, lambda: rows.trabecular.median, note)
    rows.add(
        part, "trabecular_volume", "cm3", protocol, lambda: rows.trabecular.voxels * rows.level.ct.voxel_volume / 1000
    )
    calibration = settings.calibration
    rows.add(
        part,
        "vbmd",
        "mg/cm3",
        calibration.protocol_id if calibration else protocol,
        lambda: _vbmd(calibration, settings.phase, rows.trabecular.mean),
        "; ".join(text for text in (calibration.check(rows.level.ct) if calibration else "", note) if text),
    )


def _vbmd(calibration: Calibration | None, phase: Phase | None, hu: float) -> float:
    if calibration is None:
        raise ValueError("no calibration given")
    if phase is not Phase.NONE:
        raise ValueError(f"vBMD needs a CT without contrast medium; the phase is {phase or 'not given'}")
    return calibration.vbmd(hu)


def _add_heights(rows: _Rows, protocol: str) -> None:
    thickest = float(rows.level.ct.spacing.max())
    note = f"voxels of {thickest:g} mm: heights are uncertain by 1 mm or more" if thickest > _THICK_MM else ""
    for name, unit in (
        ("anterior_height", "mm"),
        ("middle_height", "mm"),
        ("posterior_height", "mm"),
        ("depth", "mm"),
        ("anterior_posterior_ratio", "1"),
        ("middle_posterior_ratio", "1"),
        ("wedge_angle", "deg"),
    ):
        attribute = name.removesuffix("_height")
        rows.add(Compartment.BODY, name, unit, protocol, lambda a=attribute: getattr(rows.heights, a), note)


def _uneven_note(rows: _Rows) -> str:
    if not rows.level.quality.usable:
        return ""
    try:
        difference = rows.trabecular.mean - rows.trabecular.median
    except ValueError:
        return ""
    if abs(difference) <= _UNEVEN_HU:
        return ""
    return f"uneven bone (mean and median differ by {abs(difference):.0f} HU): sclerosis, haemangioma, cement or metal?"


def _phase_note(phase: Phase | None) -> str:
    if phase is None:
        return "contrast phase not given"
    return "" if phase is Phase.NONE else f"{phase} contrast phase: reads higher than without contrast"
