"""Files and folders as sources: any mix, recursive, each content once, in an order that no listing decides."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from degrade import codecs
from degrade.errors import ImageError
from degrade.sources.source import Source

_READERS = 4  # files read and hashed at a time


@dataclass(frozen=True, slots=True)
class Skipped:
    """An input that is no source, and why."""

    path: str
    sha256: str  # '' if it could not be read
    kind: str
    message: str


@dataclass(frozen=True)
class Scan:
    """Sources in the order of their SHA-256, skipped in the order of their path."""

    sources: list[Source]
    skipped: list[Skipped]


class _Found(NamedTuple):
    root: Path
    path: Path
    is_named: bool  # by the user, not found in a folder

    @property
    def whole(self) -> Path:
        return self.root / self.path


def scan(paths: Sequence[Path | str]) -> Scan:
    """All images that `paths` name: files, and folders with everything below them.

    In a folder, names that begin with a dot and names without an image's suffix are passed over in silence; links
    are followed to files that lie in the same folder, never out of it (unless the link itself is given) and never
    to folders; pipes and devices are not opened. A file that is given itself needs no suffix, only the content.
    Of files with the same bytes one stays, whatever their order. An image whose header is damaged stays, with a
    height and width of 0: reading it will fail, and no other picture changes its place in a plan.
    """
    files = listed(paths)
    sources: dict[str, Source] = {}
    for source in files.sources:
        sources.setdefault(source.sha256, source)
    return Scan([sources[key] for key in sorted(sources)], files.skipped)


def listed(paths: Sequence[Path | str]) -> Scan:
    """As `scan`, but every file stays, whatever its content, in the order of the paths: names count here."""
    found: list[_Found] = []
    skipped: list[Skipped] = []
    for path in paths:
        _look_at(Path(path), found, skipped)
    with ThreadPoolExecutor(_READERS) as pool:
        results = list(pool.map(_identify, sorted(set(found), key=_place)))
    skipped += [result for result in results if isinstance(result, Skipped)]
    return Scan(
        [result for result in results if isinstance(result, Source)],
        sorted(set(skipped), key=lambda entry: (os.fsencode(entry.path), entry.kind, entry.message)),
    )


def _look_at(path: Path, found: list[_Found], skipped: list[Skipped]) -> None:
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as error:
        skipped.append(_unreachable(path, error))
        return
    if is_folder:
        found.extend(_below(path, skipped))
    else:
        found.append(_Found(path.parent, Path(path.name), is_named=True))


def _below(root: Path, skipped: list[Skipped]) -> Iterator[_Found]:
    """The images in `root` and its folders."""
    real_root = root.resolve()
    waiting, seen = [Path()], set()
    while waiting:
        folder = waiting.pop()
        try:
            status = (root / folder).stat()
            if (status.st_dev, status.st_ino) in seen:  # mounted into itself
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = list(os.scandir(root / folder))
        except OSError as error:
            skipped.append(_unreachable(root / folder, error))
            continue
        for entry in entries:
            path, is_link = folder / entry.name, entry.is_symlink()
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
                continue
            is_folder_link = is_link and (root / path).is_dir()
            if not is_folder_link and path.suffix.lower() not in codecs.EXTENSIONS:
                continue
            if is_link and not _target(root / path).is_relative_to(real_root):
                skipped.append(_leads_out(root / path))
            elif not is_folder_link:
                yield _Found(root, path, is_named=False)


def _target(link: Path) -> Path:
    """Where a link leads to in the end; a loop of links leads to one of them."""
    return Path(os.path.realpath(link))


def _place(item: _Found) -> tuple[bytes, bytes]:
    """The order in which the first of equal files is kept."""
    return os.fsencode(item.whole), os.fsencode(item.root)


def _identify(item: _Found) -> Source | Skipped:
    """Read the file once: its hash, and what its header says."""
    try:
        data = codecs.read_bytes(item.whole)
    except ImageError as error:
        return Skipped(str(item.whole), "", "unreadable", f"{error.problem} - {error.cure}")
    digest = codecs.sha256(data)
    try:
        header = codecs.header(data, item.whole)
        height, width = header.height, header.width
    except ImageError as error:
        if item.is_named and item.path.suffix.lower() not in codecs.EXTENSIONS:
            return Skipped(str(item.whole), digest, "no image", f"{error.problem} - {error.cure}")
        height = width = 0
    return Source("file", str(item.root), str(item.path), digest, len(data), height, width)


def _unreachable(path: Path, error: OSError | ValueError) -> Skipped:
    if isinstance(error, PermissionError):
        return Skipped(str(path), "", "unreadable", "permission denied - chmod u+rx it")
    if isinstance(error, FileNotFoundError):
        reason = "a link to nothing - mend it" if path.is_symlink() else "not there - check the name"
        return Skipped(str(path), "", "missing", reason)
    reason = error.strerror if isinstance(error, OSError) else error
    return Skipped(str(path), "", "unreadable", f"{reason} - check the name")


def _leads_out(path: Path) -> Skipped:
    return Skipped(str(path), "", "link", "a link out of the folder is not followed - name what it leads to")
