"""A pool of earlier fakes: a critic that is also shown old ones forgets them less, and swings less."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from degrade.rng import block, name_word

_LOW = (1 << 32) - 1


def through_pool(
    pool: Tensor | None, fakes: Tensor, keys: Sequence[int], *, size: int, purpose: str
) -> tuple[Tensor, Tensor]:
    """What a critic is shown in place of `fakes` (B, C, H, W), detached; and the pool after it, to be handed in next.

    Picture by picture: while the pool holds fewer than `size`, the picture is kept and shown. Then, with probability
    1/2, it takes the place of a random one in the pool, which is shown instead; else it is shown itself.

    Args:
        pool: (N, C, H, W), N at most `size`; written to. None: empty.
        keys: 64 bits for each picture, which all that is random is drawn from.
        size: 0 shows every picture itself.
        purpose: parts the random numbers of pools that are given the same keys.

    Source: Shrivastava et al. 2017, "Learning from simulated and unsupervised images through adversarial training",
    section 2.3; the law is that of CycleGAN's code.
    """
    fakes = fakes.detach()
    pool = fakes.new_empty((0, *fakes.shape[1:])) if pool is None else pool
    shown = fakes.clone()
    for row, (fake, key) in enumerate(zip(fakes, keys, strict=True)):
        if len(pool) < size:
            pool = torch.cat([pool, fake[None].contiguous()])
        elif size and (place := _place(key, purpose, size)) is not None:
            shown[row] = pool[place]
            pool[place] = fake
    return shown, pool


def chance(key: int, purpose: str) -> float:
    """A random number in [0, 1) of `key`, its own for each `purpose`."""
    return (block(key, (0, 0, name_word(purpose), 0))[0] >> 11) / (1 << 53)


def _place(key: int, purpose: str, size: int) -> int | None:
    """Whose place the picture of `key` takes in a full pool, if it takes one."""
    coin, place = block(key, (0, 0, name_word(purpose), 0))
    return ((place & _LOW) * size) >> 32 if coin >> 63 else None
