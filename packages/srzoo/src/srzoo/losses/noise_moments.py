"""Noise by its moments: how strong it is at which brightness, how colours go together, how far it reaches."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from srzoo.tensors import every_nth

_BINS = 8
_LAGS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0))  # LR pixels
_UNIT = (5 / 255) ** 2  # the variance that the term is stated in: noise of 5 grey levels
_FLAT = (10 / 255) ** 2  # the variance within 3 x 3 pixels at which a place counts a quarter
_KEPT = 0.98  # of the real moments, from step to step


def noise_moments(made: Tensor, wanted: Tensor, hr: Tensor, state: dict[str, Tensor]) -> Tensor:
    """How far the noise of `made` is from that of pairs like `wanted`, as statistics: a float32 scalar.

    Noise is what sets LR (B, C, h, w), clipped to [0, 1], apart from the pixels of `hr` (B, C, H, W) that recipe
    `nearest` takes, which makes SRDGAN's pairs. Squared differences of its mean and of its C x C second moments in 8
    bins of brightness, weighted by the bins' share of pixels, and of its autocovariance at five lags, where noise of 5
    grey levels counts 1. A draw of noise is never compared with another draw, so unlike a pixel distance this does not
    ask for the mean. Flat places count most: at edges two shots differ by more than noise.

    The moments of `wanted` are averaged over about 50 steps, in `state`: the objective's, which a resumed run gets
    back. Cameras differ, and with the few loud patches of one batch as its aim the noise ends too weak.

    Source: our own. Moments instead of a critic: Li et al. 2015, "Generative moment matching networks".
    """
    scale = hr.shape[2] // wanted.shape[2]
    plain = every_nth(hr, scale).float()
    flat = _flatness(plain.mean(1, keepdim=True))
    weights = flat[:, 0] * _bins(plain.mean(1))
    found, real = (_sums(picture.float().clamp(0, 1) - plain, flat, weights) for picture in (made, wanted))
    for name, value in real.items():
        key = f"moments_{name}"
        state[key] = value.detach() if key not in state else _KEPT * state[key] + (1 - _KEPT) * value.detach()
    aim = {name: state[f"moments_{name}"] for name in real}
    share = found["count"] / found["count"].sum()
    total = share @ (_mean(found, "first") - _mean(aim, "first")).square().sum(1) / _UNIT
    total = total + share @ (_mean(found, "second") - _mean(aim, "second")).square().sum((1, 2)) / _UNIT**2
    lags = found["lags"] / found["flat"] - aim["lags"] / aim["flat"]
    return total + lags.square().sum() / _UNIT**2


def _sums(noise: Tensor, flat: Tensor, weights: Tensor) -> dict[str, Tensor]:
    """Weighted sums over all pixels: of the weights, of the noise and of its products, by bin; of products, by lag."""
    return {
        "count": weights.sum((1, 2, 3)),
        "first": torch.einsum("kbhw,bchw->kc", weights, noise),
        "second": torch.einsum("kbhw,bchw,bdhw->kcd", weights, noise, noise),
        "flat": flat.sum(),
        "lags": torch.stack([_at_lag(noise, flat, *lag) for lag in _LAGS]),
    }


def _mean(sums: dict[str, Tensor], name: str) -> Tensor:
    values = sums[name]
    return values / (sums["count"] + 1e-6).reshape(-1, *[1] * (values.ndim - 1))


def _at_lag(noise: Tensor, flat: Tensor, down: int, right: int) -> Tensor:
    """(C,): the products, weighted by `flat` (B, 1, h, w), of pixels that lie `down` and `right` of each other."""
    height, width = noise.shape[2] - down, noise.shape[3] - right
    products = noise[:, :, :height, :width] * noise[:, :, down:, right:]
    fewer = flat.shape[2] * flat.shape[3] / (height * width)
    return fewer * (flat[:, :, :height, :width] * products).sum((0, 2, 3))


def _flatness(picture: Tensor) -> Tensor:
    """(B, 1, h, w) to weights: 1 where it is flat, 0.25 where it varies by 10 grey levels within 3 x 3 pixels."""
    around = F.pad(picture, (1, 1, 1, 1), mode="replicate")
    variance = F.avg_pool2d(around.square(), 3, 1) - F.avg_pool2d(around, 3, 1).square()
    return (_FLAT / (_FLAT + variance.clamp(min=0))).square()


def _bins(brightness: Tensor) -> Tensor:
    """(B, h, w), [0, 1], to weights (bins, B, h, w) that sum to 1: tents around the middles of 8 equal bins."""
    middles = (torch.arange(_BINS, device=brightness.device) + 0.5) / _BINS
    inside = brightness.clamp(0.5 / _BINS, 1 - 0.5 / _BINS)
    return (1 - (inside - middles[:, None, None, None]).abs() * _BINS).clamp(min=0)
