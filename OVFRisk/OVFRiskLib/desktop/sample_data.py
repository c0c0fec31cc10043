"""The sample patient in Slicer's module Sample Data: made on the spot, nothing is downloaded."""

import slicer

from ..panels.words import _
from ..resources import resource

_NAME = "OVFRiskPhantom"


def register() -> None:
    """Offer the sample patient, where Slicer has its module Sample Data."""
    try:
        from SampleData import SampleDataLogic
    except ImportError:  # Slicer was built without it
        return
    SampleDataLogic.registerCustomSampleDataSource(
        category="OVFRisk",
        sampleName=_NAME,
        uris="",  # none: Slicer asks for as many of them as there are file names
        fileNames="",
        nodeNames=_("Synthetic spine (CT, T1, T2, STIR)"),
        thumbnailFileName=str(resource("Icons", "SamplePatient.png")),
        loadFileType="VolumeFile",
        customDownloader=open_sample,
    )


def open_sample(_source: object = None) -> list:
    """Go to the module, which makes the patient as a job that can be cancelled; nothing is in the scene yet."""
    slicer.util.selectModule("OVFRisk")
    slicer.modules.OVFRiskWidget.shell.panels[0].on_open_sample()
    return []
