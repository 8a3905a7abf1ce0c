"""What training minimises, a function per idea; their weights live in presets."""

from srzoo.losses.adversarial import (
    least_squares_critic,
    least_squares_generator,
    relativistic_critic,
    relativistic_generator,
    standard_critic,
    standard_generator,
)
from srzoo.losses.frequency import high_pass, low_pass_l1
from srzoo.losses.lpips import LPIPSLoss
from srzoo.losses.perceptual import PerceptualConfig, PerceptualLoss
from srzoo.losses.pixel import charbonnier, l1, mse

PIXEL_LOSSES = {"l1": l1, "mse": mse, "charbonnier": charbonnier, "low_pass_l1": low_pass_l1}

# name -> (the generator's loss, the critic's), both of (real logits, fake logits, half=)
GAN_LOSSES = {
    "standard": (standard_generator, standard_critic),
    "relativistic": (relativistic_generator, relativistic_critic),
    "least_squares": (least_squares_generator, least_squares_critic),
}

__all__ = ["GAN_LOSSES", "PIXEL_LOSSES", "LPIPSLoss", "PerceptualConfig", "PerceptualLoss", "high_pass"]
