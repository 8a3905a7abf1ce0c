"""HR in, LR wanted: weighted pixel, perceptual and adversarial terms over one degrader and at most one critic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from degrade.card import NoiseInput
from srzoo.data import Batch, noise_beside
from srzoo.errors import PresetError
from srzoo.losses import GAN, PIXEL_LOSSES, AdversarialLoss, PerceptualConfig, load_perceptual, noise_moments
from srzoo.networks.layers import fastest_layout
from srzoo.tensors import luma


@dataclass(frozen=True)
class DegradationConfig:
    """Weights of the three terms (0 leaves a term out) and what each one is.

    Attributes:
        border: LR pixels on each side that the pixel term leaves off: the degrader does not see what lay around them.
        features: which of VGG19's features the perceptual term compares.
        gan: `relativistic` average, `standard` non-saturating, or `least_squares`.
        half: the critic's two terms, and the relativistic degrader's, averaged instead of summed.
        moments: weight of the difference between made and real noise as statistics; see `noise_moments`.
    """

    pixel: float = 1.0
    pixel_distance: Literal["l1", "mse", "charbonnier", "low_pass_l1"] = "mse"
    border: int = 0
    perceptual: float = 0.0
    features: PerceptualConfig = field(default_factory=PerceptualConfig)
    adversarial: float = 0.0
    gan: GAN = "standard"
    half: bool = False
    moments: float = 0.0

    def __post_init__(self) -> None:
        weights = (self.pixel, self.perceptual, self.adversarial)
        if min(weights) < 0 or not any(weights[:2]):
            raise ValueError(f"expected weights >= 0, and pixel or perceptual > 0, got {weights}")
        if self.border < 0:
            raise ValueError(f"border: expected 0 or more pixels, got {self.border}")
        if self.moments < 0:
            raise ValueError(f"moments: expected a weight >= 0, got {self.moments}")


class Degradation:
    """Objective `degradation`; see `protocol.Objective`. Roles: `degrader`, and `critic` with an adversarial term.

    A degrader of luma is given luma, and its luma is compared; perceptual term and critic see it as gray RGB. Noise
    comes from the keys of the batch. The critic's real pictures are the batch's unpaired ones, else its paired LR.

    Source: "SRDGAN: learning the noise prior for super resolution with dual generative adversarial networks", equations
    2 to 6 (H2L); Xiao et al., "Degradation model learning for real-world single image super-resolution", equation 4.
    """

    products: tuple[str, ...] = ("degrader",)
    upscaler: str | None = None
    degrader: str | None = "degrader"
    restyles = False
    lr_critics: frozenset[str] = frozenset({"critic"})

    def __init__(
        self, config: DegradationConfig, networks: Mapping[str, nn.Module], *, vgg_weights: Path | None = None
    ) -> None:
        self.config, self.networks, self.border = config, networks, config.border
        for network in networks.values():
            _check_takes_noise_alone(network)
        self.parts: dict[str, Tensor] = {}
        self.state: dict[str, Tensor] = {}
        self._layout = torch.channels_last
        self._gan = AdversarialLoss(config.gan, config.half)
        self._perceptual = load_perceptual(config.features, weights=vgg_weights) if config.perceptual else None

    @staticmethod
    def optimisers(config: DegradationConfig) -> dict[str, tuple[str, ...]]:
        """One for each network that these weights train, of its name."""
        roles = ("degrader", "critic") if config.adversarial else ("degrader",)
        return {role: (role,) for role in roles}

    @staticmethod
    def check(config: DegradationConfig, *, vgg_weights: Path | None) -> None:
        """Raise WeightsMissingError if the perceptual term's features are not on this machine."""
        if config.perceptual:
            load_perceptual(config.features, weights=vgg_weights)

    def to(self, device: torch.device, dtype: torch.dtype | None) -> None:
        self._layout = fastest_layout(self.networks["degrader"], device, dtype)
        for role, network in self.networks.items():
            layout = self._layout if role == "degrader" else torch.channels_last
            network.to(device=device, memory_format=layout)  # type: ignore[reportCallIssue]  as documented
        if self._perceptual is not None:
            self._perceptual.to(device=device, memory_format=torch.channels_last)  # type: ignore[reportCallIssue]

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        assert batch.lr is not None
        assert batch.hr is not None
        config = self.config
        degrader: Any = self.networks["degrader"]
        is_luma = degrader.colour == "y"
        hr, lr = (luma(picture) if is_luma else picture for picture in (batch.hr, batch.lr))
        fake = degrader(hr.contiguous(memory_format=self._layout), *noise_beside(hr, degrader.inputs, batch.keys))
        terms: dict[str, Tensor] = {}
        if config.pixel:
            made, wanted = (_inside(picture, config.border) for picture in (fake, lr))
            terms["pixel"] = config.pixel * PIXEL_LOSSES[config.pixel_distance](made, wanted)
        if config.moments:
            terms["moments"] = config.moments * noise_moments(fake, lr, hr, self.state)
        shown = _as_rgb(fake)
        if self._perceptual is not None:
            terms["perceptual"] = config.perceptual * self._perceptual(shown, _as_rgb(lr))
        real = _as_rgb(lr)
        if batch.real_lr is not None:
            real = _as_rgb(luma(batch.real_lr)) if is_luma else batch.real_lr
        if config.adversarial:
            terms["adversarial"] = config.adversarial * self._gan.generator_term(self.networks["critic"], real, shown)
        self.parts = {name: term.detach() for name, term in terms.items()}
        yield {"degrader": torch.stack(list(terms.values())).sum()}
        if config.adversarial:
            loss = self._gan.critic_term(self.networks["critic"], real, shown)
            self.parts["critic"] = loss.detach()
            yield {"critic": loss}


def _inside(picture: Tensor, border: int) -> Tensor:
    return picture[:, :, border : picture.shape[2] - border, border : picture.shape[3] - border]


def _as_rgb(picture: Tensor) -> Tensor:
    return picture.expand(-1, 3, -1, -1) if picture.shape[1] == 1 else picture


def _check_takes_noise_alone(network: nn.Module) -> None:
    others = [one.kind for one in getattr(network, "inputs", ()) if not isinstance(one, NoiseInput)]
    if others:
        problem = f"{type(network).__name__} wants a {others[0]} beside HR"
        raise PresetError("objective: degradation", problem, "use a degrader that takes HR, or HR and noise: h2l")
