"""A small finished study of synthetic patients for the tests of judging, figures and report: really trained, no runner.

`small_run` is cut down wherever that costs nothing of the shape: 120 patients, 40 features, forests of 40 trees.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from OVFRiskLib.image import Modality
from OVFRiskLib.study.cohort import Cohort, Split, folds, missing_report, split_by_chance, table_one
from OVFRiskLib.study.design.design import (
    CardFacts,
    Design,
    Group,
    JudgingPlan,
    SplitPlan,
    StepDesign,
    Table,
    TableKind,
    Validation,
    Variant,
    Way,
)
from OVFRiskLib.study.learners import LEARNERS, Phase
from OVFRiskLib.study.learners.intervals import odds_ratios
from OVFRiskLib.study.running.results import ModelResult, Resampled, StepRecord, StudyRun
from OVFRiskLib.study.seeds import seed_of
from OVFRiskLib.study.steps import make_step
from OVFRiskLib.study.synthetic import synthetic_cohort
from sklearn.base import clone
from sklearn.inspection import permutation_importance

OUTCOME = "malignant"
CLINICAL = ("age", "sex_male", "ca125", "cea", "alkaline_phosphatase", "posterior_involvement")
STEPS = (
    StepDesign("adaptive-scaling"),
    StepDesign("rank-sum", {"alpha": 0.2}),
    StepDesign("mrmr", {"count": 8}),
    StepDesign("lasso", {"folds": 3, "penalties": 15, "ratio": 0.05, "seed": 3}),
)
VALIDATED = "logistic"
SMALL_FORESTS = {"max_depth": [2, 4, 8], "n_estimators": [40], "min_samples_leaf": [1, 5, 10]}
QUICK = LEARNERS | {"random-forest": replace(LEARNERS["random-forest"], phases=(Phase("all", SMALL_FORESTS),))}


def design() -> Design:
    """Return the study's design, complete."""
    card = CardFacts(
        intended_use="To test the software.",
        not_for="Any patient.",
        population="Synthetic patients with a vertebral fracture.",
        modality=Modality.CT,
        licence="MIT",
        citation="none",
        below="benign more likely",
        above="malignant more likely",
    )
    return Design(
        schema=1,
        name="small-malignant-fracture",
        title="Small study of synthetic patients",
        question="Is a vertebral fracture malignant?",
        source="In the manner of Liu et al. 2026, much smaller.",
        outcome=OUTCOME,
        event="malignant",
        no_event="benign",
        seed=3,
        tables=(
            Table("clinical", ("clinical.csv",), TableKind.CLINICAL, units={"age": "a"}),
            Table("radiomics", ("radiomics.csv",), TableKind.WIDE),
        ),
        groups=(
            Group("clinical", "Clinical", CLINICAL, impute=True),
            Group("radiomics", "Radiomics", ("whole_*",), STEPS),
        ),
        variants=(
            Variant("clinical", "Clinical", ("clinical",), learners=("logistic", "logistic-unpenalised")),
            Variant(
                "combined", "Clinical and radiomics", ("clinical", "radiomics"), learners=("logistic", "random-forest")
            ),
        ),
        learners=("logistic", "logistic-unpenalised", "random-forest"),
        card=card,
        candidates=3,
        folds=3,
        split=SplitPlan(test=0.3),
        validation=Validation(
            folds=3,
            repeats=1,
            hold_outs=5,
            bootstraps=20,
            learners=(VALIDATED,),
            learning_curve=(0.5, 1.0),
            learning_repeats=2,
            ablation=2,
        ),
        judging=JudgingPlan(subgroups=("sex_male", "age", "centre"), replicates=100),
        synthetic=True,
    )


@cache
def cohort() -> Cohort:
    """Return the patients: 40 features, those that matter among them, and six without CEA."""
    made = synthetic_cohort("malignant-fracture", seed=3, patients=120, events=50)
    known = [name for name in made.features if name in made.truth.terms]
    features = known + [name for name in made.features[5::33] if name not in known]
    keep = ["synthetic", OUTCOME, "centre", "scanner", *CLINICAL, *features[:40]]
    table = made.cohort.table[keep].copy()
    gaps = list(table.index[::20])
    table.loc[gaps, "cea"] = np.nan
    absent = {(key, "cea"): "not measured" for key in gaps}
    return Cohort(table, {title: made.cohort.columns[title] for title in keep}, absent)


class Procedure:
    """What is fitted on the training rows: the median and the selection; `fitted` keeps it."""

    def __init__(self, variant: str, keys: tuple[str, ...]) -> None:
        table, y = cohort().table, cohort().table[OUTCOME]
        self.radiomics, rows = variant == "combined", pd.Index(keys)
        self.medians = table.loc[rows, list(CLINICAL)].median()
        self.steps, self.records = [], [_imputed(table.loc[rows], self.medians)]
        x = table.loc[rows].filter(like="whole_")
        for one in STEPS if self.radiomics else ():
            step = make_step(one.name, **one.set).set_output(transform="pandas").fit(x, y[rows])
            self.records.append(_record(one.name, step, x))
            self.steps.append(step)
            x = step.transform(x)

    def table(self, keys: Sequence[str]) -> pd.DataFrame:
        """Return the model's inputs."""
        rows = cohort().table.loc[list(keys)]
        clinical = rows[list(CLINICAL)].fillna(self.medians)
        if not self.radiomics:
            return clinical
        x = rows.filter(like="whole_")
        for step in self.steps:
            x = step.transform(x)
        return pd.concat([clinical, x], axis=1)


