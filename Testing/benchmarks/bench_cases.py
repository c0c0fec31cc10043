"""The two cases of the radiomics benchmark: a synthetic CT of clinical size, and a real one."""

from pathlib import Path

import numpy as np

SPACING = (0.7, 0.7, 1.25)  # i, j, k in mm
SHAPE = (120, 512, 512)
LEVELS = ("T11", "T12", "L1", "L2")
HALF_AXES = np.array([13.0, 17.0, 23.0])  # of a body along k, j, i in mm
SHELL_MM = 3.0


def synthetic() -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, int]]:
    """Return CT (int16 HU), label map (uint8), ijk-to-RAS matrix, and the labels: cortical and cancellous apart."""
    rng = np.random.default_rng(7)
    matrix = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])
    k, j, i = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    trunk = ((j - 256) / 180) ** 2 + ((i - 256) / 230) ** 2 < 1
    array = np.where(trunk, np.float32(40), np.float32(-1000)) * np.ones((SHAPE[0], 1, 1), np.float32)
    labels = np.zeros(SHAPE, dtype=np.uint8)
    names = {}
    for n, level in enumerate(LEVELS):
        centre = np.array([20.3 + 26 * n, 300.2 + 4 * n, 256.4])
        distance = [(axis - c) * s / a for axis, c, s, a in zip((k, j, i), centre, SPACING[::-1], HALF_AXES)]
        radius = sum(np.abs(d) ** 4 for d in distance) ** 0.25  # between a box and an ellipsoid, as a body is
        whole, inner = radius <= 1, radius <= 1 - SHELL_MM / HALF_AXES.min()
        names |= {f"{level} cortical": 2 * n + 1, f"{level} cancellous": 2 * n + 2}
        labels[whole], labels[inner] = 2 * n + 1, 2 * n + 2
        array[whole], array[inner] = 450, 140
    texture = rng.standard_normal(SHAPE, dtype=np.float32)
    texture = texture + np.roll(texture, 1, 0) + np.roll(texture, 1, 1) + np.roll(texture, 1, 2)
    array += 22 * texture + 12 * rng.standard_normal(SHAPE, dtype=np.float32)
    return np.rint(array).clip(-1024, 3071).astype(np.int16), labels, matrix, names


def real(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, int]]:
    """Return the same of a CT of 3 mm whose vertebrae have no compartments (TotalSegmentator's labels)."""
    import SimpleITK as sitk

    image = sitk.ReadImage(str(folder / "ct_abdomen_3mm" / "ct.nii.gz"))
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "ct_abdomen_3mm" / "totalsegmentator_labels.nii.gz")))
    lps, matrix = np.diag([-1.0, -1.0, 1.0]), np.eye(4)
    matrix[:3, :3] = lps @ (np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing())
    matrix[:3, 3] = lps @ np.array(image.GetOrigin())
    names = {"L4": 28, "L3": 29, "L2": 30, "L1": 31, "T12": 32}
    return sitk.GetArrayFromImage(image), labels, matrix, {n: v for n, v in names.items() if np.any(labels == v)}


def regions(labels: np.ndarray, names: dict[str, int]) -> dict[str, tuple[int, ...]]:
    """Return the label values of each region: with compartments also of their union, the whole body."""
    found = {}
    for name, value in names.items():
        level, _, part = name.partition(" ")
        if part == "cortical":
            found[f"{level} whole"] = (value, names[f"{level} cancellous"])
        found[name] = (value,)
    return {name: values for name, values in found.items() if np.isin(labels, values).any()}
