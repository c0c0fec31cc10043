"""Points in vertebral bodies from our own JSON or a markups file of 3D Slicer."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..segmentation.seeds import Seed

_FORMAT = 'Write {"coordinate_system": "RAS", "seeds": [{"level": "L1", "point": [r, a, s]}, …]}, in mm.'
_TO_RAS = {"RAS": (1, 1, 1), "LPS": (-1, -1, 1), "0": (1, 1, 1), "1": (-1, -1, 1)}  # Slicer wrote numbers up to 4.11


def read_seeds(path: Path) -> tuple[Seed, ...]:
    """Read seeds.

    Parameters
    ----------
    path : Path
        ``.mrk.json`` with a point list whose labels are levels (``L1``), or JSON such as
        ``{"coordinate_system": "RAS", "seeds": [{"level": "L1", "point": [1.0, 2.0, 3.0]}]}``; a level may be left out.

    Returns
    -------
    tuple of Seed
        In the order of the file. Points that the reader has not placed are left out.

    Raises
    ------
    UserError
        When the file cannot be read, names no coordinate system, or a label is no level.
    """
    path = Path(path)
    content = _content(path)
    rows, system = _markups(content, path) if "markups" in content else _own(content, path)
    if str(system) not in _TO_RAS:
        raise UserError(f"{path.name} does not say whether its points are RAS or LPS.", _FORMAT)
    if not rows:
        raise UserError(f"{path.name} holds no point.", "Click once into each vertebral body and save again.")
    return tuple(_seed(label, point, _TO_RAS[str(system)], path) for label, point in rows)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from error
    except ValueError as error:
        raise UserError(f"{path.name} is no JSON file ({error}).", _FORMAT) from error
    if not isinstance(content, dict):
        raise UserError(f"{path.name} holds no seeds.", _FORMAT)
    return content


def _own(content: dict[str, Any], path: Path) -> tuple[list[tuple[Any, Any]], Any]:
    if "seeds" not in content:
        raise UserError(f"{path.name} holds neither seeds nor markups.", _FORMAT)
    seeds = content["seeds"]
    if not isinstance(seeds, list) or not all(isinstance(seed, dict) for seed in seeds):
        raise UserError(f"{path.name}: 'seeds' is no list of points.", _FORMAT)
    return [(seed.get("level"), seed.get("point")) for seed in seeds], content.get("coordinate_system")


def _markups(content: dict[str, Any], path: Path) -> tuple[list[tuple[Any, Any]], Any]:
    lists = [markup for markup in content["markups"] if markup.get("type") == "Fiducial"]
    if len(lists) != 1:
        raise UserError(f"{path.name} holds {len(lists)} point lists.", "Save one point list (not a line or curve).")
    points = [p for p in lists[0].get("controlPoints", []) if p.get("positionStatus", "defined") == "defined"]
    return [(p.get("label"), p.get("position")) for p in points], lists[0].get("coordinateSystem")


def _seed(label: Any, point: Any, to_ras: tuple[int, int, int], path: Path) -> Seed:
    text = str(label or "").strip().upper()
    if text and text not in set(VertebralLevel):
        raise UserError(
            f"{path.name}: the point '{label}' names no vertebral level.", "Name points L1, T12, … or not at all."
        )
    try:
        return Seed(np.array(point, dtype=float) * to_ras, VertebralLevel(text) if text else None)
    except (TypeError, ValueError) as error:
        raise UserError(f"{path.name}: {point} is no point of three numbers.", _FORMAT) from error
