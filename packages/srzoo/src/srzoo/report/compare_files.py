"""Which picture in a folder belongs to which photograph, by name."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from degrade.codecs import EXTENSIONS
from srzoo.errors import UsageError

_ADDED = re.compile(r"(_x\d+(\.\d+)?|x\d|[_-](hr|lr|sr))+$", re.IGNORECASE)  # what programs add to a photo's name


@dataclass(frozen=True)
class Folder:
    """Pictures under one name, by the name of their photograph; `option` is what the user wrote."""

    option: str
    by_stem: dict[str, Path]
    by_photo: dict[str, Path]

    def of(self, photo: str) -> Path:
        """The picture of `photo` (a file's name without suffix): of the same name, or but for `_x4`, `_HR`, `_LR`.

        Raises:
            UsageError: there is none.
        """
        found = self.by_stem.get(photo) or self.by_photo.get(photo_name(photo))
        if found is None:
            raise UsageError(self.option, f"no picture of {photo}", "give all folders the same names")
        return found


def read_folder(option: str, path: Path) -> Folder:
    """The pictures in the folder `path` and below, hidden ones left out; or the one file.

    Raises:
        UsageError: no such folder, nothing in it, or two pictures of one photograph.
    """
    if path.is_file():
        return Folder(option, {path.stem: path}, {photo_name(path.stem): path})
    if not path.is_dir():
        raise UsageError(option, "no such folder", "check the path")
    by_stem: dict[str, Path] = {}
    by_photo: dict[str, Path] = {}
    for picture in _pictures(path):
        other = by_photo.setdefault(photo_name(picture.stem), picture)
        if other != picture:
            problem = f"{other.relative_to(path)} and {picture.relative_to(path)} are of one photo by their names"
            raise UsageError(option, problem, "keep one of them")
        by_stem[picture.stem] = picture
    if not by_stem:
        raise UsageError(option, "no pictures in this folder", "give the folder that holds them")
    return Folder(option, by_stem, by_photo)


def photo_name(stem: str) -> str:
    """`0801` of `0801x4`, `0801_x4`, `0801_HR`."""
    return _ADDED.sub("", stem) or stem


def photos_of(folders: Sequence[Folder]) -> list[str]:
    """The photographs that the first of `folders` has, by name, in order."""
    return list(folders[0].by_photo)


def _pictures(path: Path) -> list[Path]:
    found = []
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(folder, name) for name in sorted(files) if not name.startswith(".")]
    return [picture for picture in found if picture.suffix.lower() in EXTENSIONS]
