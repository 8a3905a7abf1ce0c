"""KernelGAN's loop: one photograph, one generator, one critic, one kernel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from degrade.image import Pixels, crop_to_multiple, to_float
from srzoo.kernelgan import losses
from srzoo.kernelgan.critic import LinearPatchCritic
from srzoo.kernelgan.crops import CRITIC_CROP, GENERATOR_CROP, draw_crops
from srzoo.kernelgan.generator import STRIDE, DeepLinear, downscaled
from srzoo.threads import one_thread

STEPS = 3000
_LEARNING_RATE, _BETAS = 2e-4, (0.5, 0.999)
_LEARNING_RATE_PERIOD, _LEARNING_RATE_DECAY = 750, 0.1
_REAL_NOISE, _FAKE_NOISE = 2 / 255, 1 / 255  # standard deviations, in the unit of [-1, 1]


def estimate(
    pixels: Pixels, *, steps: int = STEPS, seed: int = 0, advance: Callable[[], None] = lambda: None
) -> NDArray[np.float32]:
    """(13, 13): the taps that make `pixels` (H, W, 1 or 3), at half the size, look like itself.

    A generator shrinks crops by 2; a critic tells their 7 x 7 patches from those of the photograph. What fools it best
    is the kernel the photograph itself was made with, as patches of natural scenes recur across scales. One thread: the
    operations are small, and the result does not depend on the number of cores. `kernel.finished` makes a blur of it.

    Args:
        steps: the learning rate falls tenfold at every 750th.
        advance: called after every step.

    Raises:
        ValueError: a photograph of less than 66 x 66 pixels, or without detail.

    Source: Bell-Kligler et al. 2019, "Blind super-resolution kernel estimation using an internal-GAN"; numbers of the
    released code, which adds noise of a grey level to real crops and of half a level to fake ones. Departs from it:
    that noise does not stay in the photograph; see also `losses.bicubic` and `critic`.
    """
    image = to_float(crop_to_multiple(pixels, STRIDE))
    corners = draw_crops(image, steps, np.random.Generator(np.random.PCG64(seed)))
    with one_thread():
        run = _Run(image, torch.Generator().manual_seed(seed))
        for step, (ours, theirs) in enumerate(zip(corners.generator, corners.critic, strict=True)):
            run.step(step, ours, theirs)
            advance()
        with torch.no_grad():
            return run.generator.kernel().numpy()


class _Run:
    """The two networks on one photograph."""

    def __init__(self, image: NDArray[np.float32], random: torch.Generator) -> None:
        planes = torch.from_numpy(image).permute(2, 0, 1)[None]  # (1, C, H, W)
        self.photo = (planes.expand(1, 3, -1, -1) * 2 - 1).contiguous()
        self.random, self.weights = random, losses.Weights()
        self.generator, self.critic = DeepLinear(random), LinearPatchCritic(random)
        self.optimisers = [
            torch.optim.Adam(network.parameters(), _LEARNING_RATE, _BETAS, fused=True)
            for network in (self.generator, self.critic)
        ]

    def step(self, step: int, ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> None:
        crop = _cut(self.photo, ours, GENERATOR_CROP)
        bicubic_loss = self._improve_generator(crop)
        self._improve_critic(crop, _cut(self.photo, theirs, CRITIC_CROP))
        self.weights.after(step, bicubic_loss)
        if step and step % _LEARNING_RATE_PERIOD == 0:
            for optimiser in self.optimisers:
                optimiser.param_groups[0]["lr"] *= _LEARNING_RATE_DECAY

    def _improve_generator(self, crop: Tensor) -> float:
        kernel = self.generator.kernel()
        fake = downscaled(crop, kernel)
        bicubic_loss = losses.bicubic(fake, downscaled(crop, losses.bicubic_kernel()))
        verdict = 1 - self.critic(fake).mean()  # L1 to a map of ones
        loss = verdict + self.weights.total(kernel, bicubic_loss)
        _descend(loss, self.optimisers[0])
        return bicubic_loss.item()

    def _improve_critic(self, crop: Tensor, real: Tensor) -> None:
        with torch.no_grad():
            fake = self.generator(crop)
            noise = torch.randn((2, *fake.shape[1:]), generator=self.random)
            both = torch.cat([real + _REAL_NOISE * noise[:1], fake + _FAKE_NOISE * noise[1:]])
        on_real, on_fake = self.critic(both).mean((1, 2, 3))
        _descend(0.5 * ((1 - on_real) + on_fake), self.optimisers[1])  # L1 to maps of ones and of zeros


def _descend(loss: Tensor, optimiser: torch.optim.Optimizer) -> None:
    parameters = optimiser.param_groups[0]["params"]
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimiser.step()


def _cut(photo: Tensor, corner: NDArray[np.int64], side: int) -> Tensor:
    y, x = int(corner[0]), int(corner[1])
    return photo[:, :, y : y + side, x : x + side]
