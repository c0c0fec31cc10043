"""What the user of the panel VBQ would do next, and what is known of images and regions, in words."""

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..errors import UserError
from ..vbq.proposal import LEVELS
from .parameters import BodiesChoice
from .vbq import Vbq
from .vbq_regions import SEQUENCES, on_other_images, volumes_of, why_not
from .words import _


def next_step(vbq: Vbq) -> str:
    """Return what the user would do next."""
    chosen = vbq.session.parameters
    if vbq.session.job:
        return _("{title} …").format(title=vbq.session.job.title)
    if not any(vbq.session.node(sequence) for sequence in SEQUENCES):
        return _("Choose T1, T2 or STIR on panel 1 Images first.")
    if vbq.regions is None:
        lacking = why_not(vbq.session)
        if lacking and chosen.vbq_bodies is BodiesChoice.CLICKS:
            return _("Click into the uppermost and the lowest body, then press Propose regions.")
        return lacking.what_to_do if lacking else _("Press Propose regions.")
    if vbq.measured.stale:
        return _("Rows with ⟳ follow as soon as you let go of the region.")
    return _("Select each region in the table and look whether it lies in healthy marrow; drag it where it does not.")


def images_line(vbq: Vbq) -> str:
    """Return which images are measured, and whether the regions were drawn on them."""
    names = [f"{s}: {node.GetName()}" for s in SEQUENCES if (node := vbq.session.node(s)) is not None]
    if not names:
        return _("none (panel 1 Images)")
    said = [", ".join(names)]
    if vbq.regions is not None and vbq.drawn_on:
        try:
            said.append(on_other_images(volumes_of(vbq.session), vbq.drawn_on))
        except UserError as error:
            said.append(error.what)
    return "\n".join(filter(None, said))


def motions_line(vbq: Vbq) -> str:
    """Return on which sequences the patient lies elsewhere than where the regions are drawn; empty where on none."""
    moved = [str(s) for s, motion in (vbq.regions.motions if vbq.regions else {}).items() if motion.matters]
    if not moved:
        return ""
    text = _("The patient moved before {names}: the curves show where the regions lie on the other images.")
    return text.format(names=", ".join(moved))


def graded_on_ct(vbq: Vbq) -> tuple[VertebralLevel, ...]:
    """Return the levels with a fracture of grade 1 or more on CT, as far as it was measured."""
    record = vbq.session.record
    rows = record.table.where(name="genant_grade") if record else ()
    return tuple(row.level for row in rows if row.value is not None and row.value >= 1)


def undrawn(vbq: Vbq) -> tuple[Region, ...]:
    """Return the regions that are not there and can be drawn, from head to foot, the CSF last."""
    if vbq.regions is None:
        return ()
    bodies = [Region(Compartment.BODY, level) for level in LEVELS if level not in vbq.regions.bodies]
    csf = [] if vbq.regions.csf else [Region(Structure.CSF, _csf_level(vbq))]
    return (*bodies, *csf)


def _csf_level(vbq: Vbq) -> VertebralLevel:
    text = vbq.session.parameters.vbq_csf_level
    return VertebralLevel(text) if text else VertebralLevel.L3
