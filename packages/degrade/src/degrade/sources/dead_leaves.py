"""Procedural scenes as sources: their description is their identity, and all that is stored of them."""

from __future__ import annotations

import re

from degrade.codecs import MAX_PIXELS, MAX_SIDE, sha256
from degrade.errors import ImageError
from degrade.functional.dead_leaves import VERSION, render
from degrade.image import Pixels
from degrade.sources.source import Source

ROOT = "dead-leaves"

_DESCRIPTION = re.compile(r"dead-leaves:(\d{1,4}):(\d{1,5})x(\d{1,5}):(\d{1,12})")  # version : height x width : number


def scenes(count: int, first: int = 0, height: int = 512, width: int = 512) -> list[Source]:
    """Scenes number `first` to `first + count - 1`, in that order."""
    return [_scene(f"dead-leaves:{VERSION}:{height}x{width}:{first + k}", height, width) for k in range(count)]


def load(source: Source) -> Pixels:
    """The pixels of a scene, (H, W, 3).

    Raises:
        ImageError: a description that is not one, does not match its SHA-256, or is of another version.
    """
    stated = _DESCRIPTION.fullmatch(source.path)
    if stated is None or sha256(source.path.encode()) != source.sha256:
        raise ImageError(source.path, "not the description of a scene", "start over with the scenes named anew")
    version, height, width, _ = (int(group) for group in stated.groups())
    if version != VERSION:
        raise ImageError(source.path, f"this degrade draws version {VERSION} of scenes", f"use one with {version}")
    if not 1 <= min(height, width) <= max(height, width) <= MAX_SIDE or height * width > MAX_PIXELS:
        raise ImageError(source.path, "a scene of a size that is not made", f"use 1 to {MAX_SIDE:,} pixels a side")
    return render(height, width, int(source.sha256[:16], 16))


def _scene(description: str, height: int, width: int) -> Source:
    data = description.encode()
    return Source("dead_leaves", ROOT, description, sha256(data), len(data), height, width)
