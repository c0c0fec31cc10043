"""The findings a reader looks for first, in words: fractures, density, curves, muscle, scores."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..anatomy import Compartment, Structure, VertebralLevel
from ..measurement import Measurement
from ..models.card import Output
from ..models.scoring import Scored, brief
from .figures.charts import score_title
from .report_values import ABSENT, NOT_PART, LevelGrade, Lookup, level_grades, named, number

if TYPE_CHECKING:
    from ..analysis import Analysis

_SCORES = ("vbq_t1", "vbq_t2", "vbq_stir", "vbq_t2_stir")
_CANCELLOUS = Compartment.CANCELLOUS
_LUMBAR = VertebralLevel.span("L1-L5")
GRADE_STATEMENT = "A grade of deformity from the mask, not a diagnosis"
_GRADE_METHOD = (
    f"{GRADE_STATEMENT}: the largest loss of height, within the body or against its neighbours; 20, 25 and 40 % begin "
    "grades 1, 2 and 3 (Genant, J Bone Miner Res 1993;8:1137). Old, congenital and "
    "degenerative deformities look the same. The spinal deformity index sums the grades of the levels seen here; the "
    "published one sums T4 to L4 (Osteoporos Int 2009;20:1547)."
)
_DENSITY = "vbmd_non_fractured"
_ALIGNMENT = (
    ("lordosis_l1_l5", "Lordosis L1–L5", "between the upper end plate of L1 and the lower one of L5, sagittal"),
    ("lordosis_l1_s1", "Lordosis L1–S1", "between the upper end plates of L1 and S1, sagittal"),
    ("kyphosis_t11_l2", "Kyphosis T11–L2", "between the upper end plate of T11 and the lower one of L2, sagittal"),
    ("scoliosis_cobb_angle", "Cobb angle", "largest angle between the end plates of any two measured levels, coronal"),
)
Row = dict[str, str]


def at_a_glance(analysis: "Analysis") -> list[Row]:
    """Return the few results that a reader looks for first: name, text, remarks, and how they were found."""
    lookup = Lookup(analysis.measurements)
    rows = _ct_rows(analysis, lookup) if analysis.levels else []
    scores = [row for name in _SCORES if (row := lookup.row(None, None, name))]
    return rows + ([_score_row(scores, _published(analysis), lookup)] if scores else [])


def _published(analysis: "Analysis") -> dict[str, Scored]:
    """Return the published cut-offs of single measurements, by the measurement's name."""
    found = (scored for scored in analysis.scores if scored.model.card.output is Output.VALUE)
    return {scored.model.card.inputs[0].name: scored for scored in found}


def _ct_rows(analysis: "Analysis", lookup: Lookup) -> list[Row]:
    usable = [quality.level for quality in analysis.levels if quality.usable]
    grades = level_grades(lookup, [quality.level for quality in analysis.levels])
    rows = [
        _fracture_row(lookup, grades),
        _attenuation_row(lookup, usable),
        _density_row(lookup, usable, analysis),
        _row(
            "Lowest height ratios", _lowest_ratios(lookup, usable), "", "A body that is low all over keeps its ratios."
        ),
        _muscle_row(lookup),
        _row("Levels measured on CT", _measured(usable, analysis.levels)),
    ]
    return [row for row in rows if row]


def _row(name: str, text: str, remarks: str = "", method: str = "") -> Row:
    return {"name": name, "text": text, "remarks": remarks, "method": method}


def _measured(usable: Sequence[VertebralLevel], levels: Sequence) -> str:
    off = [str(quality.level) for quality in levels if not quality.usable]
    text = ", ".join(usable) or "none"
    return f"{text}. Not measured: {', '.join(off)}" if off else text


def _fracture_row(lookup: Lookup, grades: Mapping[VertebralLevel, LevelGrade]) -> Row:
    graded = [grade for grade in grades.values() if grade.grade is not None]
    if not graded:
        reason = lookup.reason(None, None, "fractured_levels") if grades else NOT_PART
        return _row("Vertebral fractures", f"not graded: {reason}")
    ungraded = [str(grade.level) for grade in grades.values() if grade.grade is None]
    deformed = [grade for grade in graded if grade.fractured]
    listed = [f"{grade.level}: {grade}" for grade in graded if grade.fractured or grade.borderline]
    remarks = "; ".join(listed) + (". " if listed else "")
    remarks += f"Graded: {', '.join(grade.level for grade in graded)}."
    remarks += f" Not graded: {', '.join(ungraded)}." if ungraded else ""
    return _row("Vertebral fractures", _fracture_text(lookup, graded, deformed), remarks, _GRADE_METHOD)


def _fracture_text(lookup: Lookup, graded: Sequence[LevelGrade], deformed: Sequence[LevelGrade]) -> str:
    if not deformed:
        return f"no graded level is deformed ({len(graded)} graded)"
    index = lookup.value(None, None, "spinal_deformity_index")
    worst = max(grade.grade for grade in deformed)
    text = f"{len(deformed)} of {len(graded)} graded levels deformed, worst grade {worst}"
    return text if index is None else f"{text}, spinal deformity index {index:.0f}"


