"""Divide a folder of photographs into OUT/train and OUT/test: `python datasets/split.py PHOTOS OUT --test 12 --dark 8`.

Which photograph goes where depends on its name alone, so folders of pairs (lr/ and hr/ with the same names) divide
alike, and more photographs move none. With --dark the test photographs are laid out in two folders, test/dark and
test/bright, by Ren et al. 2020's measure: the median of BT.601 luma, below or above 64, those close to it left out.
With --scene a whole scene is kept out: photographs whose names agree in the pattern's group, `(.*)_` for desk_1 and 2.
With --each the scenes kept out are those of every kind alike: kinds agree in that pattern's group, the camera's name.
The packages never import from here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
from fnmatch import fnmatch
from pathlib import Path

from degrade.codecs import EXTENSIONS, read, rgb8
from srzoo.upscale.fuse import median_luma

DARK, BRIGHT = 60.0, 68.0  # a network's output may move the median by a few levels about 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--test", type=int, required=True, help="photographs kept for testing (bright, with --dark)")
    parser.add_argument("--dark", type=int, default=0, help="dark photographs kept for testing, besides")
    parser.add_argument("--train-only", metavar="GLOB", action="append", default=[], help="names never tested on")
    parser.add_argument("--scene", metavar="REGEX", help="count scenes, not photographs: names that share this group")
    parser.add_argument("--each", metavar="REGEX", help="of each kind in proportion: names that share this group")
    arguments = parser.parse_args()
    if arguments.dark and (arguments.scene or arguments.each):
        parser.error("--dark goes neither with --scene nor with --each")
    options = {name: getattr(arguments, name) for name in ("test", "dark", "train_only", "scene", "each")}
    counts = divide(arguments.photos, arguments.out, **options)
    print(f"{arguments.photos}: " + ", ".join(f"{count} in {arguments.out / part}" for part, count in counts.items()))


def divide(
    photos: Path,
    out: Path,
    test: int,
    dark: int = 0,
    train_only: list[str] | None = None,
    scene: str | None = None,
    each: str | None = None,
) -> dict[str, int]:
    """Link (or copy) every photograph into its part; the number in each. `out/split.json`, written last, lists them.

    Raises:
        SystemExit: no photographs, or too few to keep that many.
    """
    parts = chosen(photos, test, dark, train_only or [], scene, each)
    shutil.rmtree(out, ignore_errors=True)
    for part, paths in parts.items():
        (out / part).mkdir(parents=True)
        for path in paths:
            _link(path, out / part / path.name)
    record = json.dumps({part: [path.name for path in paths] for part, paths in parts.items()}, indent=1)
    (out / "split.json").write_text(record + "\n", encoding="utf-8")
    return {part: len(paths) for part, paths in parts.items()}


def chosen(
    photos: Path, test: int, dark: int, train_only: list[str], scene: str | None = None, each: str | None = None
) -> dict[str, list[Path]]:
    """The photographs of each part, by name."""
    if not photos.is_dir():
        raise SystemExit(f"{photos}: no such folder - name a folder of photographs")
    found = sorted(path for path in photos.iterdir() if path.suffix.lower() in EXTENSIONS)
    wanted = {"test/bright": test, "test/dark": dark} if dark else {"test": test}
    parts: dict[str, list[Path]] = {part: [] for part in wanted}
    scenes: dict[str, list[Path]] = {}
    for path in found:
        if not any(fnmatch(path.name, pattern) for pattern in train_only):
            scenes.setdefault(_group(path, scene), []).append(path)
    left = dict(wanted)
    order = sorted(scenes, key=lambda name: hashlib.sha256(name.encode()).digest())
    for name in _in_proportion(order, each) if each else order:
        part = _brightness(scenes[name][0]) if dark and any(left.values()) else "test"
        if part is not None and left.get(part):
            parts[part] += scenes[name]
            left[part] -= 1
    kept = {path for paths in parts.values() for path in paths}
    parts["train"] = [path for path in found if path not in kept]
    short = [f"{wanted[part] - count} of {wanted[part]} for {part}" for part, count in left.items() if count]
    if short or not parts["train"]:
        raise SystemExit(f"{photos}: only {', '.join(short) or 'enough to test'} - give more photographs")
    return {part: sorted(paths) for part, paths in parts.items()}


def _group(path: Path, pattern: str | None) -> str:
    match = re.match(pattern, path.stem) if pattern else None
    return match[1] if match else path.stem


def _in_proportion(names: list[str], pattern: str) -> list[str]:
    """Any first few of the result hold each kind of names by its share of them all, to one."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(_group(Path(name), pattern), []).append(name)
    places = [((place + 0.5) / len(kind), name) for kind in kinds.values() for place, name in enumerate(kind)]
    return [name for _, name in sorted(places)]


def _brightness(path: Path) -> str | None:
    median = median_luma(rgb8(read(path)))
    return "test/dark" if median < DARK else "test/bright" if median > BRIGHT else None


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


if __name__ == "__main__":
    main()
