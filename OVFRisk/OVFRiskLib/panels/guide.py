"""Whose spine this is, and what to do next: the line above the tabs."""

from collections.abc import Iterator

from ..image import Modality
from .record import CT
from .session import Session
from .words import _

_MR = (Modality.T1, Modality.T2, Modality.STIR)


def heading(session: Session) -> str:
    """Return the patient's code with what is known: ``P-01 · female · 71 years``."""
    chosen = session.parameters
    known = [chosen.subject or _("no subject code yet")]
    if chosen.sex.value:
        known.append(chosen.sex.label())
    if chosen.age > 0:
        known.append(_("{age} years").format(age=f"{chosen.age:g}"))
    if chosen.synthetic:
        known.append(_("SYNTHETIC"))
    return " · ".join(known)


def next_step(session: Session) -> str:
    """Return what the user would do next."""
    return next(text for applies, text in _steps(session) if applies)


def _steps(session: Session) -> Iterator[tuple[bool, str]]:
    """Yield whether a step is the next one, if none before it is, and what it says."""
    chosen, record = session.parameters, session.record
    stale = ", ".join(record.stale_levels) if record else ""
    no_image = chosen.ct is None and all(session.node(modality) is None for modality in _MR)
    yield session.job is not None, _("Wait, or cancel: the scene stays as it is until the work has finished.")
    yield no_image, _("Choose a CT or MR images in the tab Images, or open the sample patient.")
    yield not chosen.subject, _("Give a subject code in the tab Images: never the patient's name.")
    yield chosen.ct is None, _("Propose the regions in the tab VBQ.")
    yield chosen.segmentation is None, _("Find the vertebrae in the tab Segmentation.")
    yield record is None or CT not in record.parts, _("Check the levels, then measure in the tab CT.")
    yield bool(stale), _("{levels} edited: update the measurements in the tab CT.").format(levels=stale)
    yield True, _("Score and export in the tab Score.")
