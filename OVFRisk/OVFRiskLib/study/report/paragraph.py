"""Methods and results of a study, ready for a manuscript: only what this run did, with its numbers."""

from dataclasses import dataclass

from ..judgement.judged import Judgement
from ..running.results import StudyRun
from . import findings, methods, methods_judging

NO_EVIDENCE = (
    "All patients of this study are SYNTHETIC, drawn by a known rule: nothing in this text is evidence of anything."
)


@dataclass(frozen=True)
class Passage:
    """A heading with its paragraphs."""

    title: str
    paragraphs: tuple[str, ...]


def passages(run: StudyRun, judgement: Judgement) -> tuple[Passage, ...]:
    """Return methods and results.

    Parameters
    ----------
    run : StudyRun
    judgement : Judgement

    Returns
    -------
    tuple of Passage
        Of a synthetic study the first sentence says that it is no evidence.
    """
    made = (("Methods", _methods(run, judgement)), ("Results", _results(run, judgement)))
    found = [Passage(title, tuple(text for text in texts if text)) for title, texts in made]
    if run.synthetic:
        found[0] = Passage(found[0].title, (f"{NO_EVIDENCE} {found[0].paragraphs[0]}", *found[0].paragraphs[1:]))
    return tuple(found)


def methods_and_results(run: StudyRun, judgement: Judgement) -> str:
    """Return methods and results as Markdown."""
    parts = [f"# {_inline(run.design.title)}"]
    for passage in passages(run, judgement):
        parts += [f"## {passage.title}", *map(_inline, passage.paragraphs)]
    return "\n\n".join(parts) + "\n"


def _methods(run: StudyRun, judgement: Judgement) -> tuple[str, ...]:
    return (
        _joined(methods.objective(run), methods.tables(run), methods.left_out(run)),
        methods.matching(run),
        _joined(methods.missing(run), methods.split(run), methods.external(run)),
        _joined(methods.predictors(run), methods.protocols(run), methods.steps(run), methods.order(run)),
        _joined(
            methods.sampling(run),
            methods.learners(run),
            methods.variants(run),
            methods.tuning(run),
            methods.recalibration(run),
        ),
        _joined(methods_judging.choice(judgement), methods.validation(run)),
        _joined(
            methods_judging.evaluation(run, judgement),
            methods_judging.output(judgement),
            methods_judging.uncertainty(run),
            methods_judging.comparison(judgement),
            methods_judging.subgroups(run),
        ),
        methods.software(run),
    )


def _results(run: StudyRun, judgement: Judgement) -> tuple[str, ...]:
    return (
        _joined(findings.patients(run), findings.matched(run), findings.trained(run)),
        findings.selection(run, judgement),
        _joined(findings.performance(judgement), findings.elsewhere(judgement)),
        _joined(findings.compared(judgement), findings.reclassified(run, judgement)),
        findings.optimism(judgement),
        _joined(findings.validated(judgement), findings.subgroups(judgement)),
        findings.limits(run, judgement),
    )


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _inline(text: str) -> str:
    """Return a text that Markdown shows as it is: no line breaks, no mark-up of its own."""
    flat = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\`*_<>[]#|" else sign for sign in flat)
