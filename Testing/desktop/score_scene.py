"""A tiny CT with a box a level, a record measured from it, and edits of the boxes: what Score and Export work on."""

from collections.abc import Callable, Iterable

import numpy as np
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.measurement import Measurement, MeasurementTable

CANCELLOUS = Compartment.CANCELLOUS
LEVELS = VertebralLevel.span("L1-L4")
HU = "[hnsf'U]"
_GRID = np.diag([2.0, 2.0, 2.0, 1.0])


def add_boxes(session) -> None:
    """Choose a CT and a segmentation of four boxes."""
    from OVFRiskLib.mrml import add_segmentation, add_volume

    array = np.zeros((20, 6, 6), np.uint8)
    for n in range(4):
        array[5 * n + 1 : 5 * n + 4, 1:5, 1:5] = n + 1
    ct = Volume(np.zeros(array.shape, np.int16), _GRID, modality=Modality.CT)
    labels = LabelMap(array, _GRID, {n + 1: Region(CANCELLOUS, level) for n, level in enumerate(LEVELS)})
    chosen = session.parameters
    chosen.ct = add_volume(session.scene, ct)
    chosen.segmentation = add_segmentation(session.scene, labels, chosen.ct)


def measure(session, rows: Iterable[Measurement], features=None) -> None:
    """Make these rows the record, measured from the segmentation as it is now."""
    from OVFRiskLib.panels.fingerprints import Watch
    from OVFRiskLib.panels.record import CT, Part, Record

    watch = Watch(session)
    session.record = Record({CT: Part(MeasurementTable(rows), features or {}, watch.fingerprints())})
    watch.close()
    session.tell("measurements")


def hu(level: str, value: float, note: str = "") -> Measurement:
    """Return a level's trabecular attenuation."""
    return Measurement("P-1", VertebralLevel(level), CANCELLOUS, "trabecular_attenuation", value, HU, "ct-1", note=note)


def density(value: float, name: str = "vbmd_non_fractured") -> Measurement:
    """Return the patient's bone mineral density."""
    return Measurement("P-1", None, CANCELLOUS, name, value, "mg/cm3", "ct-1")


def edit(session, level: VertebralLevel) -> Callable[[], None]:
    """Take a corner off a level's first segment, as the Segment Editor's eraser would; return what undoes it."""
    from OVFRiskLib.scene.segmentation_edits import layer_array

    segmentation = session.parameters.segmentation.GetSegmentation()
    segments = map(segmentation.GetSegment, segmentation.GetSegmentIDs())
    parts = {f"{level}", *(f"{level} {part}" for part in Compartment)}
    segment = next(one for one in segments if one.GetName() in parts)
    layer = segment.GetRepresentation("Binary labelmap")
    array, _matrix = layer_array(layer)
    kept = array.copy()
    array[tuple(np.argwhere(array == segment.GetLabelValue())[0])] = 0
    layer.Modified()

    def undo() -> None:
        array[:] = kept
        layer.Modified()

    return undo
