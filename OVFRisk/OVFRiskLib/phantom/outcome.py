"""What becomes of synthetic patients after their scan: new fractures, drawn by a known rule.

Evidence of nothing: the rule is ours, and stronger than nature's, so that a small cohort shows it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..files.tables import Cell, write_csv
from .settings import PhantomSettings

SYNTHETIC = "SYNTHETIC: simulated, no patient"
EVENT_SHARE = 1 / 3
_LEVELS = VertebralLevel.span("L1-L4")
_STREAM = 7  # of a patient's random numbers; the settings have others


@dataclass(frozen=True)
class Term:
    """A value's part in the log-odds of a new fracture: coefficient x (value - center) / scale.

    Parameters
    ----------
    coefficient : float
    center, scale : float
        About the mean and standard deviation of the patients that are drawn; of a count 0 and 1.
    unit : str
        UCUM.
    meaning : str
    """

    coefficient: float
    center: float
    scale: float
    unit: str
    meaning: str


RULE: Mapping[str, Term] = MappingProxyType(
    {
        "trabecular_attenuation": Term(
            -1.2, 116.0, 29.0, "[hnsf'U]", "mean of L1 to L4 as set (truth.csv, compartment cancellous)"
        ),
        "age": Term(0.5, 69.0, 8.0, "a", "at the scan"),
        "prevalent_fractures": Term(0.8, 0.0, 1.0, "1", "vertebrae that are fractured in the image"),
    }
)
"""The rule by value; the coefficients are assumed."""


@dataclass(frozen=True, eq=False)
class FollowUp:
    """The outcomes of a cohort, and how they came about.

    Parameters
    ----------
    patients : tuple of PhantomSettings
    event_share : float
        Share of patients with an event that is expected, 0-1.
    intercept : float
        Of the rule, such that it is.
    log_odds, probability : ndarray, shape (patients,)
    fracture : ndarray of bool, shape (patients,)
        Whether there is a new fracture: an event of that probability, independent of the other patients'.
    """

    patients: tuple[PhantomSettings, ...]
    event_share: float
    intercept: float
    log_odds: np.ndarray
    probability: np.ndarray
    fracture: np.ndarray


def follow_up(patients: Sequence[PhantomSettings], event_share: float = EVENT_SHARE) -> FollowUp:
    """Draw who of `patients` gets a new fracture after the scan, by `RULE`.

    A patient's chance number comes from the patient's own seed: the same patients and share give the same outcomes,
    and a higher share leaves everybody's event who had one. Other companions move the intercept, and with it every
    probability.

    Parameters
    ----------
    patients : sequence of PhantomSettings
    event_share : float
        Above 0, below 1. As many are expected; how many there are is chance.

    Raises
    ------
    UserError
        When there is no patient, or the share is not between 0 and 1.
    """
    if not patients:
        raise UserError("There is no patient to follow.", "Ask for at least one.")
    if not 0 < event_share < 1:
        raise UserError(f"The share of events is {event_share:g}.", "Give a number between 0 and 1, e.g. 0.33.")
    without = np.array([_sum(patient) for patient in patients])
    intercept = intercept_for(without, event_share * len(patients))
    log_odds = intercept + without
    probability = expit(log_odds)
    chance = np.array([np.random.default_rng((patient.seed, _STREAM)).random() for patient in patients])
    return FollowUp(tuple(patients), event_share, intercept, log_odds, probability, chance < probability)


def intercept_for(log_odds: np.ndarray, events: float) -> float:
    """Return the intercept with which `events` are expected."""
    return float(brentq(lambda a: expit(a + log_odds).sum() - events, -100 - log_odds.max(), 100 - log_odds.min()))


def values_of(patient: PhantomSettings) -> dict[str, float]:
    """Return what `RULE` is about, of one patient."""
    return {
        "trabecular_attenuation": float(np.mean([patient.cancellous_hu[level] for level in _LEVELS])),
        "age": float(patient.age),
        "prevalent_fractures": float(len(patient.fractures)),
    }


def write_follow_up(found: FollowUp, seed: int, folder: Path) -> None:
    """Write ``clinical.csv`` (what a study may know) and ``truth.json`` (what it may not) into an existing folder.

    Parameters
    ----------
    found : FollowUp
    seed : int
        Of the cohort.
    folder : Path

    Raises
    ------
    UserError
        When a file cannot be written.
    """
    write_csv(folder / "clinical.csv", _clinical(found))
    text = json.dumps(_truth(found, seed), indent=1, allow_nan=False) + "\n"
    try:
        (folder / "truth.json").write_text(text, "utf-8")
    except OSError as error:
        raise UserError(
            f"{folder / 'truth.json'} cannot be written: {error.strerror}.", "Choose another folder."
        ) from error


def _sum(patient: PhantomSettings) -> float:
    values = values_of(patient)
    return sum(term.coefficient * (values[name] - term.center) / term.scale for name, term in RULE.items())


def _clinical(found: FollowUp) -> dict[str, list[Cell]]:
    return {
        "subject": [patient.subject for patient in found.patients],
        "synthetic": [SYNTHETIC] * len(found.patients),
        "age": [float(patient.age) for patient in found.patients],
        "sex_male": [float(patient.sex == "M") for patient in found.patients],
        "prevalent_fractures": [float(len(patient.fractures)) for patient in found.patients],
        "fracture": found.fracture.astype(float).tolist(),
    }


def _truth(found: FollowUp, seed: int) -> dict[str, object]:
    people = zip(found.patients, found.log_odds.tolist(), found.probability.tolist(), found.fracture.tolist())
    return {
        "SYNTHETIC": "A made-up rule about computed patients: evidence of nothing.",
        "outcome": "fracture: a new one in the time after the scan (1) or none (0)",
        "rule": "log-odds = intercept + sum of coefficient x (value - center) / scale",
        "seed": seed,
        "event_share": found.event_share,
        "intercept": found.intercept,
        "terms": {name: asdict(term) for name, term in RULE.items()},
        "patients": {
            patient.subject: {
                "values": values_of(patient),
                "log_odds": log_odds,
                "probability": probability,
                "fracture": int(fracture),
            }
            for patient, log_odds, probability, fracture in people
        },
    }
