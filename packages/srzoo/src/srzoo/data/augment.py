"""Random crops, flips and turns, addressed by the number of the sample: no state, no order, no workers in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from numpy.typing import NDArray

from degrade.rng import block, name_word

_LOW = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Draw:
    """One crop: its LR corner, and one of the eight orientations of a square (see `oriented`)."""

    y: int
    x: int
    orientation: int


def stream_key(seed: int, stage: int, purpose: str = "") -> int:
    """The 64-bit key of one stage of a run: of all its crops, or of what `purpose` names."""
    text = f"srzoo:{seed}:{stage}{purpose and f':{purpose}'}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def draw(key: int, sample: int, *, rows: int, columns: int) -> Draw:
    """The crop of sample number `sample`: a corner in `rows` x `columns` places, and an orientation."""
    first, second = block(key, (sample & _LOW, sample >> 32, name_word("augment"), 0))
    return Draw(((first >> 32) * rows) >> 32, ((first & _LOW) * columns) >> 32, second >> 61)


def noise_key(key: int, sample: int) -> int:
    """The key of the noise that sample number `sample` gets."""
    return block(key, (sample & _LOW, sample >> 32, name_word("noise"), 0))[0]


def oriented(image: NDArray, orientation: int) -> NDArray:
    """A view of an (H, W, C) image: bit 0 mirrors left-right, bit 1 top-bottom, bit 2 then swaps the axes."""
    if orientation & 1:
        image = image[:, ::-1]
    if orientation & 2:
        image = image[::-1]
    return image.transpose(1, 0, 2) if orientation & 4 else image


def copy_oriented(image: NDArray, orientation: int, out: NDArray) -> None:
    """Write `oriented(image)` into `out`; channel by channel where rows turn, which NumPy does four times faster."""
    turned = oriented(image, orientation)
    if orientation & 5:
        for channel in range(out.shape[2]):
            out[..., channel] = turned[..., channel]
    else:
        out[...] = turned
