"""What the levels of a CT say together: attenuation and density of the lumbar levels that are not fractured."""

from collections.abc import Iterable, Mapping

from .anatomy import Compartment, VertebralLevel
from .attenuation import non_fractured_mean
from .level_measurements import HU, CtSettings
from .measurement import Measurement, Quality
from .morphometry import Grading

_MEANS = (  # of which rows, name of the mean, UCUM unit
    ("trabecular_attenuation", "trabecular_attenuation_non_fractured", HU),
    ("vbmd", "vbmd_non_fractured", "mg/cm3"),
)


def measure_patient(
    subject: str, rows: Iterable[Measurement], gradings: Mapping[VertebralLevel, Grading], settings: CtSettings
) -> list[Measurement]:
    """Return the means over the non-fractured levels of L1 to L5, and how far the mean density may be off.

    Absent, with the reason, where there are none. The error of a density is the calibration's, which all levels share:
    of several the largest counts.

    Parameters
    ----------
    subject : str
    rows : iterable of Measurement
        Of the single levels.
    gradings : mapping of VertebralLevel to Grading
    settings : CtSettings
    """
    rows, grades = list(rows), {level: grading.grade for level, grading in gradings.items()}
    return [row for mean in _MEANS for row in _mean(subject, rows, grades, settings, *mean)]


def _mean(
    subject: str,
    rows: list[Measurement],
    grades: Mapping[VertebralLevel, int | None],
    settings: CtSettings,
    of: str,
    name: str,
    unit: str,
) -> list[Measurement]:
    found = [row for row in rows if row.name == of]
    protocol = found[0].protocol_id if found else settings.trabecular.protocol_id
    where = (subject, None, Compartment.CANCELLOUS, name)
    reasons = {row.note for row in found if row.value is None}
    if len(reasons) == 1 and all(row.value is None for row in found):  # one reason for all: no calibration given
        return [Measurement(*where, None, unit, protocol, quality=Quality.ABSENT, note=reasons.pop())]
    try:
        value, used, note = non_fractured_mean({row.level: row.value for row in found}, grades)
    except ValueError as error:
        return [Measurement(*where, None, unit, protocol, quality=Quality.ABSENT, note=str(error))]
    doubtful = [row.level for row in found if row.level in used and row.quality is Quality.FLAGGED]
    if doubtful:
        note += f"; flagged: {', '.join(doubtful)}"
    quality = Quality.FLAGGED if doubtful else Quality.OK
    mean = Measurement(*where, value, unit, protocol, quality=quality, note=note)
    errors = [r.value for r in rows if r.name == f"{of}_error" and r.level in used and r.value is not None]
    if not errors:
        return [mean]
    return [mean, Measurement(*where[:-1], f"{name}_error", max(errors), unit, protocol)]
