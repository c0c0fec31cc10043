"""Scores of real exams, and regions that were looked at."""

import numpy as np
import pytest
from OVFRiskLib.anatomy import Structure, VertebralLevel
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import Modality
from OVFRiskLib.measurement import Quality
from OVFRiskLib.vbq import Regions, measure_vbq, propose_regions

T1, T2, STIR = Modality.T1, Modality.T2, Modality.STIR


@pytest.fixture(scope="module")
def read(shared_data):
    def exam(folder, bodies, **files):
        volumes = {
            Modality[name.upper()]: read_volume(shared_data / folder / file, Modality[name.upper()])
            for name, file in files.items()
        }
        return volumes, read_labels(shared_data / folder / bodies, "verse")

    return exam


@pytest.fixture(scope="module")
def pair(read):
    return read("mr_pair_t1_t2", "t1_bodies.nii.gz", t1="t1.nii.gz", t2="t2.nii.gz")


def test_t1_t2_pair_agrees_with_the_hand_check(pair):
    volumes, labels = pair
    table = measure_vbq(volumes, propose_regions(volumes, labels))
    assert 2.7 <= table.value(name="vbq_t1") <= 3.2
    assert 0.39 <= table.value(name="vbq_t2") <= 0.45
    for name in ("vbq_t1", "vbq_t2"):
        (row,) = table.where(name=name).rows
        assert row.quality is Quality.FLAGGED
        assert "field strength unknown" in row.note  # NIfTI does not tell it
        assert table.value(name=f"{name}_uncertainty") < 0.1 * row.value  # a wide sac


@pytest.mark.parametrize("alone", [T1, T2])
def test_one_sequence_alone_gives_nearly_the_same(pair, alone):
    volumes, labels = pair
    name = f"vbq_{alone.lower()}"
    both = measure_vbq(volumes, propose_regions(volumes, labels)).value(name=name)
    single = {alone: volumes[alone]}
    assert measure_vbq(single, propose_regions(single, labels)).value(name=name) == pytest.approx(both, rel=0.05)


def test_label_map_of_the_other_sequence_gives_nearly_the_same(pair, read):
    volumes, labels = pair
    _, others = read("mr_pair_t1_t2", "t2_bodies.nii.gz", t1="t1.nii.gz")
    first, second = (measure_vbq(volumes, propose_regions(volumes, bodies)) for bodies in (labels, others))
    for name in ("vbq_t1", "vbq_t2"):
        assert first.value(name=name) == pytest.approx(second.value(name=name), rel=0.05)


def test_t1_stir_pair(read):
    volumes, labels = read("mr_pair_t1_stir", "t1_bodies.nii.gz", t1="t1.nii.gz", stir="stir.nii.gz")
    regions = propose_regions(volumes, labels)
    table = measure_vbq(volumes, regions)
    assert 1.4 <= table.value(name="vbq_t1") <= 2.0
    assert 0.38 <= table.value(name="vbq_stir") <= 0.50
    assert "scoliosis" in regions.bodies[VertebralLevel.L5].note
    assert 0.1 < table.value(name="vbq_stir_uncertainty") / table.value(name="vbq_stir") < 0.4  # a narrow sac
    assert "more than readers may differ" in table.where(name="vbq_stir").rows[0].note


def test_t2_alone(read):
    volumes, labels = read("mr_lumbar_t2_bodies", "t2_bodies.nii.gz", t2="t2.nii.gz")
    table = measure_vbq(volumes, propose_regions(volumes, labels))
    assert 0.49 <= table.value(name="vbq_t2") <= 0.56
    csf = table.where(compartment=Structure.CSF)
    cv = csf.value(name="t2_signal_intensity_sd") / csf.value(name="t2_signal_intensity")
    assert cv < 0.1  # neither roots nor fat


def test_regions_in_real_marrow_are_even(pair):
    volumes, labels = pair
    table = measure_vbq(volumes, propose_regions(volumes, labels))
    for level in VertebralLevel.span("T12-L5"):
        mean, sd = (
            table.value(level=level, name=f"t1_signal_intensity{end}", compartment="body") for end in ("", "_sd")
        )
        assert sd < 0.12 * mean


def test_saved_regions_measure_the_same(pair):
    volumes, labels = pair
    regions = propose_regions(volumes, labels)
    again = Regions.from_dict(regions.to_dict())
    assert [r.value for r in measure_vbq(volumes, again)] == [r.value for r in measure_vbq(volumes, regions)]


def test_order_of_the_axes_does_not_matter_on_real_images(pair):
    volumes, labels = pair
    turned = {sequence: volume.reoriented("LPS") for sequence, volume in volumes.items()}
    first = measure_vbq(volumes, propose_regions(volumes, labels))
    second = measure_vbq(turned, propose_regions(turned, labels.reoriented("SAL")))
    np.testing.assert_allclose([r.value for r in second], [r.value for r in first], rtol=1e-9)
