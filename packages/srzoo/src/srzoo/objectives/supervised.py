"""LR in, HR wanted: weighted pixel, perceptual and adversarial terms over one generator and at most one critic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from srzoo.data import Batch
from srzoo.errors import PresetError
from srzoo.losses import GAN, PIXEL_LOSSES, AdversarialLoss, PerceptualConfig, high_pass, load_perceptual
from srzoo.networks.layers import fastest_layout
from srzoo.tensors import luma


@dataclass(frozen=True)
class SupervisedConfig:
    """Weights of the three terms (0 leaves a term out) and what each one is.

    Attributes:
        colour: `y`: the generator is given luma and its luma alone is compared.
        features: which of VGG19's features the perceptual term compares.
        gan: `relativistic` average, `standard` non-saturating, or `least_squares`.
        half: the critic's two terms, and the relativistic generator's, averaged (ESRGAN's code) instead of summed.
        critic_sees: the picture, or its high frequencies alone (ESRGAN-FS).
    """

    pixel: float = 1.0
    pixel_distance: Literal["l1", "mse", "charbonnier", "low_pass_l1"] = "l1"
    colour: Literal["rgb", "y"] = "rgb"
    perceptual: float = 0.0
    features: PerceptualConfig = field(default_factory=PerceptualConfig)
    adversarial: float = 0.0
    gan: GAN = "relativistic"
    half: bool = False
    critic_sees: Literal["picture", "high_pass"] = "picture"

    def __post_init__(self) -> None:
        weights = (self.pixel, self.perceptual, self.adversarial)
        if min(weights) < 0 or not any(weights[:2]):
            raise ValueError(f"expected weights >= 0, and pixel or perceptual > 0, got {weights}")
        if self.colour == "y" and any(weights[1:]):
            raise ValueError(f"colour: y goes with the pixel term alone, got perceptual, adversarial = {weights[1:]}")


class Supervised:
    """Objective `supervised`; see `protocol.Objective`. Roles: `generator`, and `critic` with an adversarial term.

    The generator's losses come first, the critic's from the same fake, made before the generator's update.

    Source: Ren et al. 2020, equations 3 to 5; Wang et al. 2018, "ESRGAN", equation 3.
    """

    products: tuple[str, ...] = ("generator",)
    upscaler: str | None = "generator"
    degrader: str | None = None
    restyles = False
    lr_critics: frozenset[str] = frozenset()
    border = 0

    def __init__(
        self, config: SupervisedConfig, networks: Mapping[str, nn.Module], *, vgg_weights: Path | None = None
    ) -> None:
        self.config, self.networks = config, networks
        if config.colour == "y":
            _check_takes_luma(networks["generator"])
        self.parts: dict[str, Tensor] = {}
        self.state: dict[str, Tensor] = {}
        self._layout = torch.channels_last
        self._gan = AdversarialLoss(config.gan, config.half)
        self._perceptual = load_perceptual(config.features, weights=vgg_weights) if config.perceptual else None

    @staticmethod
    def optimisers(config: SupervisedConfig) -> dict[str, tuple[str, ...]]:
        """One for each network that these weights train, of its name."""
        roles = ("generator", "critic") if config.adversarial else ("generator",)
        return {role: (role,) for role in roles}

    @staticmethod
    def check(config: SupervisedConfig, *, vgg_weights: Path | None) -> None:
        """Raise WeightsMissingError if the perceptual term's features are not on this machine."""
        if config.perceptual:
            load_perceptual(config.features, weights=vgg_weights)

    def to(self, device: torch.device, dtype: torch.dtype | None) -> None:
        self._layout = fastest_layout(self.networks["generator"], device, dtype)
        for role, network in self.networks.items():
            layout = self._layout if role == "generator" else torch.channels_last
            network.to(device=device, memory_format=layout)  # type: ignore[reportCallIssue]  as documented
        if self._perceptual is not None:
            self._perceptual.to(device=device, memory_format=torch.channels_last)  # type: ignore[reportCallIssue]

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        assert batch.lr is not None
        assert batch.hr is not None
        config = self.config
        lr, real = (luma(picture) if config.colour == "y" else picture for picture in (batch.lr, batch.hr))
        fake = self.networks["generator"](lr.contiguous(memory_format=self._layout))
        terms: dict[str, Tensor] = {}
        if config.pixel:
            terms["pixel"] = config.pixel * PIXEL_LOSSES[config.pixel_distance](fake, real)
        if self._perceptual is not None:
            terms["perceptual"] = config.perceptual * self._perceptual(fake, real)
        seen = self._seen(real), self._seen(fake)
        if config.adversarial:
            terms["adversarial"] = config.adversarial * self._gan.generator_term(self.networks["critic"], *seen)
        self.parts = {name: term.detach() for name, term in terms.items()}
        yield {"generator": torch.stack(list(terms.values())).sum()}
        if config.adversarial:
            loss = self._gan.critic_term(self.networks["critic"], *seen)
            self.parts["critic"] = loss.detach()
            yield {"critic": loss}

    def _seen(self, picture: Tensor) -> Tensor:
        """What the critic sees of it."""
        return high_pass(picture) if self.config.critic_sees == "high_pass" else picture


def _check_takes_luma(generator: nn.Module) -> None:
    first = next((part for part in generator.modules() if isinstance(part, nn.Conv2d)), None)
    if first is not None and first.in_channels != 1:
        problem = f"y, but the generator is given {first.in_channels} channels"
        raise PresetError("loss.colour", problem, "use vdsr, srcnn or rcan_dml with one channel")
