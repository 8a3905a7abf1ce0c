"""A source as pixels, checked against its SHA-256."""

from __future__ import annotations

from pathlib import Path

from degrade import codecs
from degrade.errors import ImageError
from degrade.image import Pixels
from degrade.sources import dead_leaves, samples
from degrade.sources.source import Source


def load(source: Source) -> Pixels:
    """(H, W, 3) uint8 sRGB, upright.

    Raises:
        ImageError: not readable, damaged, or no longer what was listed.
    """
    if source.kind == "dead_leaves":
        return dead_leaves.load(source)
    path = where(source)
    data = codecs.read_bytes(path)
    if codecs.sha256(data) != source.sha256:
        raise ImageError(path, "the file changed since it was listed", "start over with the files as they are now")
    return codecs.rgb8(codecs.decode(data, path))


def where(source: Source) -> Path:
    """The path of a source that is a file."""
    root = samples.folder() if source.root == samples.ROOT else Path(source.root)
    return root / source.path
