"""The sample patient: a phantom that was made on the spot, into a scene."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import slicer

from ..errors import UserError
from ..image import Modality
from .volumes import keep_acquisition

_FILES = {Modality.CT: "ct", Modality.T1: "t1", Modality.T2: "t2", Modality.STIR: "stir"}


@dataclass(frozen=True)
class Sample:
    """What was added to the scene.

    Parameters
    ----------
    volumes : mapping of Modality to vtkMRMLScalarVolumeNode
    subject : str
    sex : str
    age : float
        Years.
    """

    volumes: Mapping[Modality, slicer.vtkMRMLScalarVolumeNode]
    subject: str
    sex: str
    age: float


def add_sample(scene: slicer.vtkMRMLScene, folder: Path) -> Sample:
    """Add the images that ``ovfrisk phantom`` wrote to `folder`.

    Raises
    ------
    UserError
        When the folder holds no phantom.
    """
    from ..files.read_images import read_volume
    from ..mrml import add_volume

    try:
        about = json.loads((folder / "phantom.json").read_text("utf-8"))
        subject, settings = str(about["subject"]), about["settings"]
        sex, age = str(settings["sex"]), float(settings["age"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder} holds no synthetic patient ({error}).", "Make it again.") from error
    images = {modality: read_volume(folder / f"{name}.nii.gz", modality) for modality, name in _FILES.items()}
    volumes = {}
    for modality, image in images.items():
        node = add_volume(scene, image)
        node.SetName(f"{subject} {modality}")
        keep_acquisition(node, settings.get("mr_acquisition", {}).get(_FILES[modality], {}))
        volumes[modality] = node
    return Sample(volumes, subject, sex, age)
