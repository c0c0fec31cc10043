"""The report: one self-contained HTML page that loads nothing and shows every caveat."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import UserError, import_optional
from ..image import Modality
from ..models.cutoffs import Assessment
from ..radiomics.conformance import COLUMNS, cells, recorded_conformance, summary
from ..resources import resource
from .figures import draw_figures
from .figures.charts import score_title
from .report_findings import GRADE_STATEMENT, alignment_table, at_a_glance
from .report_muscle import muscle_table
from .report_tables import DENSITY, HEIGHTS, feature_rows, level_table, signal_table

if TYPE_CHECKING:
    from ..analysis import Analysis

_PHASES = {"none": "without contrast medium"}  # "none" could be read as "not known"
_STUDY = ("outcome", "population", "source")
_FACTS = {  # what may be unknown: words that its caveat holds, and the consequence where there is no such caveat
    "Sex": ("patient's sex", "Nothing was assumed."),
    "Age": ("patient's age", "Nothing was assumed."),
    "Contrast phase of the CT": ("contrast phase", "Contrast medium raises attenuation values."),
    "Density calibration": ("density calibration", "There is no bone mineral density (vBMD)."),
}


def write_report(path: Path, analysis: "Analysis") -> None:
    """Write the report of one analysis.

    Parameters
    ----------
    path : Path
        Ends in ``.html``.
    analysis : Analysis

    Raises
    ------
    UserError
        When the file cannot be written, or matplotlib or jinja2 is missing.
    """
    html = render_report(analysis)
    try:
        path.write_text(html, "utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error


def render_report(analysis: "Analysis") -> str:
    """Return the report as HTML; everything from outside is escaped."""
    jinja2 = import_optional("jinja2", "Writing report.html")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resource("Report")), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("report.html.jinja").render(**_content(analysis))


def _content(analysis: "Analysis") -> dict[str, object]:
    patient = analysis.run.get("patient", {})
    facts, caveats = _facts(analysis, patient)
    table = analysis.measurements
    return {
        "version": __version__,
        "subject": analysis.subject,
        "synthetic": bool(patient.get("synthetic")),
        "facts": facts,
        "caveats": caveats,
        "glance": at_a_glance(analysis),
        "risks": [_risk(assessment) for assessment in analysis.assessments],
        "studies": _studies(analysis.assessments),
        "heights": level_table(table, analysis.levels, HEIGHTS),
        "density": level_table(table, analysis.levels, DENSITY),
        "graded": any(row.name == "genant_grade" for row in table),
        "grade_statement": GRADE_STATEMENT,
        "alignment": alignment_table(analysis),
        "muscle": muscle_table(table),
        "vbq": signal_table(table),
        "missing_regions": {str(region): why for region, why in analysis.regions.missing.items()},
        "features": feature_rows(analysis.features),
        "protocols": sorted({features.protocol_id for features in analysis.features.values()}),
        "conformance": _conformance() if analysis.features else None,
        "measurements": table,
        "provenance": analysis.run,
        "figures": {key: asdict(illustration) for key, illustration in draw_figures(analysis).items()},
    }


def _conformance() -> dict[str, object]:
    version, rows = recorded_conformance()
    return {"version": version, "columns": COLUMNS, "rows": [cells(row) for row in rows], "summary": summary(rows)}


def _facts(analysis: "Analysis", patient: Mapping[str, object]) -> tuple[list[dict[str, object]], list[str]]:
    """Return what is known of patient and images, what was not given with its consequence, and the other caveats."""
    known, caveats = _known_facts(analysis, patient), list(analysis.caveats)
    facts = []
    for name, text in known.items():
        consequence = "" if text else _consequence(name, caveats)
        facts.append({"name": name, "text": text or "not given", "given": bool(text), "consequence": consequence})
    for modality, volume in analysis.volumes.items():
        size = " × ".join(str(n) for n in volume.array.shape[::-1])
        spacing = " × ".join(f"{mm:.3g}" for mm in volume.spacing)
        field = volume.acquisition.get("MagneticFieldStrength")
        text = f"{size} voxels, {spacing} mm" + (f", {field} T" if field else "")
        facts.append({"name": str(modality), "text": text, "given": True, "consequence": ""})
    return facts, caveats


def _known_facts(analysis: "Analysis", patient: Mapping[str, object]) -> dict[str, str | None]:
    age, calibration = patient.get("age"), analysis.run.get("calibration")
    facts = {"Sex": patient.get("sex"), "Age": None if age is None else f"{age:g} years"}
    if Modality.CT in analysis.volumes or not analysis.volumes:
        phase = patient.get("phase")
        facts["Contrast phase of the CT"] = _PHASES.get(phase, phase)
        facts["Density calibration"] = _calibration_text(calibration)
    return facts


def _calibration_text(calibration: object) -> str | None:
    if not isinstance(calibration, Mapping):
        return str(calibration) if calibration else None
    return str(calibration.get("source") or calibration.get("method") or "given")


def _consequence(name: str, caveats: list[str]) -> str:
    """Return what follows from a fact that was not given; its caveat moves here, so that it is read once."""
    words, otherwise = _FACTS[name]
    found = [caveat for caveat in caveats if words in caveat.lower()]
    for caveat in found:
        caveats.remove(caveat)
    return " ".join(found) or otherwise


def _risk(assessment: Assessment) -> dict[str, str]:
    sides = {None: "not compared", True: "above the cut-off", False: "not above the cut-off"}
    return {
        "title": score_title(assessment.name),
        "value": assessment.written,
        "cutoff": f"{assessment.cutoff:g}",
        "side": sides[assessment.above],
        "sensitivity": f"{assessment.sensitivity:.1%}",
        "specificity": f"{assessment.specificity:.1%}",
        "auc": assessment.auc,
        "note": assessment.brief,
    }


def _studies(assessments: tuple[Assessment, ...]) -> list[dict[str, str]]:
    """Return each study that the cut-offs come from, once."""
    studies = dict.fromkeys(tuple(getattr(a, name) for name in _STUDY) for a in assessments)
    return [dict(zip(_STUDY, study)) for study in studies]
