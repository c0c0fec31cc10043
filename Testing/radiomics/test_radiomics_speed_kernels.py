"""Kernels against their definitions, written out plainly."""

import math
from collections import Counter, deque
from itertools import product

import numpy as np
import pytest
import pywt
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from OVFRiskLib.radiomics import matrices
from OVFRiskLib.radiomics.filters import IMAGE_TYPES
from OVFRiskLib.radiomics.firstorder import Intensities
from OVFRiskLib.radiomics.glcm import CooccurrenceMatrix, _hxy1, _hxy2, _mcc
from OVFRiskLib.radiomics.intensities import LARGEST, _moments
from OVFRiskLib.radiomics.kernels.binning import bin_numbers
from OVFRiskLib.radiomics.kernels.moments import compensated_sums
from OVFRiskLib.radiomics.mesh import diameter, diameter_within_planes, outermost
from OVFRiskLib.radiomics.recursive_gaussian import laplacian
from OVFRiskLib.radiomics.region import Region
from scipy.spatial.distance import pdist

FULL = {"force2D": False, "force2Ddimension": 0}


@st.composite
def level_arrays(draw):
    shape = draw(st.tuples(*[st.integers(1, 6)] * 3))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    levels = rng.integers(0, draw(st.integers(2, 9)), shape)
    levels.flat[rng.integers(levels.size)] = 3
    return levels


def voxels(levels):
    return {place: int(level) for place, level in np.ndenumerate(levels) if level}


def moved(place, step, times=1):
    return tuple(p + times * s for p, s in zip(place, step))


@settings(max_examples=60, deadline=None)
@given(levels=level_arrays(), flat=st.sampled_from([None, 0, 1, 2]))
def test_matrices_count_what_their_definitions_say(levels, flat):
    steps = matrices.directions((1,), {"force2D": flat is not None, "force2Ddimension": flat or 0})
    grid, inside = matrices.LevelGrid(levels), voxels(levels)
    number = {int(level): n for n, level in enumerate(grid.present)}
    pairs, runs = matrices.cooccurrence(grid, steps), matrices.run_lengths(grid, steps)
    for n, step in enumerate(steps):
        expected = Counter((v, inside[moved(p, step)]) for p, v in inside.items() if moved(p, step) in inside)
        assert {k: pairs[n, number[k[0]], number[k[1]]] for k in expected} == expected
        assert pairs[n].sum() == expected.total()
        if runs[n].any():
            assert Counter({k: v for k, v in table(runs[n], grid.present).items() if v}) == run_count(inside, step)
    counts, sizes = matrices.zone_sizes(grid, steps)
    assert table(counts[0], grid.present, sizes) == zone_count(inside, steps)


def table(counts, levels, sizes=None):
    sizes = np.arange(1, counts.shape[1] + 1) if sizes is None else sizes
    return Counter({(int(levels[i]), int(sizes[j])): int(counts[i, j]) for i, j in np.argwhere(counts)})


def run_count(inside, step):
    found = Counter()
    for place, level in inside.items():
        if inside.get(moved(place, step, -1)) != level:
            length = 1
            while inside.get(moved(place, step, length)) == level:
                length += 1
            found[level, length] += 1
    return found


def zone_count(inside, steps):
    found, left = Counter(), set(inside)
    while left:
        queue, size = deque([left.pop()]), 0
        while queue:
            place = queue.popleft()
            size += 1
            for step, sign in product(steps, (1, -1)):
                other = moved(place, step, sign)
                if other in left and inside[other] == inside[place]:
                    left.remove(other)
                    queue.append(other)
        found[inside[place], size] += 1
    return found


@settings(max_examples=60, deadline=None)
@given(levels=level_arrays(), alpha=st.integers(0, 2), reach=st.integers(1, 2))
def test_surroundings_are_what_their_definitions_say(levels, alpha, reach):
    steps = matrices.directions(range(1, reach + 1), FULL)
    grid, inside = matrices.LevelGrid(levels, reach), voxels(levels)
    expected, differences = Counter(), Counter()
    for place, level in inside.items():
        near = [inside[moved(place, s, sign)] for s in steps for sign in (1, -1) if moved(place, s, sign) in inside]
        expected[level, 1 + sum(abs(level - other) <= alpha for other in near)] += 1
        differences[level] += abs(level - np.mean(near)) if near else 0
    assert table(matrices.dependences(grid, steps, alpha)[0], grid.present) == expected
    counts, found = matrices.tone_differences(grid, steps, alpha)
    assert counts.tolist() == [sum(v == level for v in inside.values()) for level in grid.present]
    assert found == pytest.approx([differences[int(level)] for level in grid.present], rel=1e-12, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.floats(-500, 500), min_size=1, max_size=50),
    width=st.floats(0.1, 100),
    on_edges=st.booleans(),
)
def test_bins_are_those_of_numpy(values, width, on_edges):
    x = np.array(values)
    x = np.floor(x / width) * width if on_edges else x
    edges = np.arange(x.min() - x.min() % width, x.max() + 2 * width, width)
    found, places = np.zeros(x.size, dtype=np.int32), np.arange(x.size)[::-1].copy()
    bin_numbers(x, edges, places, found)
    assert np.array_equal(found[places], np.digitize(x, edges))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 80), span=st.integers(1, 30))
