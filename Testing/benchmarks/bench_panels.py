"""How fast the panels follow an edit: ``python Testing/benchmarks/bench_panels.py [section …]``.

Sections: ``stale`` (an edit in a segmentation of 512 x 512 x 300 voxels marks rows stale), ``update`` (one edited
level is measured again, beside a full analysis) and ``vbq`` (a region is dragged); the last two need
``../shared/data``.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
PARTS = (Compartment.CORTICAL, Compartment.CANCELLOUS, Compartment.POSTERIOR)


def section_stale() -> None:
    """Milliseconds from an event to the keys of the stale rows."""
    import slicer
    from OVFRiskLib.image import LabelMap, Modality, Volume
    from OVFRiskLib.measurement import Measurement, MeasurementTable
    from OVFRiskLib.mrml import add_segmentation, add_volume
    from OVFRiskLib.panels.fingerprints import Watch
    from OVFRiskLib.panels.parameter_node import parameter_node
    from OVFRiskLib.panels.record import CT, Part, Record
    from OVFRiskLib.panels.session import Session
    from OVFRiskLib.scene.segmentation_edits import layer_array

    scene = slicer.vtkMRMLScene()
    session = Session(scene, parameter_node(scene))
    levels = VertebralLevel.span("T6-L5")
    array, labels = np.zeros((300, 512, 512), np.uint8), {}
    for n, level in enumerate(levels):
        for m, part in enumerate(PARTS):
            value = 1 + 3 * n + m
            labels[value] = Region(part, level)
            array[275 - 22 * n : 293 - 22 * n, 230 + 20 * m : 250 + 20 * m, 220:270] = value
    matrix = np.diag([0.8, 0.8, 1.0, 1.0])
    session.parameters.ct = add_volume(scene, Volume(np.zeros(array.shape, np.int16), matrix, modality=Modality.CT))
    node = session.parameters.segmentation = add_segmentation(
        scene, LabelMap(array, matrix, labels), session.parameters.ct
    )
    watch = Watch(session)
    rows = [Measurement("p", v, Compartment.BODY, f"value_{n}", 1.0, "1", "x-1") for v in levels for n in range(60)]
    started = perf_counter()
    session.record = Record({CT: Part(MeasurementTable(rows), {}, watch.fingerprints())})
    print(f"fingerprints of {len(labels)} segments and the CT at measuring: {1000 * (perf_counter() - started):.0f} ms")
    layer = node.GetSegmentation().GetNthSegment(0).GetRepresentation("Binary labelmap")
    voxels, _ = layer_array(layer)
    times = []
    for n in range(5):
        voxels[280:290, 230 + n, 230:240] = 0
        layer.Modified()
        started = perf_counter()
        stale = watch.flush()
        times.append(1000 * (perf_counter() - started))
    print(f"one edit of one level, {len(stale)} of {len(rows)} rows stale: {_list(times)} ms")
    logic, times = slicer.vtkSlicerSegmentationsModuleLogic, []
    for n in range(3):
        own = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(node.GetSegmentation().GetNthSegmentID(4), own)
        layer_array(own)[0][:, :, -3 - n] = 0
        name = node.GetSegmentation().GetNthSegmentID(4)
        logic.SetBinaryLabelmapToSegment(own, node, name, logic.MODE_REPLACE, own.GetExtent())
        started = perf_counter()
        watch.flush()
        times.append(1000 * (perf_counter() - started))
    print(f"edits through the module's logic (the first cuts the layer to its content): {_list(times)} ms")
    session.close()


def section_update() -> None:
    """Seconds of a full analysis, of its tables alone, and of an update of L3."""
    from OVFRiskLib.files.read_labels import read_labels
    from OVFRiskLib.files.segmentation_file import write_segmentation

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _job("phantom", folder / "phantom", "--seed", "1")
        abdomen = SHARED / "ct_abdomen_3mm"
        cases = {
            "phantom 1 mm": (folder / "phantom" / "ct.nii.gz", folder / "phantom" / "labels.nii.gz", "ovfrisk"),
            "abdomen 3 mm": (abdomen / "ct.nii.gz", abdomen / "totalsegmentator_labels.nii.gz", "totalsegmentator"),
        }
        for name, (ct, labels, scheme) in cases.items():
            if not ct.is_file():
                print(f"{name}: no data")
                continue
            edited = folder / "edited.seg.nrrd"
            write_segmentation(edited, without_corner(read_labels(labels, scheme)))
            for protocol in ("ct-original", "malignant-fracture"):
                how = ("--ct", ct, "--scheme", scheme, "--protocol", protocol, "--overwrite")
                out = folder / "earlier"
                full = _job("analyze", out, "--labels", labels, *how)
                tables = _job("analyze", out, "--labels", labels, *how, "--tables-only")
                again = ("--update", out, "--edited", "L3", "--tables-only")
                update = _job("analyze", folder / "updated", "--labels", edited, *how, *again)
                print(f"{name}, {protocol}: full {full:.1f} s, tables only {tables:.1f} s, update of L3 {update:.1f} s")
                _differences(out, folder / "updated")


def section_vbq() -> None:
    """Milliseconds from a dragged region to the tables in the whole module's widgets, and of what follows release."""
    from OVFRiskLib.files.read_images import read_volume
    from OVFRiskLib.files.read_labels import read_labels
    from OVFRiskLib.image import Modality
    from OVFRiskLib.vbq import propose_regions

    folder = SHARED / "mr_pair_t1_t2"
    if not folder.is_dir():
        print("mr_pair_t1_t2: no data")
        return
    pair = {s: read_volume(folder / f"{s.lower()}.nii.gz", s) for s in (Modality.T1, Modality.T2)}
    regions = propose_regions(pair, read_labels(folder / "t1_bodies.nii.gz", "verse"))
    plane = regions.bodies[VertebralLevel.L3].plane
    large = {s: _sagittal(pair.get(s, pair[Modality.T2]), s, plane.origin) for s in (*pair, Modality.STIR)}
    for name, volumes in (("mr_pair_t1_t2", pair), ("T1, T2, STIR of 512 x 512 x 20", large)):
        _drag(name, volumes, regions)


