"""How columns become inputs: what goes into each step of a group, and what comes out."""

from collections.abc import Mapping, Sequence

from ...files.figures.style import BLUE, INK, PALE, new_figure
from ..running.results import ModelResult, StepRecord
from .panels import WIDTH, plain
from .study_figure import Sketch

_TITLES = {"mrmr": "mRMR", "lasso": "LASSO", "combat": "ComBat", "univariate-logistic": "univariate regression"}
_TITLES |= {"multivariate-logistic": "multivariate regression", "reproducibility": "reproducibility filter"}
_TITLES |= {"rank-sum": "rank-sum filter", "correlation": "correlation filter"}


def selection(model: ModelResult, titles: Mapping[str, str], whose: str) -> Sketch | None:
    """Draw the columns after each step that selects, a panel a group; None where nothing is selected.

    Parameters
    ----------
    model : ModelResult
    titles : mapping of str to str
        Of groups by name.
    whose : str
        Title of the model.
    """
    groups: dict[str, list[StepRecord]] = {}
    for record in model.steps:
        if record.group and _selects(record):
            groups.setdefault(record.group, []).append(record)
    if not groups:
        return None
    sizes = [len(records) + 1 for records in groups.values()]
    figure = new_figure(WIDTH, sum(0.55 + 0.33 * size for size in sizes) + 0.3)
    axes = figure.subplots(len(groups), 1, squeeze=False, height_ratios=[0.6 + size for size in sizes]).ravel()
    for ax, (group, records) in zip(axes, groups.items()):
        ax.set_title(titles.get(group, group))
        _draw(ax, records)
    axes[-1].set_xlabel("columns")
    return Sketch("selection", f"Selection of the inputs of {whose}", *_words(model, groups, titles), figure)


def step_title(name: str) -> str:
    """Return what a step is called."""
    return _TITLES.get(name, name.replace("-", " "))


def _selects(record: StepRecord) -> bool:
    return record.columns_in != record.columns_out or "kept" in record.table


def _draw(ax, records: Sequence[StepRecord]) -> None:
    counts = [records[0].columns_in, *(record.columns_out for record in records)]
    before = [counts[0], *(record.columns_in for record in records)]
    places = range(len(counts))
    ax.barh(places, before, height=0.62, color=PALE, zorder=1)
    ax.barh(places, counts, height=0.62, color=BLUE, zorder=2)
    for y, (count, earlier) in enumerate(zip(counts, before)):
        ax.text(earlier, y, f"  {count:,}", va="center", ha="left", fontsize=8, weight="bold", color=INK)
    ax.set_yticks(places, ["all columns", *(f"after {step_title(record.step)}" for record in records)])
    ax.set(ylim=(len(counts) - 0.4, -0.6), xlim=(0, 1.1 * max(before)))
    plain(ax)
    ax.tick_params(axis="y", length=0)


def _words(
    model: ModelResult, groups: Mapping[str, Sequence[StepRecord]], titles: Mapping[str, str]
) -> tuple[str, str]:
    flows = [
        f"{titles.get(group, group)}: "
        + " → ".join(f"{n:,}" for n in (records[0].columns_in, *(record.columns_out for record in records)))
        for group, records in groups.items()
    ]
    others = sum(record.step in ("adasyn", "smote", "tomek-links") for record in model.steps)
    rows = " Steps that change patients, not columns, are not shown." if others else ""
    notes = [f" {one.facts['note']}." for records in groups.values() for one in records if one.facts.get("note")]
    end = f" Pale: what went into a step. The model takes {len(model.inputs):,} inputs.{rows}"
    caption = f"{'; '.join(flows)}.{''.join(notes)}{end}"
    return caption, f"Columns after each step. {'; '.join(flows)}."
