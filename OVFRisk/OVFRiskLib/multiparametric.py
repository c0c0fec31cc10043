"""The table of a multi-parametric fracture model: one row a patient, its columns picked from the measurements by name.

The model is that of Seng et al., J Imaging Inform Med 2026: trabecular attenuation of each lumbar level and of all that
are not fractured (the most relevant predictor, before the single levels), volume and attenuation of paraspinal muscle.
What is known of it here comes from a summary, which names the predictors and the performance (AUC 0.83, sensitivity 58
%, specificity 95 % for vertebral fracture; 1,209 examinations, 678 with a fracture) but gives no coefficients, no
scaling and no cut-off. So **no score is computed**: the table is what a model is trained on, or a published one will be
applied to.

The outcome (fractures seen on the same CT) stands in columns of its own, which begin with ``outcome_``: they are what
the model predicts, never what it predicts from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from .anatomy import Compartment, Structure, VertebralLevel
from .errors import UserError
from .files.tables import Cell, write_csv
from .measurement import Measurement, MeasurementTable

HU = "[hnsf'U]"  # UCUM
_LUMBAR = VertebralLevel.span("L1-L5")
_HELP = "Analyse all patients with the same settings."


class Role(StrEnum):
    """What a column is for."""

    PREDICTOR = "predictor"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Column:
    """One column, and the measurement that it holds.

    Parameters
    ----------
    title : str
        Of the column.
    name : str
        Of the measurement.
    level : VertebralLevel or None
    part : Compartment, Structure or None
    unit : str
        UCUM.
    meaning : str
    role : Role
    """

    title: str
    name: str
    level: VertebralLevel | None
    part: Compartment | Structure | None
    unit: str
    meaning: str
    role: Role = Role.PREDICTOR


def _muscle(muscle: Structure, title: str, words: str) -> tuple[Column, Column]:
    where = f"of {words}, both sides, from L1's upper to L5's lower end plate"
    return (
        Column(f"{title}_volume", "muscle_volume", None, muscle, "cm3", f"volume {where}"),
        Column(f"{title}_attenuation", "mean_attenuation", None, muscle, HU, f"mean attenuation {where}"),
    )


PREDICTORS: tuple[Column, ...] = (
    Column(
        "trabecular_attenuation_non_fractured",
        "trabecular_attenuation_non_fractured",
        None,
        Compartment.CANCELLOUS,
        HU,
        "mean trabecular attenuation of all lumbar vertebrae that are not fractured",
    ),
    *(
        Column(
            f"trabecular_attenuation_{level}",
            "trabecular_attenuation",
            level,
            Compartment.CANCELLOUS,
            HU,
            f"mean trabecular attenuation of {level}, fractured or not",
        )
        for level in _LUMBAR
    ),
    *_muscle(Structure.ERECTOR_SPINAE, "erector_spinae", "the erector spinae"),
    *_muscle(Structure.PSOAS, "psoas", "the psoas"),
    Column("age", "age", None, None, "a", "age at the examination, where given"),
    Column("sex_male", "sex_male", None, None, "1", "1 for men, 0 for women, where given"),
)
OUTCOMES: tuple[Column, ...] = (
    Column(
        "outcome_fractured_levels",
        "fractured_levels",
        None,
        None,
        "1",
        "number of vertebrae with a deformity of Genant grade 1 or more",
        Role.OUTCOME,
    ),
    Column(
        "outcome_worst_genant_grade",
        "worst_genant_grade",
        None,
        None,
        "1",
        "highest Genant grade of any vertebra",
        Role.OUTCOME,
    ),
)
COLUMNS = PREDICTORS + OUTCOMES


@dataclass(frozen=True)
class Person:
    """What is known of a patient besides the images; None where it was not given.

    Parameters
    ----------
    age : float or None
        Years.
    sex : str or None
        ``F`` or ``M``.
    """

    age: float | None = None
    sex: str | None = None

    def __post_init__(self) -> None:
        if self.sex not in (None, "F", "M"):
            raise UserError(f"The sex '{self.sex}' is unknown.", "Give F or M, or nothing.")

    def value(self, name: str) -> float | None:
        """Return the value of the column ``age`` or ``sex_male``."""
        if name == "age":
            return self.age
        return None if self.sex is None else float(self.sex == "M")


@dataclass(frozen=True)
class Patient:
    """One row.

    Parameters
    ----------
    subject : str
    values : mapping of str to float
        By column title; only what could be measured.
    missing : mapping of str to str
        By column title: why there is no value.
    notes : mapping of str to str
        By column title: what to keep in mind of a value.
    protocols : mapping of str to str
        By column title: the protocol of each value.
    """

    subject: str
    values: Mapping[str, float]
    missing: Mapping[str, str]
    notes: Mapping[str, str]
    protocols: Mapping[str, str]


@dataclass(frozen=True)
class MultiparametricTable:
    """The rows of all patients; every column has one protocol.

    Parameters
    ----------
    patients : tuple of Patient
    protocols : mapping of str to str
        By column title; columns that no patient has a value of are left out.
    """

    patients: tuple[Patient, ...]
    protocols: Mapping[str, str] = field(default_factory=dict)

    def columns(self) -> dict[str, list[Cell]]:
        """Return the table as columns: subject, predictors, outcomes, what is missing and what is flagged."""
        columns: dict[str, list[Cell]] = {"subject": [patient.subject for patient in self.patients]}
        columns |= {c.title: [patient.values.get(c.title) for patient in self.patients] for c in COLUMNS}
        columns["missing"] = [_listed(patient.missing) for patient in self.patients]
        columns["flagged"] = [_listed(patient.notes) for patient in self.patients]
        return columns

    def complete(self) -> tuple[Patient, ...]:
        """Return the patients with every measured predictor (age and sex may be unknown)."""
        needed = {c.title for c in PREDICTORS if c.title not in _PERSON}
        return tuple(patient for patient in self.patients if not needed & set(patient.missing))


_PERSON = ("age", "sex_male")


def multiparametric_table(table: MeasurementTable, people: Mapping[str, Person] | None = None) -> MultiparametricTable:
    """Assemble the predictors and outcomes of each patient by the names of the measurements.

    No score is computed: the model's coefficients are not published (see the module).

    Parameters
    ----------
    table : MeasurementTable
        Of one patient or of many.
    people : mapping of str to Person, optional
        Age and sex by subject. Rows called ``age`` (a) and ``sex_male`` serve where a person is not given.

    Returns
    -------
    MultiparametricTable
        One row a subject, in the order of their first measurements.

    Raises
    ------
    UserError
        When one value was measured by several protocols, in one patient or across patients.
    """
    rows: dict[str, dict[tuple, list[Measurement]]] = {}
    for row in table:
        rows.setdefault(row.subject, {}).setdefault((row.level, row.compartment, row.name), []).append(row)
    people = people or {}
    patients = tuple(_patient(subject, found, people.get(subject, Person())) for subject, found in rows.items())
    return MultiparametricTable(patients, _protocols(patients))


def write(path: Path, table: MultiparametricTable) -> None:
    """Write the table as CSV, a patient a row; an empty cell is listed with its reason under ``missing``.

    Raises
    ------
    UserError
        When the file cannot be written.
    """
    write_csv(path, table.columns())


def _patient(subject: str, found: Mapping[tuple, list[Measurement]], person: Person) -> Patient:
    values, missing, notes, protocols = {}, {}, {}, {}
    for column in COLUMNS:
        known = person.value(column.name) if column.title in _PERSON else None
        if known is not None:
            values[column.title] = known
            continue
        row = _one(subject, column, found.get((column.level, column.part, column.name), []))
        if row is None:
            missing[column.title] = "not given" if column.title in _PERSON else "not measured"
        elif row.value is None:
            missing[column.title] = row.note
        else:
            values[column.title], protocols[column.title] = row.value, row.protocol_id
            if row.note:
                notes[column.title] = row.note
    return Patient(subject, values, missing, notes, protocols)


def _one(subject: str, column: Column, rows: list[Measurement]) -> Measurement | None:
    if len(rows) > 1:
        raise UserError(f"{column.title} of {subject} was measured by {len(rows)} protocols.", _HELP)
    if rows and rows[0].unit != column.unit:
        raise ValueError(f"{column.title} is in {rows[0].unit}, not {column.unit}")
    return rows[0] if rows else None


def _protocols(patients: Iterable[Patient]) -> dict[str, str]:
    protocols: dict[str, str] = {}
    for patient in patients:
        for title, protocol in patient.protocols.items():
            if title in _PERSON:
                continue
            if protocols.setdefault(title, protocol) != protocol:
                raise UserError(f"{title} of {patient.subject} was measured by another protocol.", _HELP)
    return protocols


def _listed(texts: Mapping[str, str]) -> str:
    return "; ".join(f"{title}: {text}" for title, text in texts.items())
