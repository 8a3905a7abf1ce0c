"""A running average of a network's weights: timm's, with the buffers copied instead of averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from timm.utils.model_ema import ModelEmaV3


def averaged(network: nn.Module, decay: float) -> ModelEmaV3:
    """The average of the parameters of `network`: `average <- decay * average + (1 - decay) * weights` per update.

    It starts as a copy; `.module` is the averaged network in eval mode, `.update(network)` takes one step.

    Source: Wang et al. 2018, "ESRGAN", whose released training code keeps it so with decay 0.999.
    """
    if not 0 < decay < 1:
        raise ValueError(f"expected 0 < decay < 1, got {decay}")
    from timm.utils.model_ema import ModelEmaV3  # seconds to import: not before a run is known to start

    ema = ModelEmaV3(network, decay=decay, exclude_buffers=True)
    ema.requires_grad_(False)
    return ema
