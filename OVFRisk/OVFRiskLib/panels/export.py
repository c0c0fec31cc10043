"""Export: everything that was measured and scored, into a new folder, in the formats that the user ticks."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..errors import UserError
from ..files.patient_export import Format, Written, packages_missing, quiet, write_patient_export
from .export_content import content_of
from .score import ScorePanel
from .session import Session
from .view import MessageKind
from .words import _

_LATER = "dicom-seg", "dicom-sr"
Report = Callable[[float, str], None]


@dataclass(frozen=True)
class Choice:
    """A format to tick.

    Parameters
    ----------
    key : str
    title : str
    chosen : bool
    reason : str
        Why it is not available; empty where it is.
    packages : tuple of str
        What would have to be installed first.
    """

    key: str
    title: str
    chosen: bool
    reason: str = ""
    packages: tuple[str, ...] = ()

    @property
    def available(self) -> bool:
        """Whether it can be written now."""
        return not self.reason


class ExportPanel:
    """What the part Export of the panel Score shows and does.

    Parameters
    ----------
    session : Session
    score : ScorePanel
    """

    def __init__(self, session: Session, score: ScorePanel) -> None:
        self._session = session
        self._score = score

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every format, those that do not exist yet among them with the reason."""
        titles = {
            Format.CSV: _("Tables as CSV"),
            Format.XLSX: _("Tables as Excel workbook"),
            Format.PARQUET: _("Tables as Parquet"),
            Format.HTML: _("Report (HTML page)"),
            Format.SEG: _("Segmentation (.seg.nrrd)"),
        }
        later = _("comes with a later version; choose the segmentation as .seg.nrrd and the tables")
        return (
            *(self._choice(one, title) for one, title in titles.items()),
            Choice(_LATER[0], _("DICOM Segmentation"), False, later),
            Choice(_LATER[1], _("DICOM Structured Report"), False, later),
        )

    def choose(self, key: str, wanted: bool) -> None:
        """Tick a format, or do not."""
        chosen = [one.key for one in self.choices if (wanted if one.key == key else one.chosen)]
        self._session.parameters.export_formats = ",".join(chosen)

    def target(self, now: datetime) -> Path:
        """Return the folder that an export at a moment would make.

        Raises
        ------
        UserError
            When no folder is chosen.
        """
        parent = self._session.parameters.export_folder
        if not parent:
            raise UserError(_("No folder is chosen for the export."), _("Choose a folder beside the button Export."))
        subject = re.sub(r"[^\w.-]+", "_", self._session.parameters.subject).strip("._") or "patient"
        return Path(parent).expanduser().absolute() / f"OVFRisk-{subject}-{now:%Y%m%d-%H%M%S}"

    def export(self, now: datetime, report: Report = quiet) -> Written:
        """Write what was measured and scored into a new folder, all or nothing, and say what was written.

        Parameters
        ----------
        now : datetime
            Names the folder.
        report : callable
            Called with the share done (0 to 1) and what is being done.

        Raises
        ------
        UserError
            When there is nothing to export, nothing is ticked, no folder is chosen or it cannot be written.
        """
        folder = self.target(now)
        self._score.settle()
        ticked = {Format(one.key): one.reason for one in self.choices if one.chosen}
        if not ticked:
            raise UserError(_("No format is ticked."), _("Tick at least one format beside the button Export."))
        report(0.0, _("Gathering what was measured"))
        available = [one for one, reason in ticked.items() if not reason]
        content = content_of(self._session, self._score.scored(), available)
        absent = {**content.export.absent, **{one: reason for one, reason in ticked.items() if reason}}
        export = replace(content.export, absent=absent)
        written = write_patient_export(folder, export, tuple(ticked), lambda s, what: report(0.3 + 0.7 * s, what))
        self._say(written, content.stale)
        return written

    def _choice(self, one: Format, title: str) -> Choice:
        missing = packages_missing(one)
        reason = _("needs the package {names}").format(names=", ".join(missing)) if missing else ""
        chosen = one in self._session.parameters.export_formats.split(",")
        return Choice(str(one), title, chosen, reason, missing)

    def _say(self, written: Written, stale: int) -> None:
        lost = sum(one.scored is None for one in self._score.results)
        what = [_("Written to {folder}: {files}.").format(folder=written.folder, files=", ".join(written.files))]
        what += [_("Left out: {what}.").format(what=text.rstrip(".")) for text in written.left_out]
        what += [_("Left out: {n} scores of the saved scene that do not hold any more.").format(n=lost)] if lost else []
        if stale:
            what.append(_("{n} values are out of date; each is marked so.").format(n=stale))
        todo = _("Update the measurements, score and export again for current values.") if stale else ""
        kind = MessageKind.WARNING if stale or lost or written.left_out else MessageKind.INFO
        self._session.say(" ".join(what), todo, kind)
