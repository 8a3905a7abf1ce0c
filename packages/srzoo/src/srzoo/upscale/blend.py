"""Pieces of one picture that fade into their neighbours, so that no seam shows where they do not quite agree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from srzoo.upscale.tiles import Span


def crossfade(pieces: Iterable[Tensor], common: int, dim: int) -> Iterator[Tensor]:
    """What `pieces` (B, C, h, w) show together, in parts whose concatenation along `dim` is the whole.

    Each piece is read when its turn comes, and a part is given as soon as no later piece can change it: memory holds
    one piece and `common` pixels of the one before. Where two pieces agree, the result is theirs bit for bit.

    Args:
        common: pixels that the end of a piece shares with the start of the next; every piece has at least twice as
            many where both its ends are shared. There the weight rises as (1 - cos) / 2.
    """
    weight = ramp(common).view(-1, *(1,) * (3 - dim))
    end: Tensor | None = None
    for piece in pieces:
        if end is not None:
            start, rest = piece.tensor_split((common,), dim)
            piece = torch.cat((torch.lerp(end, start, weight), rest), dim)
        part, end = piece.tensor_split((piece.shape[dim] - common,), dim)
        yield part
    if end is not None:
        yield end


def ramp(pixels: int) -> Tensor:
    """(pixels,) float32 weights that rise from 0 to 1 like half a cosine, at pixel centres."""
    centres = (torch.arange(pixels, dtype=torch.float64) + 0.5) / max(pixels, 1)
    return (0.5 - 0.5 * torch.cos(math.pi * centres)).float()


def shown(axis: Sequence[Span], scale: int, overlap: int) -> tuple[list[slice], int]:
    """What each window of `axis` shows of its SR, and how many HR pixels of that it shares with each neighbour.

    Neighbours fade over half the overlap, with the cut in the middle (less where tiles are narrower than that). The
    rest of the overlap is only looked at: what a window lacks shows most where it ends.
    """
    if len(axis) == 1:
        return [slice(0, None)], 0
    narrowest = min(span.hr[1] - span.hr[0] for span in axis)
    reach = min(overlap * scale // 4, narrowest // 2)
    end = axis[-1].hr[1]
    ranges = [(max(0, span.hr[0] - reach), min(end, span.hr[1] + reach)) for span in axis]
    starts = [span.lr[0] * scale for span in axis]
    return [slice(low - start, high - start) for (low, high), start in zip(ranges, starts, strict=True)], 2 * reach
