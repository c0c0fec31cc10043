"""A study's figures: of the leak-free way, and of what the published order adds to it."""

from .draw import draw_figures
from .study_figure import StudyFigure, write_figures

__all__ = ["StudyFigure", "draw_figures", "write_figures"]
