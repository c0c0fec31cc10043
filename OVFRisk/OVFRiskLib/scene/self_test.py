"""What the module's test inside Slicer does: a phantom through the scene, segmented by clicks and measured."""

import numpy as np
import slicer

from ..anatomy import Compartment, Region, VertebralLevel
from ..image import LabelMap

_LEVELS = (VertebralLevel.L2, VertebralLevel.L3, VertebralLevel.L4)
_BODY = (Compartment.CORTICAL, Compartment.CANCELLOUS)


def measured_and_true_volume(scene: slicer.vtkMRMLScene) -> tuple[float, float]:
    """Return the volume of the phantom's L3 as measured on what its clicks gave, and as it was made, cm³."""
    from ..attenuation import TrabecularSettings
    from ..ct_analysis import analyze_ct
    from ..ct_features import FeatureRequest
    from ..ct_segmentation import segment_ct
    from ..level_measurements import CtSettings
    from ..morphometry import HeightSettings
    from ..mrml import add_segmentation, add_volume, label_map_of, volume_of
    from ..muscle import MuscleSettings
    from ..phantom import PhantomSettings, make_patient
    from ..radiomics import Protocol
    from ..resources import resource
    from ..segmentation.compartments import PeelSettings
    from ..segmentation.engines import Request

    phantom = make_patient(PhantomSettings(seed=1, spacing=3.0))
    node = add_volume(scene, phantom.ct)
    ct = volume_of(node)
    found = segment_ct(ct, "seeded", Request(seeds=_clicks(phantom.compartments)), _quiet)
    labels = label_map_of(add_segmentation(scene, found.labels, node), ct)
    settings = CtSettings(
        PeelSettings(), TrabecularSettings(), HeightSettings(), MuscleSettings(), None, None, "not asked for"
    )
    protocol = Protocol.load(resource("Protocols", "ct-original.json"))
    result = analyze_ct(phantom.subject, ct, labels, _LEVELS, settings, FeatureRequest(protocol, ()), _quiet)
    where = {"level": VertebralLevel.L3, "compartment": Compartment.BODY, "name": "volume"}
    return result.measurements.value(**where), phantom.truth.value(**where)


def _clicks(compartments: LabelMap) -> tuple:
    """Return a point in each body: the middle of what the phantom labels there."""
    from ..segmentation.seeds import Seed

    seeds = []
    for level in _LEVELS:
        body = compartments.mask(*(Region(part, level) for part in _BODY))
        middle = np.argwhere(body.array).mean(axis=0)[::-1]
        seeds.append(Seed(compartments.to_ras(middle), level))
    return tuple(seeds)


def _quiet(_share: float, _text: str) -> None:
    pass
