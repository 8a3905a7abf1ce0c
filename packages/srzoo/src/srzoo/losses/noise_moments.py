"""Noise by its moments: how strong it is at which brightness, how colours go together, how far it reaches."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from srzoo.tensors import every_nth

_BINS = 8
_LAGS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0))  # LR pixels
_UNIT = (5 / 255) ** 2  # the variance that the term is stated in: noise of 5 grey levels
_CALM = ((6 / 255) ** 2, (14 / 255) ** 2)  # the variance at which a place is not flat any more; is texture
_KEPT = 0.98  # of the real moments, from step to step
_FEW = 1e-6  # pixels; keeps what holds none from dividing by 0


def noise_moments(made: Tensor, wanted: Tensor, hr: Tensor, state: dict[str, Tensor]) -> Tensor:
    """How far the noise of `made` is from that of pairs like `wanted`, as statistics: a float32 scalar.

    Noise is what sets LR (B, C, h, w), clipped to [0, 1], apart from the pixels of `hr` (B, C, H, W) that recipe
    `nearest` takes, which makes SRDGAN's pairs. Squared differences of its mean and of its C x C second moments in 8
    bins of brightness, weighted by the bins' share of pixels, and of its autocovariance at five lags, where noise of 5
    grey levels counts 1. A draw of noise is never compared with another draw, so unlike a pixel distance this does not
    ask for the mean. Flat places and those of a little texture are compared apart, each with its like: cameras smooth
    the ones and sharpen the others. Edges are left out: there two shots differ by more than noise.

    The moments of `wanted` are averaged over about 50 steps, in `state`: the objective's, which a resumed run gets
    back. Cameras differ, and with the few loud patches of one batch as its aim the noise ends too weak.

    Source: our own. Moments instead of a critic: Li et al. 2015, "Generative moment matching networks".
    """
    scale = hr.shape[2] // wanted.shape[2]
    plain = every_nth(hr, scale).float()
    brightness = plain.mean(1, keepdim=True)
    bins = _bins(brightness[:, 0])
    textures = _textures(brightness)
    num_places = sum(places.sum() for places in textures) + _FEW
    noises = [picture.float().clamp(0, 1) - plain for picture in (made, wanted)]
    total = made.new_zeros((), dtype=torch.float32)
    for name, places in zip(("flat", "textured"), textures, strict=True):
        found, real = (_sums(noise, places, bins) for noise in noises)
        total = total + places.sum() / num_places * _distance(found, _averaged(real, name, state))
    return total


def _averaged(real: dict[str, Tensor], name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The sums `real`, each averaged with those of the steps before, which `state` keeps."""
    for key, value in real.items():
        kept = f"moments_{name}_{key}"
        state[kept] = value.detach() if kept not in state else _KEPT * state[kept] + (1 - _KEPT) * value.detach()
    return {key: state[f"moments_{name}_{key}"] for key in real}


def _distance(found: dict[str, Tensor], aim: dict[str, Tensor]) -> Tensor:
    share = found["count"] / (found["count"].sum() + _FEW)
    total = share @ (_mean(found, "first") - _mean(aim, "first")).square().sum(1) / _UNIT
    total = total + share @ (_mean(found, "second") - _mean(aim, "second")).square().sum((1, 2)) / _UNIT**2
    lags = found["lags"] / (found["all"] + _FEW) - aim["lags"] / (aim["all"] + _FEW)
    return total + lags.square().sum() / _UNIT**2


def _sums(noise: Tensor, places: Tensor, bins: Tensor) -> dict[str, Tensor]:
    """Weighted sums over all pixels: of the weights, of the noise and of its products, by bin; of products, by lag.

    Products are of `noise` (B, C, h, w) less the mean of each picture's channel.
    """
    weights = places[:, 0] * bins
    centred = noise - (places * noise).sum((2, 3), keepdim=True) / (places.sum((2, 3), keepdim=True) + _FEW)
    return {
        "count": weights.sum((1, 2, 3)),
        "first": torch.einsum("kbhw,bchw->kc", weights, noise),
        "second": torch.einsum("kbhw,bchw,bdhw->kcd", weights, centred, centred),
        "all": places.sum(),
        "lags": torch.stack([_at_lag(centred, places, *lag) for lag in _LAGS]),
    }


def _mean(sums: dict[str, Tensor], name: str) -> Tensor:
    values = sums[name]
    return values / (sums["count"] + _FEW).reshape(-1, *[1] * (values.ndim - 1))


def _at_lag(noise: Tensor, places: Tensor, down: int, right: int) -> Tensor:
    """(C,): the products, weighted by `places` (B, 1, h, w), of pixels that lie `down` and `right` of each other."""
    height, width = noise.shape[2] - down, noise.shape[3] - right
    products = noise[:, :, :height, :width] * noise[:, :, down:, right:]
    fewer = places.shape[2] * places.shape[3] / (height * width)
    return fewer * (places[:, :, :height, :width] * products).sum((0, 2, 3))


def _textures(picture: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 1, h, w) to weights in [0, 1], by the variance within 3 x 3 pixels: flat places, and a little texture."""
    around = F.pad(picture, (1, 1, 1, 1), mode="replicate")
    variance = F.avg_pool2d(around.square(), 3, 1) - F.avg_pool2d(around, 3, 1).square()
    flat, calm = ((1 - variance / limit).clamp(0, 1) for limit in _CALM)
    return flat, calm - flat


def _bins(brightness: Tensor) -> Tensor:
    """(B, h, w), [0, 1], to weights (bins, B, h, w) that sum to 1: tents around the middles of 8 equal bins."""
    middles = (torch.arange(_BINS, device=brightness.device) + 0.5) / _BINS
    inside = brightness.clamp(0.5 / _BINS, 1 - 0.5 / _BINS)
    return (1 - (inside - middles[:, None, None, None]).abs() * _BINS).clamp(min=0)
