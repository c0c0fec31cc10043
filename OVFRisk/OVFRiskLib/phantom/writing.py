"""A synthetic patient as files."""

import json
from pathlib import Path

from ..errors import UserError
from ..files.tables import write_measurements
from ..files.write_images import write_labels, write_volume
from .patient import Phantom

SCHEME = "ovfrisk"


def write_patient(phantom: Phantom, folder: Path) -> None:
    """Write images, label maps (scheme ``ovfrisk``), ``truth.csv`` and ``phantom.json`` into `folder`, made if need be.

    Raises
    ------
    UserError
        When the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}.", "Choose another folder.") from error
    for name in ("ct", "t1", "t2", "stir"):
        write_volume(folder / f"{name}.nii.gz", getattr(phantom, name))
    for name in ("labels", "compartments", "mr_bodies"):
        write_labels(folder / f"{name}.nii.gz", getattr(phantom, name))
    write_measurements(folder / "truth.csv", phantom.truth)
    about = {
        "SYNTHETIC": "A computed patient: no human being was imaged.",
        "subject": phantom.subject,
        "label_scheme": SCHEME,
        "settings": phantom.settings.as_json(),
    }
    (folder / "phantom.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
