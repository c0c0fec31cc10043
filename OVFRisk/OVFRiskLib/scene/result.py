"""A result folder of ``ovfrisk analyze``, to be opened."""

from pathlib import Path

from ..errors import UserError


def result_scene(folder: str | Path) -> Path:
    """Return the scene file of a result folder.

    Raises
    ------
    UserError
        When the folder holds no scene.
    """
    scene = Path(folder) / "scene.mrb"
    if not scene.is_file():
        raise UserError(f"{folder} holds no scene.mrb.", "Choose the folder that ovfrisk analyze has written.")
    return scene
