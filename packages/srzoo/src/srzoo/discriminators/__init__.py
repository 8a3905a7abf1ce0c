"""Critics: real or made? One complete file each; logits, never probabilities. Each states its receptive field."""

from typing import Any

from torch import nn

from srzoo.discriminators.vgg_style import VggStyle, VggStyleConfig

DISCRIMINATORS: dict[str, tuple[type[Any], type[nn.Module]]] = {
    "vgg_style": (VggStyleConfig, VggStyle),
}