def _sagittal(volume, sequence, middle):
    """Return an exam's image as 20 noisy sagittal slices of 4 mm about its regions, 512 x 512 pixels of 0.69 mm."""
    from OVFRiskLib.image import Volume
    from OVFRiskLib.vbq.sampling import nearest

    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[0, 0, 4], [-0.69, 0, 0], [0, -0.69, 0]])
    centre = volume.to_ras((np.array(volume.array.shape[::-1]) - 1) / 2)
    matrix[:3, 3] = np.array([middle[0], *centre[1:]]) - matrix[:3, :3] @ (255.5, 255.5, 10)
    ras = np.moveaxis(np.indices((20, 512, 512))[::-1], 0, -1) @ matrix[:3, :3].T + matrix[:3, 3]
    values = 4 * np.nan_to_num(nearest(volume, ras))
    noise = np.random.default_rng(1).normal(0, 5, values.shape)
    return Volume((values + noise).astype(np.int16), matrix, sequence)


def _drag(name, volumes, regions) -> None:
    import os

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "standins" / "desktop"))
    import slicer
    import slicer_app

    slicer_app.install()
    from OVFRiskLib.desktop.widget import Shell
    from OVFRiskLib.mrml import add_volume
    from OVFRiskLib.panels.parameter_node import parameter_node
    from OVFRiskLib.scene import regions as curves

    slicer.mrmlScene.Clear(False)
    slicer_app.reset()
    shell = Shell(parameter_node(slicer.mrmlScene).parameterNode)
    session, (panel,) = shell.session, [panel for panel in shell.panels if panel.name == "VBQ"]
    for sequence, volume in volumes.items():
        setattr(session.parameters, sequence.lower(), add_volume(session.scene, volume))
    panel.vbq.show(regions, {})
    rng, times = np.random.default_rng(0), []
    nodes = curves.region_nodes(panel.vbq.head)
    for n in range(30):
        node, shift = nodes[n % len(nodes)], (0, *rng.normal(0, 1, 2))
        points = [
            np.add(node.GetNthControlPointPositionWorld(m), shift) for m in range(node.GetNumberOfControlPoints())
        ]
        started = perf_counter()
        with slicer.util.NodeModify(node):
            for m, point in enumerate(points):
                node.SetNthControlPointPositionWorld(m, *point)
        panel.on_follow()
        times.append(1000 * (perf_counter() - started))
    started = perf_counter()
    panel.vbq.settle()
    settled = 1000 * (perf_counter() - started)
    print(
        f"{name}: a drag {np.median(times):.0f} ms (median of 30), at most {max(times):.0f}; release {settled:.0f} ms"
    )
    shell.cleanup()


def _differences(before: Path, after: Path) -> None:
    """Print what an edit of L3 moved on other levels: their frames follow from all levels together."""
    import json

    from OVFRiskLib.files.tables import read_measurements

    tables = [read_measurements(folder / "measurements.csv") for folder in (before, after)]
    values = [{(r.level, r.compartment, r.name): r for r in table} for table in tables]
    moved = {
        key: (row.value, values[1][key].value)
        for key, row in values[0].items()
        if key[0] not in (None, VertebralLevel.L3)
        and row.value is not None
        and values[1][key].value is not None
        and row.value != values[1][key].value
    }
    heights = [abs(a - b) for key, (a, b) in moved.items() if key[2].endswith("height")]
    hu = [
        abs(a - b) for key, (a, b) in moved.items() if "attenuation" in key[2] and key[2] != "trabecular_attenuation_sd"
    ]
    run = json.loads((after / "run.json").read_text())
    print(
        f"  other levels: {len(moved)} of {len(values[0])} rows moved; heights by at most {max(heights, default=0):.3f}"
        f" mm, attenuation by {max(hu, default=0):.3f} HU; {len(run['features_taken'])} of {len(run['regions'])}"
        " regions' features taken over"
    )


def without_corner(labels):
    """Return the labels with a corner of L3 taken away."""
    array = labels.array.copy()
    own = [value for value, region in labels.labels.items() if region.level is VertebralLevel.L3]
    k, j, i = np.nonzero(np.isin(array, own))
    corner = (k > np.percentile(k, 80)) & (i > np.percentile(i, 60))
    array[k[corner], j[corner], i[corner]] = 0
    return replace(labels, array=array)


def _job(*arguments: object) -> float:
    """Return the seconds that a job takes, from start to its last event."""
    from OVFRiskLib.jobs import Job, Kind

    started, job = perf_counter(), Job([*map(str, arguments)])
    job.start()
    while True:
        for event in job.poll():
            if event.kind is Kind.FAILED:
                raise RuntimeError(event.fields)
            if event.kind is Kind.FINISHED:
                return perf_counter() - started


def _list(times: list[float]) -> str:
    return ", ".join(f"{time:.0f}" for time in times)


SECTIONS: dict[str, Callable[[], None]] = {"stale": section_stale, "update": section_update, "vbq": section_vbq}

if __name__ == "__main__":
    for title in sys.argv[1:] or SECTIONS:
        print(f"== {title}")
        SECTIONS[title]()
