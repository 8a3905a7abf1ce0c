"""The photographs that ship inside scikit-image: nothing is downloaded, and without it there are none."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from degrade import codecs
from degrade.errors import ImageError
from degrade.sources.source import Source

ROOT = "scikit-image"  # stands for the folder, wherever it is installed

# Sharp photographs. Left out: diagrams, text, silhouettes, microscopy, and what motion has blurred.
PHOTOGRAPHS = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "hubble_deep_field.jpg",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "retina.jpg",
    "rocket.jpg",
    "brick.png",  # gray from here on
    "camera.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "moon.png",
)


def photographs() -> list[Source]:
    """The sample photographs, in the order of their SHA-256; none if scikit-image is not installed."""
    found = []
    for name in PHOTOGRAPHS:
        try:
            data = codecs.read_bytes(folder() / name)
            header = codecs.header(data, name)
        except ImageError:  # another version of scikit-image may ship fewer
            continue
        found.append(Source("file", ROOT, name, codecs.sha256(data), len(data), header.height, header.width))
    return sorted(found, key=lambda source: source.sha256)


def folder() -> Path:
    """Where scikit-image keeps them.

    Raises:
        ImageError: it is not installed.
    """
    spec = find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise ImageError(ROOT, "scikit-image is not installed", "pip install scikit-image, or give photos of your own")
    return Path(spec.submodule_search_locations[0]) / "data"
