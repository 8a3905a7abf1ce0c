"""Which codec libraries Pillow was built with: a distribution's Pillow may have others than the wheel."""

from __future__ import annotations

from PIL import features

_LIBRARIES = {"webp": "libwebp", "avif": "libavif"}


def codec_versions() -> list[str]:
    """`libwebp 1.6.0` and the like, of those that are there."""
    found = ((name, features.version(feature)) for feature, name in _LIBRARIES.items())
    return [f"{name} {version}" for name, version in found if version]