def test_diameters_are_those_of_all_pairs(seed, n, span):
    rng = np.random.default_rng(seed)
    points, spacing = rng.integers(0, span, (n, 3)), rng.uniform(0.3, 3, 3)
    assert diameter(points, spacing) == pytest.approx(pdist(points * spacing / 2).max(initial=0))
    for axis in range(3):
        rest = np.delete(points * spacing / 2, axis, axis=1)
        planes = [rest[points[:, axis] == place] for place in np.unique(points[:, axis])]
        expected = max(pdist(plane).max(initial=0) for plane in planes)
        assert diameter_within_planes(points, spacing, axis) == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0.05, 1))
def test_outermost_vertices_hold_the_farthest_pairs(seed, share):
    rng = np.random.default_rng(seed)
    inside, spacing = np.pad(rng.random((4, 5, 6)) < share, 1), rng.uniform(0.3, 3, 3)
    steps = enumerate(np.eye(3, dtype=int))
    every = np.concatenate([2 * np.argwhere(np.diff(inside, axis=axis)) + step for axis, step in steps])
    if len(every):
        assert diameter(outermost(inside, 2), spacing) == pytest.approx(diameter(every, spacing), rel=1e-14)
    for axis, along in ((0, 2), (1, 2), (2, 1)) if len(every) else ():
        found = diameter_within_planes(outermost(inside, along), spacing, axis)
        assert found == pytest.approx(diameter_within_planes(every, spacing, axis), rel=1e-14)


@pytest.mark.parametrize("sigma", [1.0, 2.5, 5.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_laplacian_is_that_of_itk(sigma, dtype):
    array = np.random.default_rng(4).normal(0, 100, (19, 33, 21)).astype(dtype)
    spacing = np.array([1.25, 0.7, 1.0])
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing[::-1].tolist())
    expected = sitk.GetArrayFromImage(sitk.LaplacianRecursiveGaussian(image, sigma=sigma, normalizeAcrossScale=True))
    found = laplacian(array, spacing, sigma)
    assert found.dtype == expected.dtype == np.float32
    assert np.mean(found != expected) < 0.01
    assert np.abs(found - expected).max() < 2e-7 * np.abs(expected).max()


@pytest.mark.parametrize("symmetrical", [False, True])
@pytest.mark.parametrize("n_levels", [2, 3, 12, 150])
def test_closed_forms_of_cooccurrence_are_those_of_all_pairs(n_levels, symmetrical):
    rng = np.random.default_rng(n_levels)
    counts = np.triu(rng.poisson(0.7, (3, n_levels, n_levels))).astype(float) + 3 * np.eye(n_levels)
    m = CooccurrenceMatrix(counts.copy(), np.arange(1, n_levels + 1), symmetrical)
    counted = counts + counts.transpose(0, 2, 1) if symmetrical else counts
    assert m.p == pytest.approx(counted / counted.sum(axis=(1, 2), keepdims=True), rel=1e-14)
    both = m.p.sum(axis=2)[:, :, None] * m.p.sum(axis=1)[:, None, :]
    assert _hxy1(m) == pytest.approx(-(m.p * np.log2(both + 2.0**-52)).sum(axis=(1, 2)), rel=1e-13)
    assert _hxy2(m) == pytest.approx(-(both * np.log2(both + 2.0**-52)).sum(axis=(1, 2)), rel=1e-13)
    assert _mcc(m) == pytest.approx(np.sqrt(second_eigenvalues(m.p, both)).mean(), rel=1e-9)


def second_eigenvalues(p, both):
    """Return the second largest eigenvalue of Q of each direction, found densely."""
    q = np.divide(p, both + 2.0**-52) @ p.transpose(0, 2, 1)
    return np.sort(np.linalg.eigvals(q).real, axis=1)[:, -2]


BLOCKS = np.kron(np.diag([900.0, 2.0, 1.0]), np.ones((2, 2)))  # levels that never meet: the value is 1
TWINS = np.kron(np.eye(2), [[30.0, 1.0], [1.0, 30.0]]) + 5  # values that are equal or nearly so


@pytest.mark.parametrize("counts", [BLOCKS, TWINS, np.ones((5, 5)), np.eye(7), np.diag([5.0, 0, 3]), np.eye(9)[::-1]])
def test_correlation_coefficient_of_degenerate_matrices(counts):
    m = CooccurrenceMatrix(counts[None].copy(), np.arange(1, len(counts) + 1), symmetrical=True)
    both = m.px[:, :, None] * m.py[:, None, :]
    expected = np.sqrt(np.maximum(second_eigenvalues(m.p, both), 0)).mean()
    assert _mcc(m) == pytest.approx(expected, rel=1e-9, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=60), q=st.sampled_from([10, 25, 50, 75, 90]))
