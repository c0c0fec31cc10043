"""The ground truth of lesions, and of what went wrong in the exam."""

from ..anatomy import Compartment, Structure
from ..attenuation.phase import Phase
from .contrast import attenuation_in
from .lesion_drawing import lesion_places
from .lesions import DEFAULT_HU
from .paraspinal import SAC_DEPTH_MM
from .settings import PhantomSettings
from .spine import Spine
from .tissues import Tissue
from .truth_rows import HU, Truth

_PHASES = {Phase.NONE: 0, Phase.ARTERIAL: 1, Phase.PORTAL_VENOUS: 2}
_ORGANS = {
    Structure.AORTA: Tissue.AORTA,
    Structure.INFERIOR_VENA_CAVA: Tissue.VENA_CAVA,
    Structure.PORTAL_VEIN: Tissue.PORTAL_VEIN,
    Structure.KIDNEY_LEFT: Tissue.KIDNEY,
    Structure.KIDNEY_RIGHT: Tissue.KIDNEY,
}


def add_lesions(table: Truth, settings: PhantomSettings, spine: Spine) -> None:
    """Add where each lesion lies: middle (RAS mm), radius and length (mm) of a ball or shaft, and its attenuation.

    Names are ``<kind>_centre_right`` and so on; of screws ``metal_left_centre_right``.
    """
    for lesion in settings.lesions:
        for place in lesion_places(lesion, spine[lesion.level]):
            named = "_".join(part for part in (lesion.kind.replace("-", "_"), place.name) if part)
            for way, value in zip(("right", "anterior", "superior"), place.centre + settings.position, strict=True):
                table.add(lesion.level, Compartment.BODY, f"{named}_centre_{way}", value, "mm", "RAS")
            table.add(lesion.level, Compartment.BODY, f"{named}_radius", place.radius, "mm")
            table.add(lesion.level, Compartment.BODY, f"{named}_length", place.length, "mm")
        if lesion.kind in DEFAULT_HU:
            name = f"{lesion.kind.replace('-', '_')}_attenuation"
            table.add(lesion.level, Compartment.BODY, name, lesion.attenuation, HU, "before blur")


def add_exam(table: Truth, settings: PhantomSettings, spine: Spine) -> None:
    """Add contrast phase, attenuation of vessels and kidneys, shading, motion, stenosis and clipping that were set."""
    if settings.has_organs:
        table.add(None, None, "contrast_phase", _PHASES[settings.phase], "1", str(settings.phase))
        table.add(None, None, "marrow_enhancement", settings.enhancement_hu, HU)
        for structure, tissue in _ORGANS.items():
            table.add(None, structure, "mean_attenuation", attenuation_in(settings, tissue), HU)
    if settings.shading_percent:
        note = "signal at L1 against L4, of their mean; straight along head to foot"
        table.add(None, None, "shading_percent", settings.shading_percent, "%", note)
    for sequence, motion in settings.motion.items():
        for name, value, unit in zip(("anterior", "up", "rotation"), motion, ("mm", "mm", "deg"), strict=True):
            table.add(None, None, f"{sequence}_motion_{name}", value, unit, "of the patient, against the truth")
    for level, share in settings.stenosis.items():
        table.add(level, Structure.SPINAL_CANAL, "stenosis", share, "1", "share of the sac's depth that is lost")
        depth = SAC_DEPTH_MM * spine.scale * (1 - share)
        table.add(level, Structure.SPINAL_CANAL, "sac_depth", depth, "mm")
    if settings.mr_clip is not None:
        table.add(None, None, "signal_limit", settings.mr_clip, "[arb'U]")
