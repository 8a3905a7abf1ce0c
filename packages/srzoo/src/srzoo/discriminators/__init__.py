"""Critics: real or made? One complete file each; logits, never probabilities. Each states its receptive field."""

from typing import Any

from torch import nn

from srzoo.discriminators.ddnsr import DDNSRCritic, DDNSRCriticConfig
from srzoo.discriminators.high_pass import HighPassCritic, HighPassCriticConfig
from srzoo.discriminators.patch import PatchCritic, PatchCriticConfig
from srzoo.discriminators.srgan import SRGANCritic, SRGANCriticConfig
from srzoo.discriminators.unet import UNetCritic, UNetCriticConfig
from srzoo.discriminators.vgg_style import VggStyle, VggStyleConfig

DISCRIMINATORS: dict[str, tuple[type[Any], type[nn.Module]]] = {
    "ddnsr_critic": (DDNSRCriticConfig, DDNSRCritic),
    "high_pass": (HighPassCriticConfig, HighPassCritic),
    "patch": (PatchCriticConfig, PatchCritic),
    "srgan_critic": (SRGANCriticConfig, SRGANCritic),
    "unet": (UNetCriticConfig, UNetCritic),
    "vgg_style": (VggStyleConfig, VggStyle),
}
