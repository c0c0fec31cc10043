"""Every choice of the panels, saved with the scene.

Only types that Slicer's ``parameterNodeWrapper`` knows; enumerations are stored by the names of their members: never
rename one. A field whose default says "not given" is never replaced by an assumption.
"""

from enum import Enum

import slicer

from .words import _

_PHASES = {
    "": "not given",
    "none": "no contrast medium",
    "arterial": "arterial",
    "portal-venous": "portal venous",
}
_CALIBRATIONS = {
    "none": "none: no bone density",
    "line": "the scanner's line (JSON file)",
    "rods": "rods of a phantom in the scan",
    "internal": "the patient's own muscle and fat",
}
_BODIES = {
    "segmentation": "a segmentation on MRI",
    "clicks": "clicks into the bodies",
    "file": "regions of an earlier result (file)",
}


class Sex(Enum):
    """As it was given."""

    UNKNOWN = ""
    F = "F"
    M = "M"

    def label(self) -> str:
        """Return what a list shows."""
        return {"": _("not given"), "F": _("female"), "M": _("male")}[self.value]


class PhaseChoice(Enum):
    """Contrast phase of the CT; the values are those of `attenuation.Phase`."""

    NOT_GIVEN = ""
    NONE = "none"
    ARTERIAL = "arterial"
    PORTAL_VENOUS = "portal-venous"

    def label(self) -> str:
        """Return what a list shows."""
        return _(_PHASES[self.value])


class CalibrationChoice(Enum):
    """Where bone density comes from."""

    NONE = "none"
    LINE = "line"  # a JSON file with the scanner's line
    RODS = "rods"  # of a phantom in the scan
    INTERNAL = "internal"  # the patient's own muscle and fat

    def label(self) -> str:
        """Return what a list shows."""
        return _(_CALIBRATIONS[self.value])


class BodiesChoice(Enum):
    """Where the vertebral bodies are on MRI."""

    SEGMENTATION = "segmentation"
    CLICKS = "clicks"  # one a body, or the first and the last
    FILE = "file"  # regions.json of an earlier result

    def label(self) -> str:
        """Return what a list shows."""
        return _(_BODIES[self.value])


class Parameters:
    """What is chosen; a node reference is None where nothing is chosen."""

    # 1 Images
    ct: slicer.vtkMRMLScalarVolumeNode
    t1: slicer.vtkMRMLScalarVolumeNode
    t2: slicer.vtkMRMLScalarVolumeNode
    stir: slicer.vtkMRMLScalarVolumeNode
    subject: str = ""
    sex: Sex = Sex.UNKNOWN
    age: float = 0.0  # years; 0 is not given
    phase: PhaseChoice = PhaseChoice.NOT_GIVEN
    calibration: CalibrationChoice = CalibrationChoice.NONE
    calibration_file: str = ""  # of LINE
    rods: str = ""  # of RODS: mg/cm3, "0,50,100,200"
    synthetic: bool = False  # the images are a phantom's
    result_folder: str = ""  # of `ovfrisk analyze`, to be opened

    # 2 Segmentation
    segmentation: slicer.vtkMRMLSegmentationNode
    seeds: slicer.vtkMRMLMarkupsFiducialNode
    engine: str = "seeded"  # a name in segmentation.engines.ENGINES
    first_level: str = "L1"  # of the first point that is clicked
    between: int = -1  # vertebrae between two points that are to be found as well; -1: every body was clicked
    use_anchor: bool = False  # the first point names the levels of `automatic` and `monai`
    levels: str = ""  # what is kept of the result, e.g. "T11-L2"; "" is all
    whole: bool = False
    bundle: str = ""  # folder of a MONAI bundle
    fast: bool = False  # TotalSegmentator's fast model
    device: str = "cpu"  # where networks run
    split_bodies: bool = False  # into cortical and cancellous bone, at once
    cortical_depth: float = 2.0  # mm
    cortical_voxels: int = 0  # so many voxels in place of the depth; 0: by the depth

    # 3 CT
    protocol: str = "ct-original"
    ct_levels: str = ""  # "" is all
    structures: slicer.vtkMRMLSegmentationNode  # muscles, vessels and rods, if not in `segmentation`
    ct_whole: bool = True  # features of these parts
    ct_cortical: bool = True
    ct_cancellous: bool = True
    include_lesions: bool = False  # in trabecular attenuation
    feature_filter: str = ""

    # 4 VBQ
    vbq_bodies: BodiesChoice = BodiesChoice.CLICKS
    vbq_segmentation: slicer.vtkMRMLSegmentationNode  # on MRI
    vbq_clicks: slicer.vtkMRMLMarkupsFiducialNode
    vbq_top: str = "T12"  # the level of the uppermost click
    vbq_bottom: str = "L5"  # and of the lowest
    vbq_regions_file: str = ""
    vbq_regions: slicer.vtkMRMLTextNode  # what the regions' curves are known by, see `scene.regions`
    vbq_csf_level: str = ""  # where CSF is wanted; "" is L3, or beside it where that is narrow
    vbq_statistic: str = "mean"  # or "median"
    fractured: str = ""  # levels that are left out, e.g. "L2"
    vbq_exclude: bool = True  # veins, haemangiomas, sclerosis
    vbq_motion: bool = True  # regions follow the patient
    vbq_n4: bool = False  # the coil's shading is taken off first
    reader: str = ""  # a code
    readings: str = ""  # folder that readings are kept in

    # 5 Score
    models_proposed: bool = True  # apply the published models of these images, whatever `models` says
    models: str = ""  # to apply: names, or paths of bundles, one a line
    model_files: str = ""  # bundles that were opened, one a line
    export_folder: str = ""
    export_formats: str = "csv,html,seg"
