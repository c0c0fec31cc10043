"""Every set value is found again by simple measurements on the arrays, none of which uses the code that drew them."""

import time
from itertools import pairwise

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.image import LabelMap, Mask, Modality, Volume
from OVFRiskLib.measurement import Quality
from OVFRiskLib.phantom import Fracture, FractureKind, Phantom, PhantomSettings, make_patient
from OVFRiskLib.phantom.settings import MUSCLES
from scipy import ndimage

LEVELS = VertebralLevel.span("T11-L5")
FRACTURES = tuple(Fracture.parse(text) for text in ("T12:crush:0.30", "L1:wedge:0.30", "L3:biconcave:0.35"))
BODY = (Compartment.CORTICAL, Compartment.CANCELLOUS)
# Whole, fractured, and thick slices with a scoliosis: what every measurement below must hold for.
CASES = {
    "fractured": PhantomSettings(11, 1.0, FRACTURES),
    "anisotropic": PhantomSettings(12, (1.0, 1.0, 2.0), (Fracture.parse("L2:wedge:0.25"),), scoliosis=8.0),
}


@pytest.fixture(scope="session", params=list(CASES))
def phantom(request) -> Phantom:
    start = time.perf_counter()
    made = make_patient(CASES[request.param])
    print(f"{request.param} patient: {time.perf_counter() - start:.1f} s")  # shown by pytest -s
    return made


def is_thick(phantom: Phantom) -> bool:
    """Whether the slices are so thick that labels of whole voxels tell heights and volumes only roughly."""
    return bool(phantom.ct.spacing.max() > 1)


def parts(labels: LabelMap, level: VertebralLevel, *kinds: Compartment) -> Mask:
    return labels.mask(*(Region(kind, level) for kind in kinds))


def depth_in(mask: Mask) -> tuple[tuple[slice, ...], np.ndarray]:
    """Distance of voxel centres to the nearest voxel centre outside, mm, within the mask's box."""
    box = mask.box(margin=1)
    return box, ndimage.distance_transform_edt(mask.array[box], sampling=mask.spacing[::-1])


def truth(phantom: Phantom, level: VertebralLevel | None, part: Compartment | Structure | None, name: str) -> float:
    value = phantom.truth.value(level=level, compartment=part, name=name)
    assert value is not None, f"{level} {part} {name} is missing"
    return value


@pytest.mark.parametrize("level", LEVELS)
def test_cancellous_attenuation(phantom, level):
    body = parts(phantom.compartments, level, *BODY)
    box, depth = depth_in(body)
    inside = depth >= 4 + body.spacing.max() / 2
    mean = phantom.ct.array[box][inside].mean()
    assert mean == pytest.approx(truth(phantom, level, Compartment.CANCELLOUS, "trabecular_attenuation"), abs=1.0)


@pytest.mark.parametrize("level", LEVELS)
def test_volumes(phantom, level):
    for part, kinds in ((Compartment.BODY, BODY), (Compartment.CANCELLOUS, BODY[1:]), (Compartment.CORTICAL, BODY[:1])):
        counted = parts(phantom.compartments, level, *kinds).volume_mm3 / 1000
        tolerance = 0.03 if part is Compartment.CORTICAL else 0.02  # a shell thinner than a voxel
        tolerance *= 5 if is_thick(phantom) else 1
        assert counted == pytest.approx(truth(phantom, level, part, "volume"), rel=tolerance), part


@pytest.mark.parametrize("level", LEVELS)
def test_heights_in_the_known_frame(phantom, level):
    """The body's extent along its z axis, sampled finely in the mid-sagittal plane."""
    frame, body = phantom.frames[level], parts(phantom.compartments, level, *BODY)
    depth = truth(phantom, level, Compartment.BODY, "depth")
    z = np.arange(-25, 25, 0.1)
    shares = np.linspace(0.1, 0.9, 17)
    heights = []
    for share in shares:
        x, up = np.meshgrid(np.linspace(-2, 2, 9), z)
        points = frame.to_ras(np.stack([x, np.full_like(x, depth * (0.5 - share)), up], axis=-1))
        ijk = body.to_ijk(points)
        inside = ndimage.map_coordinates(body.array.astype(float), ijk[..., ::-1].transpose(2, 0, 1), order=1) >= 0.5
        heights.append(inside.sum(axis=0).mean() * 0.1)
    expected = [
        truth(phantom, level, Compartment.BODY, f"{name}_height") for name in ("anterior", "middle", "posterior")
    ]
    set_profile = np.polynomial.Polynomial.fit([0, 0.5, 1], expected, 2)
    if is_thick(phantom):
        assert np.mean(heights) == pytest.approx(set_profile(shares).mean(), abs=body.spacing.max() / 2)
    else:
        profile = np.polynomial.Polynomial.fit(shares, heights, 2)
        assert profile(np.array([0, 0.5, 1])) == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("structure", MUSCLES)