_procedure = cache(Procedure)


def fitted(way: Way, variant: str, keys: Sequence[str]) -> Procedure:
    """Return the procedure fitted on the patients `keys`; as published, on everybody whoever they are."""
    return _procedure(variant, tuple(keys if way is Way.LEAK_FREE else cohort().table.index))


def _imputed(rows: pd.DataFrame, medians: pd.Series) -> StepRecord:
    table = pd.DataFrame({"median": medians, "missing": rows[list(CLINICAL)].isna().sum()})
    return StepRecord("clinical", "impute", len(table), len(table), table.rename_axis("feature"))


def _record(name: str, step: object, x: pd.DataFrame) -> StepRecord:
    facts, curves = {}, {}
    if name == "lasso":
        path, choice = step.path_, step.choice_
        some = np.flatnonzero((path.coefficients != 0).any(axis=0))
        facts = {"lambda_min": step.lambda_min_, "lambda_1se": step.lambda_1se_, "lambda": step.lambda_}
        curves = {
            "penalties": path.penalties.tolist(),
            "coefficients": path.coefficients[:, some].tolist(),
            "names": list(x.columns[some]),
            "measure": choice.measure,
            "mean": choice.mean.tolist(),
            "se": choice.error.tolist(),
            "nonzero": (path.coefficients != 0).sum(axis=1).tolist(),
        }
    return StepRecord("radiomics", name, x.shape[1], step.transform(x).shape[1], step.table_, facts, curves)


def _y(keys: Sequence[str]) -> np.ndarray:
    return cohort().table.loc[list(keys), OUTCOME].to_numpy(int)


def _trained(
    way: Way, variant: str, estimator: object, keys: Sequence[str], without: Sequence[str] = ()
) -> Callable[[Sequence[str]], pd.Series]:
    """Fit steps and model on `keys`, and return what predicts other patients."""
    procedure = fitted(way, variant, keys)
    x = procedure.table(keys).drop(columns=list(without))
    predict = partial(_predicted, clone(estimator).fit(x, _y(keys)), procedure, x.columns)
    predict.inputs = x.shape[1]
    return predict


def _predicted(estimator: object, procedure: Procedure, columns: pd.Index, keys: Sequence[str]) -> pd.Series:
    x = procedure.table(keys)[columns]
    return pd.Series(estimator.predict_proba(x)[:, 1], x.index, name="probability")


def _model(way: Way, variant: str, learner: str, split: Split, cv: Sequence[Split]) -> tuple[ModelResult, object]:
    procedure, seed = fitted(way, variant, split.train), seed_of(3, way, variant, learner)
    x, y = procedure.table(split.train), _y(split.train)

    def prepare(x: pd.DataFrame, y: np.ndarray, other: pd.DataFrame) -> tuple:
        inner = fitted(way, variant, x.index)
        return inner.table(x.index), y, inner.table(other.index)

    parts = [one.positions(x.index) for one in cv]
    found = QUICK[learner].search(x, y, parts, candidates=3, seed=seed, prepare=prepare)
    out = [_trained(way, variant, found.estimator, one.train)(one.test) for one in cv]
    predict = partial(_predicted, found.estimator, procedure, x.columns)
    result = ModelResult(
        way=way,
        variant=variant,
        learner=learner,
        learner_title=LEARNERS[learner].title,
        parameters=found.parameters,
        search_score=found.score,
        candidates=found.candidates,
        steps=tuple(procedure.records),
        inputs=tuple(x.columns),
        importance=_importance(found.estimator, x, y, parts, seed),
        odds=odds_ratios(found.estimator, x, y) if learner == "logistic-unpenalised" else None,
        predictions={
            "training": predict(split.train),
            "cross-validation": pd.concat(out).loc[list(split.train)],
            "test": predict(split.test),
        },
        note="trained for tests: no bundle",
    )
    return result, found.estimator


def _importance(estimator: object, x: pd.DataFrame, y: np.ndarray, parts: Sequence[tuple], seed: int) -> pd.DataFrame:
    """Return the loss of AUROC in folds, with the final selection (the runner repeats it in each fold)."""
    lost = [
        permutation_importance(
            clone(estimator).fit(x.iloc[train], y[train]),
            x.iloc[test],
            y[test],
            scoring="roc_auc",
            n_repeats=2,
            random_state=seed,
        ).importances_mean
        for train, test in parts
    ]
    table = pd.DataFrame({"importance": np.mean(lost, axis=0), "sd": np.std(lost, axis=0, ddof=1)}, x.columns)
    return table.rename_axis("input").sort_values("importance", ascending=False, kind="stable")


