"""Which pictures are read and which file each becomes. Nothing is opened but folders."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from degrade.errors import DegradeError, ImageError, UsageError

OWN_NAME = re.compile(r"(.+)_x\d+(\.\d+)?")  # what an earlier run wrote beside its input
_NOT_WRITTEN = {".gif", ".heic", ".heif", ".jxl", ".jp2", ".pdf", ".psd", ".svg", ".tga", ".exr", ".dds"}


@dataclass(frozen=True)
class Job:
    """One picture and the file it becomes."""

    source: Path
    target: Path


@dataclass
class Plan:
    """What there is to do, and what cannot be done and why."""

    jobs: list[Job] = field(default_factory=list)
    refused: list[DegradeError] = field(default_factory=list)
    own: int = 0  # pictures found in folders that an earlier run made

    def __len__(self) -> int:
        return len(self.jobs) + len(self.refused)


@dataclass(frozen=True)
class Found:
    """A picture and its place below the folder it was found through."""

    source: Path
    place: Path


def plan(
    inputs: Sequence[Path], output: Path | None, *, scale: float, extensions: Collection[str], force: bool = False
) -> Plan:
    """Where each picture goes.

    Without `output` to `NAME_x4.png` beside it; into the folder `output` under the same name, sub-folders kept; to the
    file `output` if it has an image suffix and there is one picture. `a.jpg` and `a.png` side by side become
    `a_jpg_x4.png` and `a_png_x4.png`. Never onto an input; onto another existing file only with `force`.

    Args:
        extensions: suffixes of pictures, lower case with the dot.

    Raises:
        UsageError: `output` cannot be meant.
    """
    result = Plan()
    found = _find(inputs, output, extensions, result)
    single = _single_file(inputs, output, extensions)
    if single is not None:
        wanted = [Job(one.source, single) for one in found]
    else:
        wanted = _named(found, output, f"_x{scale:g}.png")
    _keep_safe(wanted, result, force=force)
    return result


def _find(inputs: Sequence[Path], output: Path | None, extensions: Collection[str], result: Plan) -> list[Found]:
    found: dict[str, Found] = {}
    for path in inputs:
        if not path.is_dir():
            found.setdefault(os.path.realpath(path), Found(path, Path(path.name)))
            continue
        refused, seen = len(result.refused), 0
        for seen, picture in enumerate(_below(path, output, extensions, result), start=1):  # noqa: B007  counts
            if _is_own(picture):
                result.own += 1
            else:
                found.setdefault(os.path.realpath(picture), Found(picture, picture.relative_to(path)))
        if not seen and len(result.refused) == refused:
            result.refused.append(ImageError(path, "no pictures in there", "name files, or folders of them"))
    return list(found.values())


def _below(folder: Path, output: Path | None, extensions: Collection[str], result: Plan) -> Iterator[Path]:
    """Pictures in `folder` and below, in order; hidden ones, links to folders and the output folder are left out."""

    def refuse(error: OSError) -> None:
        reason = error.strerror or str(error)
        result.refused.append(ImageError(error.filename or folder, reason.lower(), "chmod u+rx it"))

    excluded = os.path.realpath(output) if output is not None else None
    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(n for n in folders if n[0] != "." and os.path.realpath(Path(place, n)) != excluded)
        for name in sorted(names):
            if name[0] != "." and Path(name).suffix.lower() in extensions:
                yield Path(place, name)


def _is_own(picture: Path) -> bool:
    """Whether `picture` is `NAME_x4.png` beside a NAME of any image kind, or `NAME_jpg_x4.png` beside NAME.jpg."""
    match = OWN_NAME.fullmatch(picture.stem)
    if match is None or picture.suffix != ".png":
        return False
    stem, _, suffix = match[1].rpartition("_")
    names = {p.name for p in picture.parent.glob(f"{_literal(match[1])}.*")}
    return bool(names) or (bool(stem) and picture.with_name(f"{stem}.{suffix}").exists())


def _literal(text: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", text)


def _single_file(inputs: Sequence[Path], output: Path | None, extensions: Collection[str]) -> Path | None:
    """`output` if it names a file for the one picture there is."""
    if output is None or output.is_dir():
        return None
    suffix = output.suffix.lower()
    if suffix in _NOT_WRITTEN - set(extensions):
        raise UsageError(output, f"{suffix} is not written", f"use {', '.join(sorted(extensions))}, or a folder")
    if suffix not in extensions:
        if output.exists():
            raise UsageError(output, "is a file that is there already", "give -o another folder")
        return None
    if len(inputs) > 1 or inputs[0].is_dir():
        raise UsageError(output, "is one file, but there may be several pictures", "give -o a folder")
    return output


def _named(found: Sequence[Found], output: Path | None, ending: str) -> list[Job]:
    alike: dict[Path, list[Found]] = defaultdict(list)
    for one in found:
        folder = one.source.parent if output is None else output / one.place.parent
        alike[folder / one.place.stem].append(one)
    targets = {}
    for base, group in alike.items():
        differ = len({one.place.suffix for one in group}) > 1
        for one in group:
            kind = f"_{one.place.suffix.removeprefix('.')}" if differ else ""
            targets[one.source] = base.with_name(f"{base.name}{kind}{ending}")
    return [Job(one.source, targets[one.source]) for one in found]


def _keep_safe(wanted: Sequence[Job], result: Plan, *, force: bool) -> None:
    sources = {os.path.realpath(job.source) for job in wanted}
    taken: dict[str, Path] = {}
    for job in wanted:
        real = os.path.realpath(job.target)
        problem: UsageError | None = None
        if real in sources:
            problem = UsageError(job.target, "is one of the pictures to be read", "choose another -o")
        elif real in taken:
            problem = UsageError(job.source, f"would become {job.target}, as {taken[real]} does", "give it another -o")
        elif not force and os.path.lexists(job.target):
            problem = UsageError(job.target, "is there already", "overwrite with --force, or choose another -o")
        if problem is None:
            taken[real] = job.source
            result.jobs.append(job)
        else:
            result.refused.append(problem)