def test_fat_fraction_by_attenuation(phantom, structure):
    muscle = phantom.labels.mask(Region(structure))
    box, depth = depth_in(muscle)
    mean = phantom.ct.array[box][depth >= 3].mean()
    settings = phantom.settings
    fraction = (mean - settings.muscle_hu) / (settings.fat_hu - settings.muscle_hu)
    assert fraction == pytest.approx(truth(phantom, None, structure, "fat_fraction"), abs=0.02)


def test_subcutaneous_fat_and_noise(phantom):
    middle = phantom.ct.array.shape[0] // 2
    slab = slice(middle, middle + 8)
    fat = phantom.labels.mask(Region(Structure.SUBCUTANEOUS_FAT)).array[slab]
    depth = ndimage.distance_transform_edt(fat, sampling=(99, *phantom.ct.spacing[1::-1]))  # slice by slice
    values = phantom.ct.array[slab][depth >= 4]
    assert values.mean() == pytest.approx(truth(phantom, None, Structure.SUBCUTANEOUS_FAT, "mean_attenuation"), abs=1.0)
    assert values.std() == pytest.approx(phantom.settings.noise_hu, rel=0.1)


def test_rods_give_their_line(phantom):
    rods, ct = Structure.CALIBRATION_ROD, phantom.ct
    labelled = phantom.labels.mask(Region(rods)).array
    nk, nj, ni = ct.array.shape
    densities, readings = [], []
    for n in range(1, len(phantom.settings.rods) + 1):
        right, anterior = (truth(phantom, None, rods, f"rod{n}_{side}") for side in ("right", "anterior"))
        i, j, _ = ct.to_ijk([right, anterior, ct.ijk_to_ras[2, 3]])
        reach = np.hypot(
            *np.meshgrid((np.arange(nj) - j) * ct.spacing[1], (np.arange(ni) - i) * ct.spacing[0], indexing="ij")
        )
        assert labelled[nk // 2][reach < 6].all()
        densities.append(truth(phantom, None, rods, f"rod{n}_density"))
        readings.append(ct.array[:, reach < 4].mean())
        assert readings[-1] == pytest.approx(truth(phantom, None, rods, f"rod{n}_attenuation"), abs=1.0)
    slope, intercept = np.polyfit(densities, readings, 1)
    assert slope == pytest.approx(truth(phantom, None, rods, "line_slope"), rel=0.01)
    assert intercept == pytest.approx(truth(phantom, None, rods, "line_intercept"), abs=1.0)


def test_air_around(phantom):
    assert phantom.ct.array[:, :6, :6].mean() == pytest.approx(-1000, abs=1.5)


def signal(phantom: Phantom, image: Volume, level: VertebralLevel) -> float:
    """Mean in the body 4 mm off its border, on the five middle slices: farther out, slices hold the walls too."""
    body = phantom.mr_bodies.mask(Region(Compartment.BODY, level))
    middle = round(image.to_ijk(phantom.frames[level].origin)[2])
    box = (slice(middle - 2, middle + 3), *body.box(margin=1)[1:])
    depth = ndimage.distance_transform_edt(np.pad(body.array[box], 1), sampling=(99, *body.spacing[1::-1]))
    return float(image.array[box][depth[1:-1, 1:-1, 1:-1] >= 4].mean())


def csf_signal(phantom: Phantom, image: Volume) -> float:
    """Pure CSF at the height of L3, a pixel away from everything else."""
    body, csf = (
        phantom.mr_bodies.mask(r) for r in (Region(Compartment.BODY, VertebralLevel.L3), Region(Structure.CSF))
    )
    rows = body.box()[1]
    inner = ndimage.binary_erosion(csf.array, np.ones((1, 3, 3)))
    return float(image.array[:, rows][inner[:, rows]].mean())


def test_vbq(phantom):
    levels = [level for level in VertebralLevel.span("L1-L4") if phantom.settings.fracture(level) is None]
    measured = {}
    for image in (phantom.t1, phantom.t2, phantom.stir):
        marrow, csf = [signal(phantom, image, level) for level in levels], csf_signal(phantom, image)
        measured[image.modality] = np.array(marrow), csf
        score = np.mean(marrow) / csf
        assert score == pytest.approx(truth(phantom, None, None, f"vbq_{image.modality.lower()}"), rel=0.01)
    (t2, csf_t2), (stir, csf_stir) = measured[Modality.T2], measured[Modality.STIR]
    score = np.mean((t2 - stir) / (csf_t2 - csf_stir))
    assert score == pytest.approx(truth(phantom, None, None, "vbq_t2_stir"), rel=0.015)


@pytest.mark.parametrize("level", LEVELS)
def test_marrow_signal_of_each_level(phantom, level):
    for image in (phantom.t1, phantom.t2, phantom.stir):
        name = f"{image.modality.lower()}_signal_intensity"
        assert signal(phantom, image, level) == pytest.approx(truth(phantom, level, Compartment.BODY, name), rel=0.015)


def test_fractures_stand_in_the_truth(phantom):
    for level in LEVELS:
        fracture = phantom.settings.fracture(level)
        row = phantom.truth.where(level=level, name="fracture_type").rows[0]
        assert row.note == (fracture.kind if fracture else "none")
        anterior, middle, posterior, whole = (
            truth(phantom, level, Compartment.BODY, f"{name}_height")
            for name in ("anterior", "middle", "posterior", "unfractured_posterior")
        )
        kind = fracture.kind if fracture else None
        loss = {
            FractureKind.WEDGE: 1 - anterior / posterior,
            FractureKind.BICONCAVE: 1 - middle / posterior,
            FractureKind.CRUSH: 1 - posterior / whole,
        }.get(kind, 0.0)
        assert loss == pytest.approx(truth(phantom, level, Compartment.BODY, "height_loss"), abs=1e-9)
        if fracture is None:
            assert min(anterior, middle) / posterior > 0.85  # nobody may grade it


def test_it_is_a_spine(phantom):
    """Vertebrae in order, behind them a free canal, between them discs; left is left."""
    labels = phantom.compartments
    centres = {level: phantom.frames[level].origin for level in LEVELS}
    for upper, lower in pairwise(LEVELS):
        assert 20 < centres[upper][2] - centres[lower][2] < 50
        disc = labels.mask(Region(Structure.DISC, upper))
        middle = labels.to_ras(np.argwhere(disc.array)[:, ::-1]).mean(axis=0)
        assert centres[lower][2] < middle[2] < centres[upper][2]
        assert labels.mask(Region(Compartment.POSTERIOR, upper)).volume_mm3 > 4000
    right = labels.to_ras(np.argwhere(labels.mask(Region(Structure.PSOAS_RIGHT)).array)[:, ::-1])
    assert (right[:, 0] > centres[VertebralLevel.L3][0] - 15).all()
    canal = labels.mask(Region(Structure.SPINAL_CANAL))
    assert canal.array.any(axis=(1, 2))[labels.array.shape[0] // 3 :].all()
    assert phantom.labels.levels(Compartment.WHOLE) == VertebralLevel.span("T10-L5")
    assert (labels.array[-1] == 317).any()  # T10 is cut by the last slice


def test_lordosis_and_wedge(phantom):
    """The end plates of L1 and L5 open to the front by a lordosis; a wedge is lower in front."""
    lean = {level: np.degrees(np.arctan2(*phantom.frames[level].axes[2][[1, 2]])) for level in LEVELS}
    assert 15 < lean[VertebralLevel.L5] - lean[VertebralLevel.L2] < 45


def test_label_maps_agree(phantom):
    whole, divided = phantom.labels, phantom.compartments
    for level in VertebralLevel.span("T10-L5"):
        assert np.array_equal(parts(whole, level, Compartment.WHOLE).array, parts(divided, level, *Compartment).array)
    assert whole.same_grid(phantom.ct)
    assert phantom.mr_bodies.same_grid(phantom.stir)


def test_mr_lies_on_the_ct(phantom):
    """Bodies drawn on the MR grid fall on those of the CT."""
    bodies, divided = phantom.mr_bodies, phantom.compartments
    for level in LEVELS:
        mask = bodies.mask(Region(Compartment.BODY, level))
        kji = np.argwhere(mask.array)
        on_ct = np.round(divided.to_ijk(bodies.to_ras(kji[:, ::-1]))).astype(int)[:, ::-1]
        assert parts(divided, level, *BODY).array[tuple(on_ct.T)].mean() > 0.9


def test_what_is_cut_off_has_no_volume(phantom):
    row = phantom.truth.where(level=VertebralLevel.T10, name="volume").rows[0]
    assert row.quality is Quality.ABSENT
    assert "border" in row.note
