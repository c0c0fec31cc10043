"""What is measured of the paraspinal muscles, and how."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

from ..anatomy import Structure, VertebralLevel
from ..errors import UserError
from ..measurement import protocol_id

SIDES: Mapping[Structure, tuple[Structure, Structure]] = MappingProxyType(
    {
        Structure.ERECTOR_SPINAE: (Structure.ERECTOR_SPINAE_LEFT, Structure.ERECTOR_SPINAE_RIGHT),
        Structure.PSOAS: (Structure.PSOAS_LEFT, Structure.PSOAS_RIGHT),
    }
)
"""Left and right of each muscle."""
LEFT = tuple(left for left, _ in SIDES.values())
LUMBAR = VertebralLevel.span("L1-L5")


@dataclass(frozen=True)
class MuscleSettings:
    """How paraspinal muscle is measured.

    Parameters
    ----------
    fat_hu, lean_hu : (float, float)
        Whole HU that count as fat and as lean muscle (ranges of Aubrey et al., Acta Physiol 2014, PMID
        24393306: -190 to -30 and -29 to 150 HU). They part between the two whole numbers.
    ordinary_noise_hu : float
        Noise of a CT of ordinary dose. Where the image is noisier, the spread of the values is narrowed to what this
        noise would have left of it before fat and lean voxels are counted. Infinite: never.
    psoas_mm : float
        How far the psoas reaches beside the bodies' side walls; what its label holds further aside is iliacus (a label
        map's "iliopsoas" is both). The psoas is 37 to 43 mm wide (means of adults by body mass index, SD 4.5 mm;
        abstract of "Morphometry of the Psoas Muscle in Individuals with Chronic Low Back Pain using Magnetic Resonance
        Imaging", jbmcs.org.ng).
    fewest_voxels : int
        Fewer give no value.
    """

    fat_hu: tuple[float, float] = (-190.0, -30.0)
    lean_hu: tuple[float, float] = (-29.0, 150.0)
    ordinary_noise_hu: float = 20.0
    psoas_mm: float = 45.0
    fewest_voxels: int = 50

    def __post_init__(self) -> None:
        if not self.fat_hu[0] < self.fat_hu[1] < self.lean_hu[0] < self.lean_hu[1]:
            raise UserError(
                f"Fat {self.fat_hu} and lean muscle {self.lean_hu} HU are no ranges in ascending order.",
                "Give (lowest, highest) of each, fat below lean muscle.",
            )

    @property
    def protocol_id(self) -> str:
        """Identifies how the muscles were measured."""
        settings = asdict(self)
        if self.ordinary_noise_hu == float("inf"):
            settings["ordinary_noise_hu"] = None  # JSON has no infinity
        return protocol_id("muscle", settings)
