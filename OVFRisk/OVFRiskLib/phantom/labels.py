"""Label maps of a drawn patient, with the values of the scheme ``ovfrisk``."""

import numpy as np

from ..anatomy import Compartment, Region, Structure, label_scheme
from .dimensions import LEVELS
from .scene import HALF, Scene
from .table import CalibrationRod, rod_covers
from .tissues import MUSCLE_OF, Tissue

_CANAL = (Tissue.EPIDURAL_FAT, Tissue.CSF, Tissue.CORD)
_DISC = (Tissue.ANNULUS, Tissue.NUCLEUS)
_ALL = 0.999  # a share that is the whole, within rounding


def scheme_values() -> dict[Region, int]:
    """Return the value of each region."""
    return {region: value for value, region in label_scheme("ovfrisk").regions.items()}


def scheme_regions() -> dict[int, Region]:
    """Return the region of each value."""
    return dict(label_scheme("ovfrisk").regions)


def structure_array(scene: Scene, rods: list[CalibrationRod]) -> np.ndarray:
    """Label everything but vertebrae: discs, canal, muscles, fat, sacrum, rods; fine, int16, shape (nz, ny, nx)."""
    values = scheme_values()
    table = np.zeros(len(Tissue), dtype=np.int16)
    table[Tissue.SUBCUTANEOUS_FAT] = values[Region(Structure.SUBCUTANEOUS_FAT)]
    table[list(_CANAL)] = values[Region(Structure.SPINAL_CANAL)]
    for structure, tissue in MUSCLE_OF.items():
        table[tissue] = values[Region(structure)]
    array = table[scene.tissues.array]
    _add_discs(array, scene)
    for piece in scene.bones:
        sacrum = piece.level is LEVELS[-1]
        array[piece.box][piece.outer >= HALF] = values[Region(Structure.SACRUM)] if sacrum else 0
    for _, (rows, columns), cover in rod_covers(scene, rods):
        array[:, rows, columns][:, cover >= HALF] = values[Region(Structure.CALIBRATION_ROD)]
    return array


def with_vertebrae(structures: np.ndarray, scene: Scene, *, divided: bool) -> np.ndarray:
    """Add the vertebrae T10 to L5, whole or divided into cortical, cancellous and posterior bone."""
    values, array = scheme_values(), structures.copy()
    # Posterior elements first: a sample on the border belongs to the body.
    for piece in sorted(scene.bones, key=lambda piece: piece.part is Compartment.BODY):
        if piece.level not in (None, LEVELS[-1]):
            for part, mask in _parts(piece.part, piece.outer >= HALF, piece.core >= HALF):
                wanted = part if divided else Compartment.WHOLE
                array[piece.box][mask] = values[Region(wanted, piece.level)]
    return array


def mr_bodies_array(scene: Scene) -> np.ndarray:
    """Label bodies, discs, the canal and pure CSF on the MR grid, int16, shape (k, j, i)."""
    values = scheme_values()
    tissues, array = scene.tissues.array, np.zeros(scene.raster.shape, dtype=np.int16)
    array[np.isin(tissues, _CANAL)] = values[Region(Structure.SPINAL_CANAL)]
    _add_discs(array, scene)
    for piece in scene.bones:
        body = piece.part is Compartment.BODY and piece.level is not LEVELS[-1]
        array[piece.box][piece.outer >= HALF] = values[Region(Compartment.BODY, piece.level)] if body else 0
    csf = ((tissues == Tissue.CSF) & (scene.bone_cover == 0)).astype(np.float32)
    voxels = scene.raster.centres(array)
    voxels[scene.raster.averaged(csf) >= _ALL] = values[Region(Structure.CSF)]
    return voxels


def _add_discs(array: np.ndarray, scene: Scene) -> None:
    values = scheme_values()
    for above, (box, mask) in scene.discs.items():
        found = mask & np.isin(scene.tissues.array[box], _DISC)
        array[box][found] = values[Region(Structure.DISC, above)]


def _parts(part: Compartment, outer: np.ndarray, core: np.ndarray) -> list[tuple[Compartment, np.ndarray]]:
    if part is Compartment.POSTERIOR:
        return [(part, outer)]
    return [(Compartment.CORTICAL, outer & ~core), (Compartment.CANCELLOUS, core)]
