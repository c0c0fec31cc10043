"""Stands in for PythonQt's `qt`."""

from pathlib import Path


class QIcon:
    """An icon; unlike Qt's, it does not take a file that is not there."""

    def __init__(self, path: str) -> None:
        if not Path(path).is_file():
            raise FileNotFoundError(path)
        self.path = path
