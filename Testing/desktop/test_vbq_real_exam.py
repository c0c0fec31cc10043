"""The panel VBQ on a real exam: proposed by the job, dragged, saved and opened again."""

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from OVFRiskLib.anatomy import VertebralLevel  # noqa: E402
from OVFRiskLib.files.read_images import read_volume  # noqa: E402
from OVFRiskLib.files.read_labels import read_labels  # noqa: E402
from OVFRiskLib.image import Modality  # noqa: E402
from OVFRiskLib.mrml import add_segmentation, add_volume  # noqa: E402
from OVFRiskLib.panels.parameters import BodiesChoice  # noqa: E402
from OVFRiskLib.panels.vbq import Vbq  # noqa: E402
from OVFRiskLib.panels.vbq_tables import scores_view  # noqa: E402
from OVFRiskLib.panels.view import RowState  # noqa: E402
from OVFRiskLib.scene import regions as curves  # noqa: E402
from OVFRiskLib.vbq import measure_vbq, propose_regions  # noqa: E402


@pytest.fixture
def exam(shared_data, session):
    """`mr_pair_t1_t2` in the scene, with its bodies as a segmentation."""
    folder, chosen = shared_data / "mr_pair_t1_t2", session.parameters
    for sequence in (Modality.T1, Modality.T2):
        volume = read_volume(folder / f"{sequence.lower()}.nii.gz", sequence)
        setattr(chosen, sequence.lower(), add_volume(session.scene, volume))
    labels = read_labels(folder / "t1_bodies.nii.gz", "verse")
    chosen.vbq_segmentation = add_segmentation(session.scene, labels, chosen.t1)
    chosen.vbq_bodies, chosen.subject = BodiesChoice.SEGMENTATION, "P-1"
    return session, labels


def test_t1_t2_pair_from_segmentation_to_a_dragged_region(exam, run_job):
    session, labels = exam
    panel = Vbq(session)
    panel.propose()
    run_job(session)
    assert 2.7 <= panel.table.value(name="vbq_t1") <= 3.2  # by hand, see ../shared/data/README.md
    assert 0.39 <= panel.table.value(name="vbq_t2") <= 0.45
    own = propose_regions(panel.volumes, labels)
    assert [roi.region for roi in panel.regions] == [roi.region for roi in own]
    rows = {row.key: row for row in scores_view(panel).rows}
    assert rows["vbq_stir"].state is rows["vbq_t2_stir"].state is RowState.ABSENT
    assert "STIR" in rows["vbq_stir"].tip
    node = curves.region_node(panel.head, "L2 body")
    for n in range(node.GetNumberOfControlPoints()):
        node.SetNthControlPointPositionWorld(n, *np.add(node.GetNthControlPointPositionWorld(n), (0.7, 5.0, -1.0)))
    panel.follow()
    fresh = measure_vbq(panel.volumes, panel.regions, subject="P-1")
    stale = {"t1_shading_percent", "t2_shading_percent"}
    assert {name for _, _, name in panel.measured.stale} == stale
    for row in fresh:
        if row.name not in stale:
            assert panel.table.value(level=row.level, compartment=row.compartment, name=row.name) == row.value
    panel.settle()
    assert panel.table.rows == fresh.rows
    moved = panel.regions.bodies[VertebralLevel.L2]
    assert moved.plane == next(roi.plane for roi in own if roi.region == moved.region)  # never leaves its plane
