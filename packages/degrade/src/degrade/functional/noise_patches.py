"""Real noise, cut from photographs, laid over an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from degrade.image import mirrored
from degrade.jit import jit

LEVEL = 1.0 / (255 * 256)  # the unit of stored noise, 1/256 grey level, in [0, 1]


def add_noise_patch(
    image: NDArray[np.float32],
    patch: NDArray[np.int16],
    strength: float,
    offset: tuple[int, int],
    origin: tuple[int, int] = (0, 0),
) -> NDArray[np.float32]:
    """`image + strength * noise`, the patch continued by mirroring with its edge repeated; not clipped.

    Args:
        image: (H, W, 1 or 3); one channel gets the luma (BT.601) of the noise.
        patch: (p, p, 3) in 1/256 grey level.
        offset: row and column of the mirrored plane, which repeats every 2 p, that lies on the pixel `origin` counts
            from; from p on the patch appears flipped.
        origin: row and column of the image's first pixel, counted from the patch's.

    Source: Impressionism (Ji et al. 2020), section 3. Departs from it: the mean that is subtracted is the whole
    patch's (in the pool), not the crop's, so that a wider window changes nothing.
    """
    starts = offset[0] + origin[0], offset[1] + origin[1]
    rows, columns = (mirrored(starts[i], starts[i] + image.shape[i], patch.shape[i]) for i in (0, 1))
    out = np.empty_like(image)
    _laid(image, patch, np.float32(strength * LEVEL), rows, columns, out)
    return out


@jit
def _laid(image, patch, strength, rows, columns, out):
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            noise = patch[rows[y], columns[x]]
            if image.shape[2] == 1:
                red, green, blue = np.float32(noise[0]), np.float32(noise[1]), np.float32(noise[2])
                luma = np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue
                out[y, x, 0] = image[y, x, 0] + strength * luma
            else:
                for c in range(3):
                    out[y, x, c] = image[y, x, c] + strength * np.float32(noise[c])
