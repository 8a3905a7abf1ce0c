"""Pictures and small builders that the tests of the door share; nothing is stored."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from degrade.functional.dead_leaves import render


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """(53, 70, 3) uint8, sharp, coloured, of an odd size."""
    return render(53, 70, 11)


@pytest.fixture(scope="session")
def deep() -> np.ndarray:
    """(23, 31, 4) uint16 noise over the whole range."""
    return np.random.default_rng(5).integers(0, 65536, (23, 31, 4)).astype(np.uint16)


@pytest.fixture(scope="session")
def saved() -> Callable[..., bytes]:
    """A picture (array or Pillow's) as a file of Pillow's making."""

    def save(picture: np.ndarray | Image.Image, format: str, **options: object) -> bytes:
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        buffer = BytesIO()
        image.save(buffer, format, **options)
        return buffer.getvalue()

    return save


@pytest.fixture(scope="session")
def chunk() -> Callable[[bytes, bytes], bytes]:
    """A PNG chunk."""

    def build(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return build


@pytest.fixture(scope="session")
def exif() -> Callable[..., bytes]:
    """An EXIF block in either byte order: maker, orientation, and a copyright that lies behind an offset."""

    def build(orientation: int, order: str = "<") -> bytes:
        maker, copyright_text = b"abc\0", b"someone, somewhere\0"
        body = struct.pack(order + "H", 3)
        body += struct.pack(order + "HHI", 0x010F, 2, 4) + maker
        body += struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
        body += struct.pack(order + "HHII", 0x8298, 2, len(copyright_text), 8 + 2 + 36 + 4)
        body += struct.pack(order + "I", 0) + copyright_text
        return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8) + body

    return build


@pytest.fixture(scope="session")
def profile() -> Callable[..., bytes]:
    """A colour profile (ICC version 2): three primaries (XYZ at D50) and one gamma."""

    def build(primaries: np.ndarray, gamma: float, space: bytes = b"RGB ") -> bytes:
        def xyz(values: np.ndarray) -> bytes:
            return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))

        white = np.array([0.9642, 1.0, 0.8249])
        tags = {b"desc": b"desc\0\0\0\0\0\0\0\2x\0" + bytes(78), b"cprt": b"text\0\0\0\0none\0", b"wtpt": xyz(white)}
        curve = b"curv\0\0\0\0\0\0\0\1" + struct.pack(">HH", round(gamma * 256), 0)
        for letter, primary in zip("rgb", primaries, strict=True):
            tags[f"{letter}XYZ".encode()], tags[f"{letter}TRC".encode()] = xyz(primary), curve
        table, data, at = b"", b"", 128 + 4 + 12 * len(tags)
        for name, body in tags.items():
            padded = body + bytes(-len(body) % 4)
            table += name + struct.pack(">II", at + len(data), len(body))
            data += padded
        size = at + len(data)
        head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02100000, b"mntr", space, b"XYZ ") + bytes(12) + b"acsp"
        head += bytes(28) + struct.pack(">3i", *(round(value * 65536) for value in white))
        return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data

    return build
