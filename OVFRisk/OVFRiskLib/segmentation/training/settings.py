"""Everything that fixes a training."""

from dataclasses import dataclass

from ...errors import UserError

_STRIDES = 8  # the network halves its patch three times


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained; with the same cases and settings the same network comes out (on the same machine).

    Parameters
    ----------
    epochs : int
        At most; it ends earlier when the validation Dice no longer grows.
    patch : int
        Edge of the training patches and of the network's window, voxels; a multiple of 8.
    spacing_mm : float
        Voxel size that the network works at.
    width : int
        Channels of the first level; each of the three below has twice those above it.
    steps, batch : int
        Steps an epoch, patches a step.
    learning_rate : float
        At the start; falls to zero along a half cosine.
    patience : int
        Epochs without a better validation Dice before it ends.
    validation_share : float
        Of the cases, at least one; they are drawn by the seed and never trained on.
    shell_mm : float or None
        Learn the outer shell of the bodies of this depth as cortical bone; None learns the labels as they are.
    seed : int
    """

    epochs: int = 150
    patch: int = 64
    spacing_mm: float = 1.0
    width: int = 16
    steps: int = 60
    batch: int = 2
    learning_rate: float = 2e-3
    patience: int = 30
    validation_share: float = 0.2
    shell_mm: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.patch % _STRIDES or not 16 <= self.patch <= 192:
            raise UserError(f"A patch of {self.patch} voxels does not fit the network.", "Give 16, 24, 32, … 192.")
        if not 0.5 <= self.spacing_mm <= 5:
            raise UserError(f"A voxel size of {self.spacing_mm:g} mm is out of range.", "Give 0.5 to 5 mm.")
        if self.shell_mm is not None and not 0 < self.shell_mm <= 5:
            raise UserError(f"A shell of {self.shell_mm:g} mm is out of range.", "Give up to 5 mm.")
