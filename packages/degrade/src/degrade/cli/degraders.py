"""What `degrade inspect` says of a learned degrader, and the picture it draws of one that mixes blur kernels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from degrade.errors import UnsafeFileError, UsageError

if TYPE_CHECKING:
    from degrade.image import Pixels
    from degrade.report.kernels import Position

SCENE = 3  # number of the dead-leaves scene that stands in for a photo


def describe_degrader(path: Path) -> dict[str, Any]:
    """The card of a learned degrader, and whether it may be loaded; nothing of it is run."""
    import dataclasses

    from degrade.archive import open_archive
    from degrade.card import card_of
    from degrade.gate_torchscript import check
    from degrade.trust import is_trusted

    archive = open_archive(path)
    card = dataclasses.asdict(card_of(archive))
    try:
        check(archive)
        gate = "passed"
    except UnsafeFileError as error:
        gate = f"refused: {error.problem}"
    facts = {"bytes": len(archive.data), "sha256": archive.sha256}
    return {"kind": "degrader", "path": str(path), **card, **facts, "gate": gate, "trusted": is_trusted(archive.sha256)}


def plot_kernels(path: Path, out: Path, *, photo: Path | None, positions: Sequence[Position], force: bool) -> None:
    """Draw into `out` what the degrader `path` mixes for the middle of `photo` (else a synthetic scene).

    Args:
        positions: pixels (y, x) of `photo`, in its middle; none: one for each basis kernel, where that prevails.

    Raises:
        UsageError: `out` is there or no name for an image, a position outside, no torch, a degrader without kernels.
        ImageError: `photo` cannot be read. IntegrityError, UnsafeFileError: as of `degrade.trust.admit`.
    """
    from dataclasses import replace

    from degrade import codecs
    from degrade.card import read_card
    from degrade.image import to_float
    from degrade.ops.learned.mixture import mixture_of
    from degrade.report.kernels import SIDE, kernel_sheet, telling_positions

    if out.suffix.lower() not in codecs.EXTENSIONS:
        raise UsageError(out, "not a name for an image", "end it in .png")
    if out.exists() and (not force or (photo is not None and photo.exists() and out.samefile(photo))):
        raise UsageError(out, "is there already", "overwrite with --force, or choose another name")
    card, pixels = read_card(path), _pixels(photo)
    reach = 0 if card.receptive_field == "whole" else card.receptive_field
    shown, seen = _middle(pixels, SIDE, card.multiple), _middle(pixels, SIDE + 2 * reach, card.multiple)
    positions = [(y - shown[0].start, x - shown[1].start) for y, x in positions]
    cut = pixels[shown].copy()
    if any(not (0 <= y < cut.shape[0] and 0 <= x < cut.shape[1]) for y, x in positions):
        cure = "y from {} to {}, x from {} to {}".format(*(edge for s in shown for edge in (s.start, s.stop - 1)))
        raise UsageError("--at", "outside of the middle of the photo, which is drawn", cure)
    mixture = mixture_of(path, to_float(pixels[seen]))
    inner = tuple(slice(s.start - t.start, s.stop - t.start) for s, t in zip(shown, seen, strict=True))
    mixture = replace(mixture, maps=mixture.maps[:, *inner])
    sheet = kernel_sheet(
        mixture,
        cut,
        positions or telling_positions(mixture),
        title=card.name,
        photo_name=photo.name if photo else "a synthetic scene",
        origin=(shown[0].start, shown[1].start),
    )
    codecs.write(out, codecs.Photo(sheet), overwrite=force)


def _pixels(photo: Path | None) -> Pixels:
    """(H, W, 3)."""
    from degrade import codecs
    from degrade.sources import dead_leaves

    if photo is None:
        return dead_leaves.load(dead_leaves.scenes(1, SCENE)[0])
    pixels = codecs.rgb8(codecs.decode(codecs.read_bytes(photo), str(photo)))
    return pixels.repeat(3, 2) if pixels.shape[2] == 1 else pixels


def _middle(pixels: Pixels, side: int, multiple: int) -> tuple[slice, slice]:
    """Rows and columns: at most `side` of each, beginning and ending where blocks of `multiple` pixels do."""
    if min(pixels.shape[:2]) < 2 * multiple:
        raise UsageError("--photo", f"smaller than {2 * multiple} pixels", "give a larger one")
    lengths = [(length, min(length, side) // multiple * multiple) for length in pixels.shape[:2]]
    rows, columns = ((length - kept) // 2 // multiple * multiple for length, kept in lengths)
    return slice(rows, rows + lengths[0][1]), slice(columns, columns + lengths[1][1])