def _resampled(model: ModelResult, estimator: object, split: Split) -> Iterator[Resampled]:
    frame, train = cohort().table, partial(_trained, model.way, model.variant, estimator)
    note = "with the parameters of the final model"
    found = {
        "nested cross-validation": [
            _rows(train(one.train)(one.test), repeat=1, fold=number)
            for number, one in enumerate(folds(frame, OUTCOME, 3, 5), start=1)
        ],
        "repeated hold-out": [
            _rows(train(one.train)(one.test), repeat=number)
            for number in range(1, 6)
            for one in [split_by_chance(frame, OUTCOME, 0.3, seed_of(3, "hold-out", number))]
        ],
        "bootstrap": list(_bootstrap(train)),
    }
    if model.way is Way.LEAK_FREE:
        found |= {"learning curve": list(_learning(train, split)), "ablation": list(_ablation(train, model, split))}
    for kind, rows in found.items():
        yield Resampled(model.way, model.variant, model.learner, kind, pd.concat(rows, ignore_index=True), note)


def _rows(probability: pd.Series, **columns: object) -> pd.DataFrame:
    rows = pd.DataFrame({"subject": list(probability.index), "probability": probability.to_numpy()})
    return rows.assign(**columns)


def _bootstrap(train: Callable) -> Iterator[pd.DataFrame]:
    """Yield rows by everybody's model (0), then by resamples that draw patients with and without the event apart."""
    everybody = cohort().table.index.to_numpy()
    yield _rows(train(everybody)(everybody), repeat=0, drawn=1)
    for repeat in range(1, 21):
        rng = np.random.default_rng(seed_of(3, "bootstrap", repeat))
        drawn = np.concatenate(
            [rng.choice(part, len(part)) for part in (everybody[_y(everybody) == n] for n in (0, 1))]
        )
        counts = pd.Series(drawn).value_counts().reindex(everybody, fill_value=0)
        yield _rows(train(drawn)(everybody), repeat=repeat, drawn=counts.to_numpy())


def _learning(train: Callable, split: Split) -> Iterator[pd.DataFrame]:
    frame = cohort().table.loc[list(split.train)]
    for share in (0.5, 1.0):
        for repeat in (1, 2):
            held = split_by_chance(frame, OUTCOME, 0.3, seed_of(3, "learning", repeat))
            keys = list(held.train)
            if share < 1:
                keys = list(split_by_chance(frame.loc[keys], OUTCOME, 1 - share, seed_of(3, share, repeat)).train)
            predict = train(keys)
            facts = {"share": share, "patients": len(keys), "events": int(_y(keys).sum()), "repeat": repeat}
            yield _rows(predict(held.test), **facts, inputs=predict.inputs)


def _ablation(train: Callable, model: ModelResult, split: Split) -> Iterator[pd.DataFrame]:
    top = list(model.importance.index[:2])
    radiomics = [name for name in model.inputs if name.startswith("whole_")]
    sets = {"": [], top[0]: top[:1], "the 2 most important inputs": top}
    sets |= {"all radiomics": radiomics, "all clinical": list(CLINICAL)} if radiomics else {}
    for text, gone in sets.items():
        yield _rows(train(split.train, gone)(split.test), left_out=text, number=len(gone))


@cache
def _trained_study() -> StudyRun:
    frame, plan = cohort().table, design()
    split = split_by_chance(frame, OUTCOME, plan.split.test, plan.seed)
    cv = folds(frame.loc[list(split.train)], OUTCOME, plan.folds, plan.seed)
    models, resampled = [], []
    for way in plan.ways:
        for variant in plan.variants:
            for learner in variant.learners:
                model, estimator = _model(way, variant.name, learner, split, cv)
                models.append(model)
                resampled += _resampled(model, estimator, split) if learner == VALIDATED else []
    shown = [OUTCOME, *CLINICAL]
    parts = frame[list(CLINICAL)].assign(part=np.where(frame.index.isin(split.test), "test", "training"))
    return StudyRun(
        design=plan,
        cohort=cohort(),
        outcome=frame[OUTCOME].astype(int),
        split=split,
        external=None,
        table_one=table_one(frame[shown], OUTCOME),
        table_split=table_one(parts, "part"),
        missing=missing_report(cohort(), OUTCOME),
        matching=None,
        balance=None,
        models=tuple(models),
        resampled=tuple(resampled),
        facts={
            "software": {"OVFRisk": "test"},
            "started": "2026-01-01T10:00:00",
            "finished": "2026-01-01T10:01:00",
            "seconds": {"models": 60.0},
            "files": {"clinical": "0" * 64, "radiomics": "1" * 64},
            "cores": 1,
            "memory_mb": 500.0,
            "external_uses": [],
        },
        folder=Path(),
        synthetic=True,
    )


def small_run(folder: Path) -> StudyRun:
    """Return the study, trained once a session, as if its result lay in `folder`."""
    return replace(_trained_study(), folder=folder)
