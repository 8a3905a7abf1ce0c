"""Where the files that a recipe uses lie: pools, learned degraders, folders of photographs, known by SHA-256.

A recipe names a file; an op holds name and SHA-256 (`PoolFile`, `ModelFile`, `ReferenceFolder`), a trace the SHA-256
alone. `register` tells this process where it lies.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from degrade import codecs
from degrade.errors import ImageError, IntegrityError, MissingModelError, UsageError

MAX_BYTES = 1 << 30
SUFFIX, MODEL_SUFFIX = ".npz", ".pt"
# Models that recipes name and that everybody trains on a camera of their own.
TRAINED_BY = {"cyclegan": "srzoo train cyclegan", "ddnsr": "srzoo train ddnsr-paper", "dsgan": "srzoo train dsgan"}

_places: dict[str, Path] = {}  # SHA-256: where this process found it
_folders: dict[str, tuple[Reference, ...]] = {}  # SHA-256 of a folder of references: what lies in it


@dataclass(frozen=True)
class PoolFile:
    """A pool as a recipe names it, and the SHA-256 of the file that was found."""

    name: str = field(compare=False)  # the content counts, not what it is called
    sha256: str


@dataclass(frozen=True)
class ModelFile:
    """A learned degrader as a recipe names it, and the SHA-256 of the file that was found."""

    name: str = field(compare=False)
    sha256: str


@dataclass(frozen=True)
class ReferenceFolder:
    """A folder of real photographs as a recipe names it, and the SHA-256 of what lies in it (`references`)."""

    name: str = field(compare=False)
    sha256: str


Asset = PoolFile | ModelFile | ReferenceFolder
KINDS: tuple[type[Asset], ...] = (PoolFile, ModelFile, ReferenceFolder)


@dataclass(frozen=True, slots=True)
class Reference:
    """A photograph in a folder of references; height and width are upright."""

    sha256: str
    height: int
    width: int


def find(name: str, folder: Path | None = None, kind: type[Asset] = PoolFile) -> Path:
    """Where asset `name` lies: a file or folder beside the recipe (`folder`) or in the current folder.

    A name without the suffix of its kind (`x`, not `x.npz` or `x.pt`) is one that comes with degrade.

    Raises:
        UsageError: there is none; says where it was looked for. MissingModelError: it is one of `TRAINED_BY`.
    """
    if kind is not ReferenceFolder and not name.endswith(SUFFIX if kind is PoolFile else MODEL_SUFFIX):
        return _packaged(name, kind)
    for candidate in ([] if folder is None else [folder / name]) + [Path(name)]:
        if candidate.is_dir() if kind is ReferenceFolder else candidate.is_file():
            return candidate
    what, cure = {
        PoolFile: ("pool", "make one with `degrade harvest PHOTOS -o pool.npz`"),
        ModelFile: ("model", "check the path, or make one with `srzoo export-degrader`"),
        ReferenceFolder: ("folder", "name a folder of real LR photographs"),
    }[kind]
    raise UsageError(name, f"no such {what} {'here' if folder is None else f'in {folder}'}", cure)


def packaged() -> list[Path]:
    """All pools and models that come with degrade."""
    root = _root()
    return sorted([*(root / "pools").glob(f"*{SUFFIX}"), *(root / "models").glob(f"*{MODEL_SUFFIX}")])


def is_packaged(place: Path) -> bool:
    """Whether it comes with degrade, and is found by name wherever degrade is installed."""
    return place.parent in (_root() / "pools", _root() / "models")


def register(path: Path) -> str:
    """Note where a file, or a folder of references with all its photographs, lies; its SHA-256.

    Raises:
        UsageError: it cannot be read, or is a folder without photographs.
    """
    if path.is_dir():
        return _register_folder(path)
    digest = hashlib.sha256(read(path)).hexdigest()
    _places[digest] = path
    return digest


def place(sha256: str, what: str) -> Path:
    """Where the file with that SHA-256 lies; `what` it is, for the message.

    Raises:
        IntegrityError: not registered in this process.
    """
    found = _places.get(sha256)
    if found is None:
        cure = "give the file, or the recipe beside it"
        raise IntegrityError(f"{what} {sha256[:16]}...", "it is not known where it lies", cure)
    return found


def references(sha256: str) -> tuple[Reference, ...]:
    """The photographs of a registered folder, each content once, in the order of their SHA-256.

    The folder's own SHA-256 is that of theirs, a line each: names do not count, nor does where it lies.
    """
    return _folders[sha256]


def read(path: Path) -> bytes:
    """The bytes of a file, at most `MAX_BYTES`.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(path, f"larger than {MAX_BYTES:,} bytes", "keep fewer patches")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(path, f"cannot be read: {error.strerror}", "check the path") from None


def _root() -> Path:
    return Path(str(resources.files("degrade")))


def _packaged(name: str, kind: type[Asset]) -> Path:
    is_pool = kind is PoolFile
    found = _root() / ("pools" if is_pool else "models") / f"{name}{SUFFIX if is_pool else MODEL_SUFFIX}"
    if found.is_file():
        return found
    what, cure = ("pool", "give a file: pool = 'mine.npz'") if is_pool else ("model", "give a file: model = 'mine.pt'")
    if not is_pool and name in TRAINED_BY:
        raise MissingModelError(
            f"model '{name}'",
            "does not come with degrade",
            f"train one (`{TRAINED_BY[name]}`, `srzoo export-degrader`)",
        )
    raise UsageError(f"{what} '{name}'", "does not come with degrade", cure)


def _register_folder(folder: Path) -> str:
    found: dict[str, Reference] = {}
    for path in _photos(folder):
        try:
            data = codecs.read_bytes(path)
            header = codecs.header(data, path)
        except ImageError as error:
            raise UsageError(path, error.problem, f"{error.cure}, or take it out of the folder") from None
        digest = codecs.sha256(data)
        found[digest], _places[digest] = Reference(digest, header.height, header.width), path
    if not found:
        raise UsageError(folder, "no photographs in it", "name a folder of real LR photographs")
    whole = hashlib.sha256("".join(f"{digest}\n" for digest in sorted(found)).encode()).hexdigest()
    _folders[whole] = tuple(found[digest] for digest in sorted(found))
    return whole


def _photos(folder: Path) -> Iterator[Path]:
    """Image files in `folder` and below; hidden ones, and links to folders, left out."""
    for below, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in codecs.EXTENSIONS:
                yield Path(below, name)
