"""May an earlier analysis be updated? Only if nothing but the named levels has changed since."""

import json
from collections.abc import Collection

from .analysis import Patient, Settings
from .anatomy import VertebralLevel
from .errors import UserError
from .files.earlier_result import EarlierResult
from .fingerprints import named_fingerprints
from .provenance import software
from .run_record import settings_record

_AFRESH = "Analyse the patient afresh, without --update."
_ALWAYS_ANEW = ("models",)  # scores are computed again


def check_update(
    earlier: EarlierResult, patient: Patient, settings: Settings, edited: Collection[VertebralLevel]
) -> None:
    """Check that the CT, the settings and every level that was not edited are those of the earlier analysis.

    Raises
    ------
    UserError
        Says what is another.
    """
    if patient.ct is None:
        raise UserError("There is no CT to update.", "--update is for CT measurements: give the CT and its labels.")
    if earlier.version != software()["ovfrisk"]:
        raise UserError(f"{earlier.folder} was made by OVFRisk {earlier.version}: values may differ.", _AFRESH)
    if earlier.subject != patient.subject:
        raise UserError(f"{earlier.folder} is of the subject '{earlier.subject}'.", "Give its own earlier result.")
    if earlier.features.image != patient.ct.hash:
        raise UserError(f"{earlier.folder} was measured on another CT.", _AFRESH)
    _check_settings(earlier, settings)
    _check_levels(earlier, named_fingerprints(patient.ct_labels), edited)


def _check_settings(earlier: EarlierResult, settings: Settings) -> None:
    now = json.loads(json.dumps(settings_record(settings)))
    other = [key for key in now if key not in _ALWAYS_ANEW and now[key] != earlier.settings.get(key)]
    if other:
        raise UserError(f"{earlier.folder} was measured with other settings ({', '.join(other)}).", _AFRESH)


def _check_levels(earlier: EarlierResult, now: dict[str, str], edited: Collection[VertebralLevel]) -> None:
    before = earlier.ct_regions
    other = {name for name in {*before, *now} if before.get(name) != now.get(name)}
    levels = {str(level) for level in VertebralLevel} & {name.partition(" ")[0] for name in other}
    beyond = sorted(levels - set(edited), key=lambda level: VertebralLevel(level).rank)
    if beyond:
        raise UserError(
            f"The label map differs from that of {earlier.folder} in {', '.join(beyond)}, too.",
            f"Name all edited levels: --edited {','.join(sorted(levels | set(edited), key=_rank))}.",
        )


def _rank(level: str) -> int:
    return VertebralLevel(level).rank
