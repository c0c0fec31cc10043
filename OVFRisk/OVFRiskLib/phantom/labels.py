"""Label maps of a drawn patient, with the values of the scheme ``ovfrisk``."""

import numpy as np

from ..anatomy import Compartment, Region, Structure, label_scheme
from .dimensions import LEVELS
from .scene import HALF, Scene
from .table import CalibrationRod, rod_covers
from .tissues import MUSCLE_OF, Tissue

_CANAL = (Tissue.EPIDURAL_FAT, Tissue.CSF, Tissue.CORD)
_DISC = (Tissue.ANNULUS, Tissue.NUCLEUS)
_VESSELS = {
    Structure.AORTA: Tissue.AORTA,
    Structure.INFERIOR_VENA_CAVA: Tissue.VENA_CAVA,
    Structure.PORTAL_VEIN: Tissue.PORTAL_VEIN,
}
_ALL = 0.999  # a share that is the whole, within rounding


def scheme_values() -> dict[Region, int]:
    """Return the value of each region."""
    return {region: value for value, region in label_scheme("ovfrisk").regions.items()}


def scheme_regions() -> dict[int, Region]:
    """Return the region of each value."""
    return dict(label_scheme("ovfrisk").regions)


def structure_array(scene: Scene, rods: list[CalibrationRod], *, organs: bool = False) -> np.ndarray:
    """Label everything but vertebrae: discs, canal, muscles, fat, sacrum, rods; fine, int16, shape (nz, ny, nx).

    Large vessels and kidneys are labelled with `organs`.
    """
    values = scheme_values()
    table = np.zeros(len(Tissue), dtype=np.int16)
    table[Tissue.SUBCUTANEOUS_FAT] = values[Region(Structure.SUBCUTANEOUS_FAT)]
    table[list(_CANAL)] = values[Region(Structure.SPINAL_CANAL)]
    for structure, tissue in MUSCLE_OF.items():
        table[tissue] = values[Region(structure)]
    if organs:
        for structure, tissue in _VESSELS.items():
            table[tissue] = values[Region(structure)]
    array = table[scene.tissues.array]
    if organs:
        _add_kidneys(array, scene)
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


def _add_kidneys(array: np.ndarray, scene: Scene) -> None:
    values, kidneys = scheme_values(), scene.tissues.array == Tissue.KIDNEY
    right = scene.raster.x.fine > 0
    for structure, side in ((Structure.KIDNEY_RIGHT, right), (Structure.KIDNEY_LEFT, ~right)):
        array[kidneys & side] = values[Region(structure)]


def _add_discs(array: np.ndarray, scene: Scene) -> None:
    values = scheme_values()
    for above, (box, mask) in scene.discs.items():
        found = mask & np.isin(scene.tissues.array[box], _DISC)
        array[box][found] = values[Region(Structure.DISC, above)]


def _parts(part: Compartment, outer: np.ndarray, core: np.ndarray) -> list[tuple[Compartment, np.ndarray]]:
    if part is Compartment.POSTERIOR:
        return [(part, outer)]
    return [(Compartment.CORTICAL, outer & ~core), (Compartment.CANCELLOUS, core)]
