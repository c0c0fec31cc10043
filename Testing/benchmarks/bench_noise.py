"""What selection before the split finds where there is nothing to find: cohorts of noise through the papers' designs.

Each cohort is drawn anew (`study.synthetic`, no signal) and its features go through a template's steps both ways: as
published (selection on all patients, then the split) and leak-free (split first). Nothing is searched: the selection
alone is looked at. Writes a table, a summary and a picture.

    python Testing/benchmarks/bench_noise.py build/bench --seeds 100 --jobs 2
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed
from OVFRiskLib.files.figures.style import BLUE, GREY, INK, VERMILLION, data_uri, new_figure, styled, write_picture
from OVFRiskLib.study.cohort import split_by_chance
from OVFRiskLib.study.design.design import Design, Way
from OVFRiskLib.study.design.reading import design_of
from OVFRiskLib.study.design.templates import template
from OVFRiskLib.study.judging.roc import auc
from OVFRiskLib.study.learners.search import one_thread
from OVFRiskLib.study.running.data import Patients
from OVFRiskLib.study.running.procedure import procedure_of
from OVFRiskLib.study.synthetic import synthetic_cohort

# Template: variant, learner, its settings, what the picture calls it.
DESIGNS = {
    "residual-back-pain": ("radiomics", "logistic", {"C": 1.0, "l1_ratio": 0.0}, "Rank-sum, mRMR (Ge's steps)"),
    "malignant-fracture": ("radiomics", "logistic-unpenalised", {}, "LASSO (Liu's steps)"),
    "fracture-risk": ("vertebral", "logistic-unpenalised", {}, "mRMR, LASSO (Che's steps)"),
}
_COLORS = {Way.AS_PUBLISHED: VERMILLION, Way.LEAK_FREE: BLUE}


def one(name: str, seed: int) -> list[dict]:
    """Return the test AUC of both ways in the noise cohort of a seed.

    `low` and `high` are None where the selection keeps nothing: everybody then has the same probability.
    """
    drawn = synthetic_cohort(name, seed, signal=False)
    design = replace(design_of(template(name), name), seed=seed)
    variant, learner, settings, _ = DESIGNS[name]
    patients, memory, found = _patients(design, drawn, variant), {}, []
    for way in (Way.AS_PUBLISHED, Way.LEAK_FREE):
        procedure = procedure_of(design, patients, way, variant, learner, memory)
        with one_thread():
            predicted = procedure.trained(patients.train, settings).predict(patients.test)
        area = auc(procedure.outcome(patients.test), predicted)
        known = {"auc": area.value, "low": area.low, "high": area.high, "n": area.n, "events": area.events}
        found.append({"design": name, "seed": seed, "way": str(way), **known})
    return found


def _patients(design: Design, drawn, variant: str) -> Patients:
    table, size = drawn.cohort.table, design.split.test
    groups = [design.group(name) for name in design.variant(variant).groups]
    prefixes = {group.name: tuple(pattern.partition("*")[0] for pattern in group.columns) for group in groups}
    return Patients(
        cohort=drawn.cohort,
        external=None,
        outcome=table[design.outcome].astype(int),
        split=split_by_chance(table, design.outcome, size if size < 1 else int(size), design.seed),
        matching=None,
        balance=None,
        columns={name: [t for t in drawn.features if t.startswith(starts)] for name, starts in prefixes.items()},
        repeats={group.name: list(drawn.repeats) for group in groups},
        levels=(),
        protocols=(),
        files={},
        synthetic=True,
    )


def summary_of(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return, by design and way: mean and SD of the AUC, how many intervals hold 0.5, how many models kept nothing."""
    return {
        f"{design}, {way}": {
            "cohorts": len(part),
            "mean": round(float(part["auc"].mean()), 4),
            "sd": round(float(part["auc"].std()), 4),
            "inside": int(part["inside"].sum()),
            "kept nothing": int(part["low"].isna().sum()),
        }
        for (design, way), part in rows.groupby(["design", "way"], sort=False)
    }


def draw(rows: pd.DataFrame, summary: dict):
    """Return the picture: each cohort's areas both ways with their intervals, each way sorted by itself."""
    designs = list(dict.fromkeys(rows["design"]))
    figure = new_figure(3.3 * len(designs), 3.5)
    for ax, name in zip(figure.subplots(1, len(designs), sharey=True, squeeze=False)[0], designs):
        for way, color in _COLORS.items():
            mine = rows[(rows["design"] == name) & (rows["way"] == way)].sort_values("auc").reset_index(drop=True)
            ax.vlines(mine.index, mine["low"].fillna(0.5), mine["high"].fillna(0.5), color=color, lw=1, alpha=0.35)
            marker = {Way.AS_PUBLISHED: "^", Way.LEAK_FREE: "o"}[way]
            known = summary[f"{name}, {way}"]
            label = f"{way}: mean {known['mean']:.2f}; 0.5 inside {known['inside']} of {len(mine)}"
            ax.plot(mine.index, mine["auc"], marker, color=color, ms=2.6, label=label)
        ax.axhline(0.5, color=GREY, lw=0.9, ls="--")
        ax.set_title(DESIGNS[name][3])
        ax.set_xlabel(f"cohorts of pure noise, sorted ({mine['n'][0]} test patients)")
        ax.legend(loc="lower right", frameon=False, fontsize=7, labelcolor=INK, handletextpad=0.2)
        ax.set_ylim(0.15, 1.0)
    figure.axes[0].set_ylabel("Test AUC, 95 % CI (DeLong)")
    return figure


def main() -> None:
    """Run the experiment and write what it finds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--designs", nargs="+", default=list(DESIGNS), choices=list(DESIGNS))
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--picture", type=Path, help="Where else to write the picture.")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    calls = [delayed(one)(name, seed) for name in options.designs for seed in range(1, options.seeds + 1)]
    rows = pd.DataFrame([row for pair in Parallel(n_jobs=options.jobs)(calls) for row in pair])
    rows["inside"] = rows["low"].isna() | ((rows["low"] <= 0.5) & (rows["high"] >= 0.5))
    summary = summary_of(rows)
    rows.to_csv(options.out / "noise.csv", index=False)
    (options.out / "noise.json").write_text(json.dumps(summary, indent=1) + "\n")
    with styled():
        uri = data_uri(draw(rows, summary), "png")
    for path in filter(None, (options.out / "noise.png", options.picture)):
        write_picture(path, uri)
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
