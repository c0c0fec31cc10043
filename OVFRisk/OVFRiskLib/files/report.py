"""The report: one self-contained HTML page that loads nothing and shows every caveat."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import UserError, import_optional
from ..image import Modality
from ..models.card import ModelCard
from ..models.scoring import Scored, figure, numbered_remarks, rates
from ..radiomics.conformance import COLUMNS, cells, recorded_conformance, summary
from ..resources import resource
from .figures import draw_figures
from .report_findings import GRADE_STATEMENT, alignment_table, at_a_glance
from .report_muscle import muscle_table
from .report_tables import DENSITY, HEIGHTS, feature_rows, level_table, signal_table
from .score_table import main_contributions

if TYPE_CHECKING:
    from ..analysis import Analysis

_PHASES = {"none": "without contrast medium"}  # "none" could be read as "not known"
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
        "scores": [_score(scored) for scored in analysis.scores],
        "score_remarks": numbered_remarks(analysis.scores),
        "models": list({scored.model.id: _model(scored.model.card) for scored in analysis.scores}.values()),
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


def _score(scored: Scored) -> dict[str, str]:
    found, card = scored.prediction, scored.model.card
    return {
        "title": scored.title,
        "value": scored.written,
        "side": scored.class_text or "no class",
        "thresholds": [
            f"{one.name} {one.value:g}" + (f": {rates(one)}" if rates(one) else "") for one in card.thresholds
        ],
        "reasons": main_contributions(found.contributions, found.contribution_scale),
    }


def _model(card: ModelCard) -> dict[str, object]:
    """Return what a reader has to know of a model to read its results."""
    return {
        "title": card.title,
        "name": f"{card.name} {card.version}",
        "facts": {
            "For": card.intended_use,
            "Not for": card.not_for,
            "Outcome": card.outcome,
            "Population": card.population.text,
            "Performance": "; ".join(map(figure, card.performance)),
            "Validation": card.validation,
            "Source": card.citation,
        },
        "synthetic": card.synthetic,
    }
