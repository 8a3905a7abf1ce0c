"""Which pictures a run is made from: files, folders, dead-leaves scenes, or what there is without any."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from degrade.errors import UsageError
from degrade.sources import dead_leaves, folder, samples
from degrade.sources.folder import Skipped
from degrade.sources.load import where
from degrade.sources.source import Source

DEFAULT_PAIRS = 2000  # made without photos of one's own
DEFAULT_SOURCES = 32  # the photographs at hand, topped up with scenes
SCENES, SCENE_SIDE = 32, 512  # of a bare `dead-leaves:`
MAX_SCENES, MAX_SCENE_SIDE = 1_000_000, 8192

_PREFIX = "dead-leaves:"
_SCENES = re.compile(r"dead-leaves:(?:(?P<count>\d{1,7}))?(?:@(?P<height>\d{1,5})x(?P<width>\d{1,5}))?")


@dataclass(frozen=True)
class Inputs:
    """Sources in the order of their SHA-256, no content twice; what was left out; a line about defaults."""

    sources: list[Source]
    skipped: list[Skipped]
    note: str | None = None


def gather(hr: Sequence[Path | str], *, least_side: int, patches: int | None = None) -> Inputs:
    """What the HR arguments of a run name; pictures smaller than `least_side` are left out.

    Without any, sample photographs and scenes: no more of them than `patches`, if that is known.

    Raises:
        UsageError: a path that is not there, or nothing usable; says how many were seen and why not.
    """
    if not hr:
        return _without_photos(least_side, DEFAULT_SOURCES if patches is None else min(patches, DEFAULT_SOURCES))
    paths, scenes = [], []
    for argument in hr:
        if str(argument).startswith(_PREFIX):
            scenes += _scenes(str(argument))
        else:
            paths.append(Path(argument))
    for path in paths:
        if not path.exists() and not path.is_symlink():
            raise UsageError(path, "no such file or folder", "check the name, or give no HR to use sample pictures")
    scan = folder.scan(paths) if paths else folder.Scan([], [])
    unique = {source.sha256: source for source in [*scan.sources, *scenes]}
    kept, small = large_enough([unique[key] for key in sorted(unique)], least_side)
    skipped = sorted([*scan.skipped, *small], key=lambda entry: (entry.path, entry.sha256, entry.kind))
    if not kept:
        raise UsageError(" ".join(map(str, hr)), *nothing_usable(skipped))
    return Inputs(kept, skipped)


def large_enough(sources: Sequence[Source], least_side: int) -> tuple[list[Source], list[Skipped]]:
    """Those in which a patch fits, and the others.

    Sizes of 0 (header not readable) pass: reading the picture will say what is wrong with it.
    """
    kept, small = [], []
    for source in sources:
        if source.height and min(source.height, source.width) < least_side:
            small.append(left_out(source, *too_small(source.height, source.width, least_side)))
        else:
            kept.append(source)
    return kept, small


def nothing_usable(skipped: Sequence[Skipped]) -> tuple[str, str]:
    """The problem and the cure when not one picture can be used."""
    if not skipped:
        return "no pictures seen", "name a folder with photos, or give no HR to use sample pictures"
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(entry.kind for entry in skipped).items()))
    first = f"{Path(skipped[0].path).name}: {skipped[0].message}"
    return f"{len(skipped)} inputs seen, none usable ({counts}; {first})", "give other photos"


def left_out(source: Source, kind: str, message: str) -> Skipped:
    """The entry for a source that cannot be used; a captured pair is named by its HR."""
    path = source.path if source.kind == "dead_leaves" else str(where(source))
    return Skipped(path=path, sha256=source.sha256, kind=kind, message=message)


def too_small(height: int, width: int, least_side: int) -> tuple[str, str]:
    """Kind and message for a picture in which no patch fits."""
    return "too small", f"{height} x {width} pixels; patches need at least {least_side} x {least_side}"


def _without_photos(least_side: int, count: int) -> Inputs:
    photographs, _ = large_enough(samples.photographs(), least_side)
    missing = max(count - len(photographs), 0)
    side = max(SCENE_SIDE, least_side)
    sources = [*photographs, *dead_leaves.scenes(missing, height=side, width=side)]
    what = f"{len(photographs)} sample photographs and {missing} generated scenes"
    if not photographs:
        what = f"{missing} generated scenes (pip install scikit-image adds photographs)"
    note = f"no HR given: using {what}; for your own photos: degrade synth PHOTOS/"
    return Inputs(sorted(sources, key=lambda source: source.sha256), [], note)


def _scenes(argument: str) -> list[Source]:
    stated = _SCENES.fullmatch(argument)
    if stated is None:
        raise UsageError(argument, "not a way to ask for scenes", "write dead-leaves:64 or dead-leaves:64@512x768")
    count = int(stated["count"] or SCENES)
    height, width = int(stated["height"] or SCENE_SIDE), int(stated["width"] or SCENE_SIDE)
    if not 1 <= count <= MAX_SCENES or not 16 <= min(height, width) <= max(height, width) <= MAX_SCENE_SIDE:
        limits = f"1 to {MAX_SCENES} scenes, 16 to {MAX_SCENE_SIDE} pixels a side"
        raise UsageError(argument, "a count or size out of range", limits)
    return dead_leaves.scenes(count, height=height, width=width)