def test_percentiles_are_those_of_numpy(values, q):
    x = np.array(values)
    found = Intensities(np.sort(x), np.array([x.size]), 0, 1.0).percentile(q)
    assert found == pytest.approx(np.percentile(x, q), rel=1e-14, abs=1e-300)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1e14) | st.sampled_from([np.nan, np.inf, -np.inf, 1e16]), max_size=60))
def test_sums_lose_nothing_to_rounding(x):
    found = np.empty(7)
    compensated_sums(np.array(x, dtype=float), LARGEST, found)
    kept = [value for value in x if abs(value) < LARGEST]
    for values, total, rest in ((kept, found[1], found[2]), ([v * v for v in kept], found[3], found[4])):
        assert total + rest == pytest.approx(math.fsum(values), rel=2**-52, abs=0)
    assert (found[0], found[5], found[6]) == (len(kept), min(kept, default=np.inf), max(kept, default=-np.inf))


def test_sums_lose_nothing_where_terms_cancel():
    x, found = np.tile([1e14, 1.0, -1e14, 0.1], 1000), np.empty(7)
    compensated_sums(x, LARGEST, found)
    assert found[1] + found[2] == math.fsum(x)
    assert np.cumsum(x)[-1] != math.fsum(x)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16])
def test_moments_are_those_of_itk(kind):
    """But for its last bit, which depends on the number of its threads."""
    array = np.cumsum(np.random.default_rng(5).normal(0, 40, (18, 20, 22)), axis=1).astype(kind)
    itk = sitk.StatisticsImageFilter()
    itk.Execute(sitk.GetImageFromArray(array))
    assert _moments(array) == pytest.approx((itk.GetMean(), itk.GetSigma()), rel=3e-15)
    total = math.fsum(array.ravel().astype(float))
    assert _moments(array)[0] == total / array.size


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("voxels", [True, False])
def test_gradient_is_that_of_itk(dtype, voxels):
    array = np.random.default_rng(5).normal(0, 100, (9, 13, 11)).astype(dtype)
    mask = np.zeros(array.shape, bool)
    mask[0:7, 3:13, 2:10] = True
    region = Region(array, mask, np.array([1.25, 0.7, 1.0]))
    ((_, found),) = IMAGE_TYPES["Gradient"].images(region, {"gradientUseSpacing": not voxels})
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(region.spacing[::-1].tolist())
    expected = sitk.GetArrayFromImage(sitk.GradientMagnitude(image, useImageSpacing=not voxels))[region.box]
    assert found.dtype == expected.dtype
    assert found == pytest.approx(expected, rel=2e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("wavelet", ["haar", "coif1", "db3", "bior2.2"])
@pytest.mark.parametrize("inside", [slice(4, 12), slice(0, 8), slice(12, 20), slice(0, 20)])
def test_wavelets_are_those_of_pywavelets(dtype, wavelet, inside):
    """To the last bit: where an image is cut flat, that decides between two bins."""
    array = np.random.default_rng(6).normal(0, 300, (20, 20, 20)).clip(-300, 300).astype(dtype)
    mask = np.zeros(array.shape, bool)
    mask[inside, inside, inside] = True
    settings = {"wavelet": wavelet, "level": 1, "start_level": 0, "force2D": False, "force2Ddimension": 0}
    found = dict(IMAGE_TYPES["Wavelet"].images(Region(array, mask, np.ones(3)), settings))
    bands = pywt.swtn(array, wavelet, level=1, axes=(2, 1, 0))[0]
    assert len(found) == len(bands) == 8
    for name, band in bands.items():
        ours = found["wavelet-" + name.replace("a", "L").replace("d", "H")]
        assert ours.dtype == dtype
        assert np.array_equal(ours, band[inside, inside, inside])
