"""Test sets: which pictures there are, which LR belongs to which HR, and what a set is called."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from degrade.codecs import EXTENSIONS
from srzoo.errors import UsageError

_ROLE = re.compile(r"[_-](hr|lr)$", re.IGNORECASE)
_NAMELESS = re.compile(r"(hr|lr|gt|original|x\d|image_srf_\d|test|valid|val|images)", re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """A picture to be reached, and what to start from; None: it is made from `hr` by MATLAB's bicubic."""

    name: str
    hr: Path
    lr: Path | None = None


@dataclass(frozen=True)
class TestSet:
    """Pairs under one name; `hr` and `lr` are where they lie."""

    name: str
    pairs: tuple[Pair, ...]
    hr: Path
    lr: Path | None = None

    __test__ = False  # nothing for pytest to collect


def find_set(hr: Path, lr: Path | None = None, *, scale: int, name: str = "") -> TestSet:
    """The pairs of `find_pairs` under `name`, or what the path says: `Set5` for `Set5/x4/HR`."""
    return TestSet(name or _name(hr), tuple(find_pairs(hr, lr, scale=scale)), hr, lr)


def find_pairs(hr: Path, lr: Path | None = None, *, scale: int) -> list[Pair]:
    """The pictures in the folder `hr` and below (or the one file), in order, each with its partner in `lr`.

    Partners have the same path but for the suffix, a final `_HR` or `_LR`, the scale that DIV2K adds to its LR
    (`0801x4`), and what `srzoo upscale` adds to a truth that it enlarged (`photo_x4`). Two single files are partners
    whatever their names are.

    Raises:
        UsageError: no pictures, a picture without partner, or two that claim the same one.
    """
    truths = find_pictures("--hr", hr)
    if lr is None:
        return [Pair(name, path) for name, path in truths.values()]
    if hr.is_file() and lr.is_file():
        return [Pair(hr.name, hr, lr)]
    starts = find_pictures("--lr", lr)
    pairs = []
    for key, (name, path) in truths.items():
        partner = starts.get(key) or starts.get(f"{key}x{scale}") or starts.get(key.removesuffix(f"_x{scale}"))
        if partner is None:
            raise UsageError(f"--lr {lr}", f"no partner for {name}", "give both folders the same names")
        pairs.append(Pair(name, path, partner[1]))
    return pairs


def find_pictures(option: str, place: Path) -> dict[str, tuple[str, Path]]:
    """Name and path of each picture in `place` and below (or the one file), by what partners share.

    Raises:
        UsageError: no pictures, or two that are the same by name; the line begins with `option`.
    """
    if place.is_file():
        return {_shared(place.name): (place.name, place)}
    if not place.is_dir():
        raise UsageError(f"{option} {place}", "no such folder", "check the path")
    found: dict[str, tuple[str, Path]] = {}
    for folder, folders, files in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in sorted(Path(folder, name) for name in files if not name.startswith(".")):
            if path.suffix.lower() in EXTENSIONS:
                name = str(path.relative_to(place))
                other = found.setdefault(_shared(name), (name, path))[0]
                if other != name:
                    raise UsageError(
                        f"{option} {place}", f"{other} and {name} are the same by name", "keep one of them"
                    )
    if not found:
        raise UsageError(f"{option} {place}", "no pictures in this folder", "give the folder that holds them")
    return found


def _name(hr: Path) -> str:
    """The last part of the path that is not one of the names that every set has."""
    parts = [part for part in hr.absolute().parts if part != hr.anchor]
    telling = [part for part in parts if not _NAMELESS.fullmatch(part)]
    return telling[-1] if telling else str(hr)


def _shared(name: str) -> str:
    return _ROLE.sub("", str(Path(name).with_suffix("")))
