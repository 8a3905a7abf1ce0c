"""Crops of real photographs, to be laid beside what a recipe makes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from degrade.errors import ImageError, UsageError

if TYPE_CHECKING:
    from degrade.cli.apply import Found
    from degrade.report import Cell


def real_crops(
    folder: Path, side: int, count: int, *, scale: int = 1, seed: int = 0, min_detail: float = 0.0
) -> list[Cell]:
    """`count` crops of `side` x `side` pixels of the photographs in `folder` and below, as cells of a sheet.

    One of each photograph before there is a second of any. Which ones follows from the seed and their names below
    `folder`, and where a crop lies from these and the pixels. What cannot be read or is too small is passed over.

    Args:
        scale: HR size over LR size, for the cure alone: sizes are stated in HR pixels.
        min_detail: as of a patch: where a crop may lie.

    Raises:
        UsageError: no such folder, or nothing in it that can be used.
    """
    from degrade.cli.apply import find_photos

    if not folder.is_dir():
        raise UsageError(folder, "no such folder", "name a folder of real LR photographs")
    photos = sorted(find_photos([folder]), key=lambda found: _key(found, seed))
    cells: list[Cell] = []
    turn = 0
    while len(cells) < count:
        usable, problems = [], []
        for found in photos:
            if len(cells) == count:
                break
            try:
                cells.append(_crop(found, side, scale, turn, _key(found, seed), min_detail))
                usable.append(found)
            except ImageError as error:
                problems.append(error)
        if not usable:
            first = problems[0]
            problem = f"none of {len(photos)} photographs can be used ({Path(first.subject).name}: {first.problem})"
            raise UsageError(folder, problem, first.cure)
        photos, turn = usable, turn + 1
    return cells


def _key(found: Found, seed: int) -> int:
    """Where the random numbers of a photograph come from."""
    from degrade.rng import source_key

    return source_key(seed, hashlib.sha256(found.place.as_posix().encode("utf-8", "surrogateescape")).hexdigest())


def _crop(found: Found, side: int, scale: int, turn: int, key: int, min_detail: float) -> Cell:
    """Raises ImageError: not readable, or too small."""
    from degrade import codecs
    from degrade.report import Cell
    from degrade.rng import Stream
    from degrade.synthesize.cutter import position

    data = codecs.read_bytes(found.photo)
    header = codecs.header(data, found.photo)
    least = min(header.height, header.width)
    if least < side:
        problem = f"{header.width} x {header.height} pixels are too few for crops of {side}"
        raise ImageError(found.photo, problem, f"use --patch {least * scale}")
    pixels = codecs.rgb8(codecs.decode(data, str(found.photo)))
    y, x = position(pixels, Stream(key, turn), side, min_detail)
    lines = f"real: {found.place}", f"{side} x {side} pixels at y {y}, x {x}"
    return Cell(pixels[y : y + side, x : x + side].copy(), lines, is_reference=True)
