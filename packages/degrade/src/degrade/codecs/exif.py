"""EXIF blocks and the directories they share with TIFF; the turn a camera asks for.

Source: TIFF 6.0, section 2; Exif 2.32, section 4.6.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from degrade.codecs.opencv import turned
from degrade.codecs.photo import Samples

ORIENTATION = 0x0112
PREFIX = b"Exif\0\0"

_FORMATS = {1: "B", 2: "B", 3: "H", 4: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d"}
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)[2-8]")
_TURNS: dict[int, tuple[bool, int | None]] = {  # what `turned` takes
    1: (False, None), 2: (False, 1), 3: (False, -1), 4: (False, 0),
    5: (True, None), 6: (True, 1), 7: (True, -1), 8: (True, 0),
}  # fmt: skip


@dataclass(frozen=True)
class Directory:
    """One directory of a TIFF structure. Values are looked up when asked for."""

    data: bytes
    order: str  # struct's sign of the byte order
    entries: dict[int, int]  # tag -> offset of its 12 bytes
    next: int  # offset of the following directory, or 0

    def place(self, tag: int) -> tuple[str, int, int]:
        """Type (as struct's letters), count and offset of the values of `tag`.

        Raises:
            ValueError: unknown type, or outside the file.
        """
        entry = self.entries[tag]
        kind, count = struct.unpack_from(self.order + "HI", self.data, entry + 2)
        letters = _FORMATS.get(kind)
        if letters is None:
            raise ValueError(f"tag {tag} has an unknown type")
        num_bytes = count * struct.calcsize(self.order + letters)
        offset = entry + 8 if num_bytes <= 4 else struct.unpack_from(self.order + "I", self.data, entry + 8)[0]
        if offset + num_bytes > len(self.data):
            raise ValueError(f"tag {tag} lies outside the file")
        return letters, count, offset

    def values(self, tag: int, default: tuple[float, ...] = ()) -> tuple[float, ...]:
        """The numbers of `tag`; a rational counts as one, and as 0 where its denominator is 0."""
        if tag not in self.entries:
            return default
        letters, count, offset = self.place(tag)
        numbers = struct.unpack_from(f"{self.order}{letters * count if len(letters) == 2 else f'{count}{letters}'}",
                                     self.data, offset)  # fmt: skip
        if len(letters) == 2:
            return tuple(a / b if b else 0.0 for a, b in zip(numbers[::2], numbers[1::2], strict=True))
        return numbers

    def number(self, tag: int, default: int) -> int:
        """The first whole number of `tag`."""
        return int((self.values(tag) or (default,))[0])

    def raw(self, tag: int) -> bytes | None:
        """The bytes of `tag`, or None where it is not there."""
        if tag not in self.entries:
            return None
        letters, count, offset = self.place(tag)
        return self.data[offset : offset + count * struct.calcsize(self.order + letters)]


def read_directory(data: bytes) -> Directory:
    """The first directory of a TIFF structure.

    Raises:
        ValueError: not one, or cut.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(data[:4]))
    try:
        if order is None:
            raise ValueError("no byte order")
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        entries = {}
        for offset in range(start + 2, start + 2 + 12 * count, 12):
            entries.setdefault(struct.unpack_from(order + "H", data, offset)[0], offset)
        (following,) = struct.unpack_from(order + "I", data, start + 2 + 12 * count)
    except struct.error:
        raise ValueError("its directory is cut") from None
    return Directory(data, order, entries, following)


def take_orientation(block: bytes | None) -> tuple[int, bytes | None, tuple[str, ...]]:
    """The turn that an EXIF block asks for (1 to 8), the block with orientation 1, and notes.

    A damaged block asks for nothing and is not kept.
    """
    if not block:
        return 1, None, ()
    block = bytes(block).removeprefix(PREFIX)
    try:
        directory = read_directory(block)
        orientation = directory.number(ORIENTATION, 1)
    except (ValueError, KeyError):
        return 1, None, ("damaged EXIF data left out",)
    return orientation if orientation in _TURNS else 1, with_orientation_1(block, directory), ()


def with_orientation_1(data: bytes, directory: Directory) -> bytes:
    """`data` with the orientation of its first directory set to 1, all offsets as they were."""
    if ORIENTATION not in directory.entries:
        return data
    patched, entry = bytearray(data), directory.entries[ORIENTATION]
    struct.pack_into(directory.order + "HIHH", patched, entry + 2, 3, 1, 1, 0)
    return bytes(patched)


def xmp_with_orientation_1(xmp: bytes | None) -> bytes | None:
    """XMP repeats the orientation; some readers use it when EXIF has none."""
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp) if xmp else None


def upright(array: Samples, orientation: int) -> Samples:
    """`array` (H, W) or (H, W, C) as stored, turned as EXIF's orientation says; C-contiguous."""
    return turned(array, *_TURNS[orientation])
