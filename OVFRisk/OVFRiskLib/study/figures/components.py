"""Principal components: how much the features of a group say the same."""

from ...files.figures.style import BLUE, VERMILLION, new_figure
from ..running.results import StepRecord
from .panels import SINGLE, plain
from .study_figure import Sketch

_MOST = 20


def components(record: StepRecord, place: int, whose: str) -> Sketch | None:
    """Draw the variance that each component explains, and the sum; None where the step keeps no table.

    Parameters
    ----------
    record : StepRecord
        Of the step ``components``.
    place : int
        Which of the model's it is, 1 for the first.
    whose : str
        Which columns it had, in words.
    """
    if record.table.empty:
        return None
    shown = record.table.head(_MOST)
    figure = new_figure(SINGLE, 3.2)
    ax = figure.subplots()
    places = list(range(1, len(shown) + 1))
    ax.bar(places, 100 * shown["explained"], color=BLUE, width=0.7, label="each", zorder=2)
    style = {"color": VERMILLION, "marker": "o", "markersize": 3.5, "linewidth": 1.2, "zorder": 3}
    ax.plot(places, 100 * shown["cumulative"], label="together", **style)
    ax.set(xlabel="principal component", ylabel="variance explained, %", ylim=(0, 102), xlim=(0.2, len(shown) + 0.8))
    ax.xaxis.get_major_locator().set_params(integer=True)
    plain(ax)
    ax.legend(frameon=False, fontsize=7.5, loc="upper left" if shown["cumulative"].iloc[-1] < 0.8 else "center right")
    first, three = 100 * record.table["explained"].iloc[0], 100 * record.table["cumulative"].iloc[:3].iloc[-1]
    caption = (
        f"Principal components of the {record.columns_in:,} columns ({whose}) at this step, training patients: "
        f"the first explains {first:.1f} % of the variance, the first {min(3, len(record.table))} {three:.1f} %."
    )
    return Sketch(f"components_{place}", f"Principal components: {whose}", caption, caption, figure)
