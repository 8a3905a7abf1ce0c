"""ARCHITECTURE.md draws the floors that `test_layers.py` enforces, and no room that is not built."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_draws_the_floors_that_are_enforced() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ (\d)  (\w.+?)  +(\d)  (\w.+)$", page, re.MULTILINE)
    assert len(lines) == 9
    drawn: dict[str, dict[str, int]] = {"degrade": {}, "srzoo": {}}
    for left, left_rooms, right, right_rooms in lines:
        drawn["degrade"] |= dict.fromkeys(left_rooms.split(), int(left))
        drawn["srzoo"] |= dict.fromkeys(right_rooms.split(), int(right))
    for package, floors in enforced().items():
        source = ROOT / "packages" / package / "src" / package
        built = {path.stem for path in source.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
        assert drawn[package] == {room: floor for room, floor in floors.items() if room in built}


def enforced() -> dict[str, dict[str, int]]:
    spec = importlib.util.spec_from_file_location("layers", ROOT / "tests" / "architecture" / "test_layers.py")
    assert spec is not None
    assert spec.loader is not None
    layers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(layers)
    return layers.FLOORS
