"""What is no cancellous bone is left out and named; noise, texture and fragile bone are not."""

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.attenuation import Finding, TrabecularSettings, read_axial_ellipse, read_trabecular
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import Modality, Volume, bounding_box
from OVFRiskLib.segmentation.compartments import PeelSettings, body_shapes, split_compartments
from scipy import ndimage

L1 = VertebralLevel.L1
SIZE = (44.0, 32.0, 26.0)
GRIDS = [(1.0, 1.0, 1.0), (0.8, 0.8, 5.0)]


class Body:
    """A body of even bone, in which lesions are drawn; then blur and noise like a CT's."""

    def __init__(self, block, spacing=(1.0, 1.0, 1.0), hu=130.0):
        self.labels = block(size=SIZE, spacing=spacing)
        self.inside = self.labels.mask(Region(Compartment.WHOLE, L1)).array
        self.shape = body_shapes(self.labels, [L1])[L1]
        kji = np.indices(self.inside.shape)
        points = self.shape.frame.from_ras(self.labels.to_ras(np.moveaxis(kji[::-1], 0, -1)))
        self.x, self.y, self.z = np.moveaxis(points, -1, 0)
        self.image = np.where(self.inside, hu, -60.0)
        shell = self.inside & ~ndimage.binary_erosion(self.inside)
        self.image[shell] = 500.0

    def ball(self, centre, radius, hu):
        x, y, z = centre
        near = (self.x - x) ** 2 + (self.y - y) ** 2 + (self.z - z) ** 2 <= radius**2
        self.image[near] = hu

    def read(self, noise=15.0, texture=0.0, **settings):
        rng = np.random.default_rng(7)
        sigma = 0.6 / self.labels.spacing[::-1]
        grain = ndimage.gaussian_filter(rng.standard_normal(self.image.shape), sigma)
        coarse = ndimage.gaussian_filter(rng.standard_normal(self.image.shape), 1.2 / self.labels.spacing[::-1])
        image = ndimage.gaussian_filter(self.image, sigma) + grain / grain.std() * noise
        image = image + self.inside * coarse / coarse.std() * texture
        volume = Volume(image, self.labels.ijk_to_ras, Modality.CT)
        reading = read_trabecular(volume, self.inside, self.inside, self.shape, TrabecularSettings(**settings))
        return volume, reading


@pytest.mark.parametrize("spacing", [*GRIDS, (3.0, 3.0, 3.0)])
@pytest.mark.parametrize(
    ("hu", "noise", "texture"), [(130, 10, 0), (130, 60, 0), (25, 60, 0), (180, 40, 40), (300, 60, 30)]
)
def test_even_noisy_and_fragile_bone_loses_nothing(block, spacing, hu, noise, texture):
    _, reading = Body(block, spacing, hu).read(noise, texture)
    assert reading.excluded_fraction == 0
    assert reading.statistics == reading.plain
    assert not reading.flagged


@pytest.mark.parametrize("spacing", GRIDS)
@pytest.mark.parametrize("noise", [12, 60])
@pytest.mark.parametrize(("kind", "hu"), [(Finding.SCLEROSIS, 450), (Finding.CEMENT, 1600), (Finding.METAL, 3600)])
def test_a_bright_ball_is_left_out_and_named(block, spacing, noise, kind, hu):
    body = Body(block, spacing)
    body.ball((8, 5, 1), 6, hu)
    _, reading = body.read(noise)
    assert list(reading.found) == [kind]
    assert reading.plain.mean > 145
    assert reading.statistics.mean == pytest.approx(130, abs=4)
    assert kind.words in reading.note
    assert reading.flagged
    volume = 4 / 3 * np.pi * 6**3 / 1000
    assert reading.shares[kind] * reading.plain.voxels * reading.voxel_volume / 1000 >= 0.9 * volume


def test_it_can_be_switched_off(block):
    body = Body(block)
    body.ball((8, 5, 1), 6, 450)
    _, reading = body.read(exclude=False)
    assert reading.statistics == reading.plain
    assert reading.excluded_fraction == 0
    assert not reading.note
    assert TrabecularSettings().protocol_id != TrabecularSettings(exclude=False).protocol_id


@pytest.mark.parametrize("strut_mm", [1.0, 1.6])
def test_a_haemangioma_is_left_out(block, strut_mm):
    body = Body(block, (0.8, 0.8, 2.0))
    body.ball((-7, 3, 0), 8, -40)
    near = (body.x + 7) ** 2 + (body.y - 3) ** 2 + body.z**2 <= 64
    dots = ((body.x + 100) % 4.5 - 2.25) ** 2 + ((body.y + 100) % 4.5 - 2.25) ** 2 <= strut_mm**2
    body.image[near & dots] = 350
    _, reading = body.read(noise=20)
    assert list(reading.found) == [Finding.HAEMANGIOMA]
    assert reading.statistics.mean == pytest.approx(130, abs=3)


