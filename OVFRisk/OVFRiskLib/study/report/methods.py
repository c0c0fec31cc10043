"""What was done, in the past tense: one function a subject, each gives sentences or nothing where nothing was done."""

from collections import Counter
from collections.abc import Iterable

from ...anatomy import VertebralLevel
from ..cohort.columns import titles_like
from ..design.design import Design, Group, How, StepDesign, TableKind, Way
from ..learners import LEARNERS
from ..running.results import StudyRun
from .step_words import step_words
from .words import Nameless, capital, counted, joined, plain, share

_KINDS = {
    TableKind.CLINICAL: "clinical data",
    TableKind.WIDE: "features",
    TableKind.PATIENTS: "measurements and features by OVFRisk",
    TableKind.MULTIPARAMETRIC: "multi-parametric measurements by OVFRisk",
}


def objective(run: StudyRun) -> str:
    """Return the question and the outcome."""
    design = run.design
    return (
        f"The question was: {design.question} The outcome was '{design.event}' (event) against '{design.no_event}' "
        f"(column '{design.outcome}')."
    )


def tables(run: StudyRun) -> str:
    """Return which tables were joined, and whose design the study follows."""
    found = joined(f"'{table.name}' ({_KINDS[table.kind]}{_levels(table.levels)})" for table in run.design.tables)
    source = f" Source of the design: {run.design.source.rstrip('.')}." if run.design.source else ""
    return f"The tables {found} were joined by the patients' keys.{source}"


def _levels(levels: tuple[VertebralLevel, ...]) -> str:
    return f" of {joined(levels)}" if levels else ""


def left_out(run: StudyRun) -> str:
    """Return how many patients did not take part, by reason."""
    reasons = Counter(map(Nameless(run), run.cohort.left_out.values()))
    if not reasons:
        return "No patient of the tables was left out."
    listed = "; ".join(f"{why} ({n})" for why, n in sorted(reasons.items(), key=lambda one: (-one[1], one[0])))
    return f"{counted(sum(reasons.values()), 'patient')} of the tables did not take part: {listed}."


def matching(run: StudyRun) -> str:
    """Return how controls were matched."""
    if run.matching is None:
        return ""
    plan = run.matching.design
    caliper = "without a caliper" if plan.caliper is None else f"with a caliper of {plan.caliper:g} standard deviations"
    exact = f", exactly on {joined(plan.exact)}" if plan.exact else ""
    order = {"largest": "of the highest score first", "smallest": "of the lowest score first"}
    return (
        f"Controls were matched 1:{plan.ratio} to patients with the event by the nearest propensity score (logistic "
        f"regression on {joined(plan.covariates)}; {plan.scale} scale), {'with' if plan.replace else 'without'} "
        f"replacement, {caliper}{exact}, cases {order.get(plan.order, 'in random order')}."
    )


def missing(run: StudyRun) -> str:
    """Return how much is missing, and what was done about it."""
    gaps = run.missing.columns[run.missing.columns["missing"] > 0]
    complete = share(run.missing.complete, len(run.cohort))
    found = (
        f"{counted(len(gaps), 'column')} of {len(run.missing.columns):,} had missing values; {complete} patients had "
        "every value."
    )
    if gaps.empty:
        return f"No value was missing in the {counted(len(run.missing.columns), 'column')} of the study."
    imputed = [group.title for group in run.design.groups if group.impute]
    others = [group.title for group in run.design.groups if not group.impute]
    if imputed:
        found += f" The training patients' median stood for missing values of {joined(imputed)}."
    if others:
        found += f" Patients who lacked a value of {joined(others)} did not take part."
    return found


def split(run: StudyRun) -> str:
    """Return who trained and who tested, by number."""
    if run.split is None:
        return "No patients were set aside as a test set: all trained, and were judged by resampling."
    how = {How.CHANCE: "by chance", How.DATE: "by date", How.CENTRE: "by centre"}.get(run.design.split.how, "")
    seed = f", seed {run.split.seed}" if run.split.seed is not None else ""
    events = (run.outcome.loc[list(keys)].sum() for keys in (run.split.train, run.split.test))
    train, test = (
        f"{counted(len(keys), 'patient')}, {n} with the event"
        for keys, n in zip((run.split.train, run.split.test), events)
    )
    return f"Patients were split {how} ({run.split.how}{seed}) into training ({train}) and test ({test})."


def external(run: StudyRun) -> str:
    """Return the external set."""
    if run.external is None:
        return ""
    keys = run.external.table.index
    events = int(run.outcome.loc[keys].sum())
    uses = run.facts.get("external_uses") or []
    used = f" It was used for: {'; '.join(map(str, uses))}." if uses else ""
    return f"The external set had {counted(len(keys), 'patient')}, {events} with the event.{used}"


def columns_of(run: StudyRun, group: Group) -> list[str]:
    """Return the titles of a group's columns."""
    return titles_like(run.cohort, group.columns, run.design.outcome)


def predictors(run: StudyRun) -> str:
    """Return the candidates by group."""
    found = []
    for group in run.design.groups:
        titles = columns_of(run, group)
        names = f": {joined(titles)}" if len(titles) <= 12 else ""
        found.append(f"{group.title} ({counted(len(titles), 'column')}{names})")
    return f"Candidate predictors were {joined(found)}."