def _attenuation_row(lookup: Lookup, usable: Sequence[VertebralLevel]) -> Row:
    title = "Attenuation of non-fractured levels"
    row = lookup.row(None, _CANCELLOUS, "trabecular_attenuation_non_fractured")
    if row is None or row.value is None:
        values = _values(lookup, usable, _CANCELLOUS, "trabecular_attenuation")
        remarks = f"No mean of the non-fractured levels: {row.note}." if row else ""
        return _row("Trabecular attenuation", named(values, ".0f", "HU"), remarks)
    return _row(title, f"{number(row.value, '.0f')} HU", _sentence(row.note))


def _density_row(lookup: Lookup, usable: Sequence[VertebralLevel], analysis: "Analysis") -> Row | None:
    """Return density and class; nothing where no calibration was given (the header says so)."""
    row, scored = lookup.row(None, _CANCELLOUS, _DENSITY), _published(analysis).get(_DENSITY)
    values = _values(lookup, usable, _CANCELLOUS, "vbmd")
    if not analysis.run.get("calibration") and not values and not (row and row.value is not None):
        return None
    if row and row.value is not None:
        error = lookup.value(None, _CANCELLOUS, f"{_DENSITY}_error")
        unknown = "" if error is not None else " How far off it may be is not known: a class near a bound is uncertain."
        method = f"Mean of the lumbar levels. {_classes(scored)}" if scored else "Mean of the lumbar levels."
        text = f"{number(row.value, '.0f')}{f' ± {error:.1f}' if error else ''} mg/cm³{_class_of(scored)}"
        return _row("Bone mineral density (vBMD)", text, _sentence(row.note) + unknown, method)
    reason = row.note if row else f"the mean of the non-fractured levels is {NOT_PART}"
    if not values:
        reasons = dict.fromkeys(lookup.reason(level, _CANCELLOUS, "vbmd") for level in usable)
        return _row("Bone mineral density (vBMD)", ABSENT, _sentence("; ".join(reasons)))
    return _row("Bone mineral density (vBMD)", named(values, ".0f", "mg/cm³"), f"No class: {reason}.")


def _class_of(scored: Scored | None) -> str:
    if scored is None:
        return ""
    reason = scored.prediction.reason
    return f": no class ({reason})" if reason else f": {scored.class_text}"


def _classes(scored: Scored) -> str:
    card = scored.model.card
    return f"Classes: {card.validation}; for {card.population.text} ({card.citation})."


def _lowest_ratios(lookup: Lookup, levels: Sequence[VertebralLevel]) -> str:
    found = []
    for name, title in (
        ("anterior_posterior_ratio", "Ha/Hp"),
        ("middle_posterior_ratio", "Hm/Hp"),
        ("posterior_neighbour_ratio", "Hp/expected"),
    ):
        values = _values(lookup, levels, Compartment.BODY, name)
        if values:
            level = min(values, key=values.__getitem__)
            found.append(f"{title} {values[level]:.2f} at {level}")
    return ", ".join(found) or ABSENT


def _muscle_row(lookup: Lookup) -> Row | None:
    found = []
    for part, title in ((Structure.ERECTOR_SPINAE, "Erector spinae"), (Structure.PSOAS, "Psoas")):
        hu, fat = (lookup.value(None, part, name) for name in ("mean_attenuation", "fat_infiltrated_fraction"))
        if hu is not None and fat is not None:
            found.append(f"{title} {number(hu, '.0f')} HU, {100 * fat:.0f} % fat")
    return _row("Paraspinal muscle, L1–L5", "; ".join(found)) if found else None


def _score_row(scores: Sequence[Measurement], published: Mapping[str, Scored], lookup: Lookup) -> Row:
    texts = [_score_text(score, published.get(score.name), lookup) for score in scores]
    said = (published[score.name].remarks if score.name in published else brief((score.note,)) for score in scores)
    notes = dict.fromkeys(text for notes in said for text in notes)
    return _row("Vertebral bone quality on MRI", "; ".join(texts), " ".join(map(_sentence, notes)))


def _score_text(score: Measurement, published: Scored | None, lookup: Lookup) -> str:
    spread = lookup.value(None, None, f"{score.name}_uncertainty")
    text = f"{score_title(score.name)} {number(score.value, '.3f')}{'' if spread is None else f' ± {spread:.3f}'}"
    if published is None or published.prediction.value is None:
        return text
    return f"{text} ({published.class_text} of {published.model.card.thresholds[0].value:g})"


def alignment_table(analysis: "Analysis") -> list[dict[str, str]]:
    """Return the angles of the spine with how they are measured; only those that the analysis has rows of."""
    lookup = Lookup(analysis.measurements)
    rows = [(lookup.row(None, None, name), title, method) for name, title, method in _ALIGNMENT]
    return [
        {
            "title": title,
            "value": number(row.value, ".0f") + ("" if row.value is None else "°"),
            "method": method,
            "note": row.note,
        }
        for row, title, method in rows
        if row
    ]


def _values(
    lookup: Lookup, levels: Iterable[VertebralLevel], part: Compartment, name: str
) -> dict[VertebralLevel, float]:
    found = {level: lookup.value(level, part, name) for level in levels}
    return {level: value for level, value in found.items() if value is not None}


def _sentence(text: str) -> str:
    """Return notes as a sentence."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