@pytest.mark.parametrize(("bone", "blood"), [(150, 40), (40, 190)])
def test_a_vessel_is_left_out_where_vessels_run(block, bone, blood):
    body = Body(block, hu=bone)
    vein = (np.abs(body.x) <= 2.5) & (np.abs(body.z) <= 2.5) & (body.y < 0) & (body.y > -14)
    body.image[vein] = blood
    volume, reading = body.read()
    assert list(reading.found) == [Finding.VESSEL]
    assert not reading.flagged
    assert reading.statistics.mean == pytest.approx(bone, abs=1)
    ellipse = read_axial_ellipse(volume, reading, body.shape)
    assert ellipse.statistics.mean == pytest.approx(bone, abs=2)


def test_lost_bone_is_no_vessel_and_stays_in(block):
    """A dark part in front, as where trabeculae are lost, belongs to the mean; a reader is told."""
    body = Body(block, hu=150)
    body.ball((6, 6, 0), 7, 40)
    _, reading = body.read()
    assert reading.excluded_fraction == 0
    assert "dark part" in reading.note
    assert reading.flagged


def test_a_level_that_is_mostly_cement_has_no_value(block):
    body = Body(block)
    body.image[body.inside & (body.x > -12)] = 1500
    _, reading = body.read()
    assert reading.excluded_fraction > 2 / 3
    with pytest.raises(ValueError, match="cement"):
        _ = reading.statistics


def test_over_a_third_left_out_is_said(block):
    body = Body(block)
    body.image[body.inside & (body.x > 2)] = 1500
    _, reading = body.read()
    assert 1 / 3 < reading.excluded_fraction < 2 / 3
    assert "over a third" in reading.note
    assert reading.statistics.mean == pytest.approx(130, abs=4)


def test_an_image_whose_range_ends_below_metal_shows_metal_still(block):
    body = Body(block)
    body.ball((8, 5, 1), 5, 4000)
    volume, _ = body.read()
    clipped = Volume(np.minimum(volume.array, 2047), volume.ijk_to_ras, Modality.CT)
    reading = read_trabecular(clipped, body.inside, body.inside, body.shape, TrabecularSettings())
    assert list(reading.found) == [Finding.METAL]


def test_rows_carry_the_terms_of_the_table(block):
    body = Body(block)
    body.ball((8, 5, 1), 6, 450)
    _, reading = body.read()
    rows = {name: (unit, value) for name, unit, value in reading.rows()}
    assert rows["trabecular_attenuation"] == ("[hnsf'U]", reading.statistics.mean)
    assert rows["trabecular_attenuation_p95"][1] > rows["trabecular_attenuation_p5"][1]
    assert rows["trabecular_volume"][1] == pytest.approx(reading.region.sum() / 1000)
    assert rows["trabecular_excluded_fraction"][1] == pytest.approx(reading.shares[Finding.SCLEROSIS])


def test_the_sclerosis_of_a_real_l1_is_left_out(shared_data):
    """L1 of this CT has a sclerotic lesion; the other levels have none."""
    folder = shared_data / "ct_abdomen_3mm"
    volume = read_volume(folder / "ct.nii.gz", Modality.CT)
    labels = read_labels(folder / "totalsegmentator_labels.nii.gz", "totalsegmentator")
    levels = VertebralLevel.span("L1-L5")
    labels = labels.restricted(Region(Compartment.WHOLE, level) for level in levels)
    shapes = body_shapes(labels, levels)
    compartments = split_compartments(labels, shapes, PeelSettings())
    found = {level: _read(volume, compartments, shapes, level) for level in levels}
    assert [level for level in levels if found[level].found] == [L1]
    assert list(found[L1].found) == [Finding.SCLEROSIS]
    others = np.mean([found[level].statistics.mean for level in levels[1:]])
    assert abs(found[L1].statistics.mean - others) < 20  # neighbouring levels of one patient differ by little


def _read(volume, compartments, shapes, level):
    parts = [Region(part, level) for part in (Compartment.CORTICAL, Compartment.CANCELLOUS)]
    box = bounding_box(compartments.mask(*parts).array, 2)
    crop, masks = volume.cropped(box), compartments.cropped(box)
    body, cancellous = masks.mask(*parts).array, masks.mask(parts[1]).array
    return read_trabecular(crop, body, cancellous, shapes[level], TrabecularSettings())
