"""What training minimises, a function per idea; their weights live in presets."""

from srzoo.losses.adversarial import GAN, GAN_LOSSES, AdversarialLoss
from srzoo.losses.frequency import high_pass, low_pass_l1
from srzoo.losses.lpips import LPIPSLoss
from srzoo.losses.noise_moments import noise_moments
from srzoo.losses.perceptual import PerceptualConfig, PerceptualLoss, load_perceptual
from srzoo.losses.pixel import charbonnier, l1, mse

PIXEL_LOSSES = {"l1": l1, "mse": mse, "charbonnier": charbonnier, "low_pass_l1": low_pass_l1}

__all__ = [
    "GAN",
    "GAN_LOSSES",
    "PIXEL_LOSSES",
    "AdversarialLoss",
    "LPIPSLoss",
    "PerceptualConfig",
    "PerceptualLoss",
    "high_pass",
    "load_perceptual",
    "noise_moments",
]
