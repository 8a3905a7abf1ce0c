"""Photographs that a learned degrader takes for an example."""

from __future__ import annotations

from functools import lru_cache

from degrade import codecs
from degrade.assets.places import place
from degrade.errors import ImageError, IntegrityError
from degrade.image import Pixels


@lru_cache(maxsize=8)
def reference(sha256: str) -> Pixels:
    """The photograph with that SHA-256, (H, W, 3) uint8 sRGB.

    Raises:
        IntegrityError: not registered in this process, changed since, or not readable.
    """
    path = place(sha256, "reference")
    try:
        data = codecs.read_bytes(path)
        if codecs.sha256(data) != sha256:
            raise ImageError(path, "the reference changed while it was in use", "start over with it as it is now")
        return codecs.rgb8(codecs.decode(data, path))
    except ImageError as error:
        raise IntegrityError(error.subject, error.problem, error.cure) from None
