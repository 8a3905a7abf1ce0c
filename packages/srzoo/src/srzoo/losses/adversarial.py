"""What generator and critic pull against each other on: standard, relativistic average and least-squares GAN.

All take logits of any shape, one entry per patch or per position, and give float32 means over all of them. In the
generator's step freeze the critic; in the critic's step hand in logits of a detached fake. `half` takes the mean of two
terms instead of their sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GAN = Literal["relativistic", "standard", "least_squares"]


def standard_generator(real: Tensor, fake: Tensor, *, half: bool = False) -> Tensor:
    """-E log sigmoid(fake). `real` and `half` change nothing: there is one term.

    Source: Goodfellow et al. 2014, "Generative adversarial nets", section 3: the form that does not saturate.
    """
    return _as_real(fake.float())


def standard_critic(real: Tensor, fake: Tensor, *, half: bool = False) -> Tensor:
    """-E log sigmoid(real) - E log(1 - sigmoid(fake)).

    Source: Goodfellow et al. 2014, equation 1.
    """
    return _total(_as_real(real.float()), _as_fake(fake.float()), half)


def least_squares_generator(real: Tensor, fake: Tensor, *, half: bool = False) -> Tensor:
    """E (fake - 1)^2. `real` and `half` change nothing: there is one term.

    Source: Mao et al. 2017, "Least squares GAN", equation 9 without its factor 1/2, as CycleGAN's code.
    """
    return (fake.float() - 1).square().mean()


def least_squares_critic(real: Tensor, fake: Tensor, *, half: bool = False) -> Tensor:
    """E (real - 1)^2 + E fake^2; CycleGAN's code takes `half`.

    Source: Mao et al. 2017, "Least squares GAN", equation 9, which is the `half` of it.
    """
    return _total((real.float() - 1).square().mean(), fake.float().square().mean(), half)


def relativistic_generator(real: Tensor, fake: Tensor, *, half: bool = False) -> Tensor:
    """-E log(1 - D(real, fake)) - E log D(fake, real), where D(a, b) = sigmoid(a - E b).

    No gradient flows through the logits of `real`; through those of `fake` it does, also inside their mean.

    Source: Ren et al. 2020, equation 4, which is ESRGAN's (Wang et al. 2018, section 3.2). The printed sum; ESRGAN's
    released code takes `half`.
    """
    real, fake = real.float().detach(), fake.float()
    return _total(_as_fake(real - fake.mean()), _as_real(fake - real.mean()), half)


def relativistic_critic(real: Tensor, fake: Tensor, *, half: bool = False) -> Tensor:
    """-E log D(real, fake) - E log(1 - D(fake, real)); each term holds the other side's mean fixed.

    Source: Wang et al. 2018, "ESRGAN", section 3.2, after Jolicoeur-Martineau 2018. The fixed means and `half` are the
    released code's.
    """
    real, fake = real.float(), fake.float()
    return _total(_as_real(real - fake.mean().detach()), _as_fake(fake - real.mean().detach()), half)


# name -> (the generator's loss, the critic's), both of (real logits, fake logits, half=)
GAN_LOSSES = {
    "standard": (standard_generator, standard_critic),
    "relativistic": (relativistic_generator, relativistic_critic),
    "least_squares": (least_squares_generator, least_squares_critic),
}


@dataclass(frozen=True)
class AdversarialLoss:
    """`gan` over a critic, which is given pictures (B, C, H, W) in [0, 1]: what either side minimises."""

    gan: GAN
    half: bool = False

    def generator_term(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """For whatever made `fake`; none of the critic's graph over `real` is kept."""
        with torch.no_grad():
            real_logits = critic(real)
        return GAN_LOSSES[self.gan][0](real_logits, critic(fake), half=self.half)

    def critic_term(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """For the critic alone: `fake` is detached."""
        return GAN_LOSSES[self.gan][1](critic(real), critic(fake.detach()), half=self.half)


def _total(first: Tensor, second: Tensor, half: bool) -> Tensor:
    return (first + second) * (0.5 if half else 1.0)


def _as_real(logits: Tensor) -> Tensor:
    return F.softplus(-logits).mean()  # -log sigmoid(x)


def _as_fake(logits: Tensor) -> Tensor:
    return F.softplus(logits).mean()  # -log(1 - sigmoid(x))
