"""What rows of bone quality hang on, for the session's record."""

from ..anatomy import Compartment, Structure
from ..measurement import Measurement
from ..vbq.proposal import SEQUENCES
from ..vbq.regions import Regions
from .dependence import Name
from .record import Part, image_name, row_key
from .vbq_live import Measured, key_of

_SHADING = "_shading_percent"


def part_of(measured: Measured, regions: Regions | None) -> tuple[Part, dict[Name, str]]:
    """Return the record's part, and the fingerprints as they are now.

    They differ where a row is still of the regions as they lay before: how unevenly the coil lights the spine.
    Regions go by names of their own (``VBQ L1 body``): a segment on CT of the same body is something else.
    """
    table = measured.table
    images = {image_name(s): row.source.image for s in SEQUENCES for row in table.where(name=f"{s.lower()}{_SHADING}")}
    own = {f"VBQ {roi.region}": roi.hash for roi in regions or ()}
    now: dict[Name, str] = {**images, **own, **_shadings(measured, "now")}
    part = Part(table, {}, {**now, **_shadings(measured, "before")}, {row_key(row): _hangs(row, own) for row in table})
    return part, now


def _shadings(measured: Measured, stale: str) -> dict[Name, str]:
    """Return a fingerprint of what each sequence's shading was estimated from; `stale` where that has changed."""
    rows = (row for row in measured.table if row.name.endswith(_SHADING))
    return {f"VBQ {row.name}": stale if key_of(row) in measured.stale else "same" for row in rows}


def _hangs(row: Measurement, regions: dict[str, str]) -> tuple[Name, ...]:
    of = [image_name(s) for s in SEQUENCES if row.name.startswith(f"{s.lower()}_") or row.level is None]
    if row.name.endswith(_SHADING):
        return (*of, f"VBQ {row.name}")
    if row.level is None:
        return (*of, *regions)
    part = "csf" if row.compartment is Structure.CSF else Compartment.BODY
    return (*of, f"VBQ {row.level} {part}")
