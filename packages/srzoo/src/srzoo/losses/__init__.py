"""What training minimises, a function per idea; their weights live in presets."""

from srzoo.losses.adversarial import (
    relativistic_critic,
    relativistic_generator,
    standard_critic,
    standard_generator,
)
from srzoo.losses.perceptual import PerceptualConfig, PerceptualLoss
from srzoo.losses.pixel import charbonnier, l1, mse

PIXEL_LOSSES = {"l1": l1, "mse": mse, "charbonnier": charbonnier}

# name -> (the generator's loss, the critic's), both of (real logits, fake logits, half=)
GAN_LOSSES = {
    "standard": (standard_generator, standard_critic),
    "relativistic": (relativistic_generator, relativistic_critic),
}

__all__ = ["GAN_LOSSES", "PIXEL_LOSSES", "PerceptualConfig", "PerceptualLoss"]