def protocols(run: StudyRun) -> str:
    """Return by which protocols the features were extracted."""
    counts = Counter(column.protocol_id for column in run.cohort.columns.values() if column.protocol_id)
    if not counts:
        return ""
    found = joined(f"{name} ({counted(n, 'column')})" for name, n in sorted(counts.items()))
    return f"The columns name the protocols by which they were extracted: {found}."


def steps(run: StudyRun) -> str:
    """Return the steps of each group in their order."""
    return " ".join(f"{group.title}: {_clauses(group.steps)}." for group in run.design.groups if group.steps)


def steps_called(run: StudyRun, *names: str) -> str:
    """Return the steps of these names only, of all groups."""
    found = ((group.title, [step for step in group.steps if step.name in names]) for group in run.design.groups)
    return " ".join(f"{title}: {_clauses(chosen)}." for title, chosen in found if chosen)


def _clauses(chosen: Iterable[StepDesign]) -> str:
    return "; then ".join(map(step_words, chosen))


def sampling(run: StudyRun) -> str:
    """Return what was done about unequal groups."""
    if not run.design.sampling:
        return "The numbers of training patients with and without the event were left as they were."
    return f"In the training patients only, {'; then '.join(map(step_words, run.design.sampling))}."


def order(run: StudyRun) -> str:
    """Return in which order steps and folds came, each way."""
    found = []
    if Way.LEAK_FREE in run.design.ways:
        found.append(
            "Leak-free: every step that learns from data was fitted on the training patients only, and anew in each "
            "fold of every cross-validation."
        )
    if Way.AS_PUBLISHED in run.design.ways:
        sampled = ", and resampling of the training patients came before the folds" if run.design.sampling else ""
        found.append(
            f"As published: the steps saw all patients before the split{sampled}, as in the publications; this order "
            "is shown for its optimism, not for use."
        )
    return " ".join(found)


def variants(run: StudyRun) -> str:
    """Return which models got which groups."""
    design = run.design
    found = [
        f"{variant.title} ({joined(design.group(name).title for name in variant.groups)})"
        for variant in design.variants
    ]
    borrowed = [
        f" {one.title} took the parameters that {design.variant(one.parameters_of).title} had found."
        for one in design.variants
        if one.parameters_of
    ]
    return f"The models got these inputs: {'; '.join(found)}.{''.join(borrowed)}"


def learners(run: StudyRun) -> str:
    """Return the kinds of models."""
    titles = [LEARNERS[name].title for name in run.design.learners]
    return f"{'The kind' if len(titles) == 1 else 'The kinds'} of model: {joined(titles)}."


def tuning(run: StudyRun) -> str:
    """Return how the models' parameters were found."""
    design = run.design
    searched, fixed = (
        [LEARNERS[name].title for name in design.learners if LEARNERS[name].is_searched is wanted]
        for wanted in (True, False)
    )
    found = []
    if searched:
        found.append(
            f"Parameters of {joined(searched)} were found by a randomized search of {design.candidates} candidates, by "
            f"the mean AUC over {design.folds} folds of the training patients (stratified, the same for all models)."
        )
    if fixed:
        found.append(f"{joined(fixed)}: maximum likelihood, nothing was searched.")
    return " ".join(found)


def recalibration(run: StudyRun) -> str:
    """Return how the probabilities were put right."""
    if not run.design.recalibrate or Way.LEAK_FREE not in run.design.ways:
        return ""
    return (
        "The probabilities of the leak-free models were recalibrated by a logistic regression of the outcome on their "
        "logit, fitted where folds of the training patients predicted each other."
    )


def validation(run: StudyRun) -> str:
    """Return what was done besides the test set."""
    kinds = {one.kind for one in run.resampled}
    plan, found = run.design.validation, []
    names = plan.learners or run.design.learners
    searched = any(LEARNERS[name].is_searched for name in names)
    again = ", with the parameters of the final model" if searched else ""
    if "nested cross-validation" in kinds:
        inner = f", a search of {plan.candidates} candidates in each outer fold" if plan.candidates else again
        inner = inner if searched else ""
        found.append(
            f"nested cross-validation ({counted(plan.folds, 'fold')}, {counted(plan.repeats, 'repeat')}{inner})"
        )
    if "repeated hold-out" in kinds:
        found.append(f"{counted(plan.hold_outs, 'repeated random split')}")
    if "bootstrap" in kinds:
        found.append(f"{counted(plan.bootstraps, 'bootstrap resample')}{again}")
    if "learning curve" in kinds:
        shares = joined(f"{100 * one:g} %" for one in plan.learning_curve)
        found.append(f"a learning curve at {shares} of the training patients ({plan.learning_repeats} repeats)")
    if "ablation" in kinds:
        found.append("leaving out the most important inputs one after the other")
    whose = joined(LEARNERS[name].title for name in plan.learners) or "every model"
    return f"The whole procedure of {whose} was repeated by {joined(found)}." if found else ""


def software(run: StudyRun) -> str:
    """Return packages with their versions, and the seed."""
    packages = run.facts.get("software")
    named = joined(f"{name} {version}" for name, version in packages.items()) if packages else "not recorded"
    return f"Software: {named}. The seed of the study was {run.design.seed}."


def card(design: Design) -> str:
    """Return what the models are for."""
    facts = design.card
    return f"For: {plain(facts.intended_use)} Not for: {plain(facts.not_for)} Population: {capital(facts.population)}"
