"""DDNSR: a degrader that takes on a real LR picture's noise, and an SR generator, learned side by side, unpaired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from degrade.card import ReferenceInput
from srzoo.data import Batch
from srzoo.errors import PresetError
from srzoo.losses import GAN, GAN_LOSSES, PIXEL_LOSSES, PerceptualConfig, load_perceptual
from srzoo.networks.layers import fastest_layout

_CONTENT = PerceptualConfig(("conv3_4",), distance="mse")
_CYCLE = PerceptualConfig(("conv2_2",), distance="mse")


@dataclass(frozen=True)
class SRConfig:
    """Weights of the SR generator's terms (0 leaves a term out) and what each one is: equation 2.

    Attributes:
        features: which of VGG19's features the perceptual term compares.
        half: the relativistic terms averaged instead of summed.
    """

    pixel: float = 0.01
    pixel_distance: Literal["l1", "mse", "charbonnier", "low_pass_l1"] = "l1"
    perceptual: float = 1.0
    features: PerceptualConfig = field(default_factory=PerceptualConfig)
    adversarial: float = 0.005
    gan: GAN = "relativistic"
    half: bool = False

    def __post_init__(self) -> None:
        weights = (self.pixel, self.perceptual, self.adversarial)
        if min(weights) < 0 or not any(weights[:2]):
            raise ValueError(f"expected weights >= 0, and pixel or perceptual > 0, got {weights}")


@dataclass(frozen=True)
class DDNSRConfig:
    """Weights of the degrader's terms, equations 3 to 6; 0 leaves a term out, as the ablations do with each.

    Attributes:
        content: of the features of made LR against those of HR made smaller by means.
        adversarial: of made LR passing for real LR.
        cycle: of the features of real LR, enlarged and degraded with itself for reference, against its own.
        sr: the SR generator's terms. `perceptual = 0, adversarial = 0, pixel = 1, pixel_distance = "mse"` is the
            generator with L2 alone (appendix C).
    """

    content: float = 0.1
    content_features: PerceptualConfig = _CONTENT
    adversarial: float = 1.0
    gan: GAN = "standard"
    cycle: float = 10.0
    cycle_features: PerceptualConfig = _CYCLE
    sr: SRConfig = field(default_factory=SRConfig)

    def __post_init__(self) -> None:
        weights = (self.content, self.adversarial, self.cycle)
        if min(weights) < 0 or not any(weights):
            raise ValueError(f"expected weights >= 0, one of them > 0, got {weights}")


class DDNSR:
    """Objective `ddnsr`; see `protocol.Objective`.

    Roles: `degrader` of HR and a real LR picture; `generator` of SR; `critic_lr` and `critic_hr` of what they make. One
    forward pass, then all updates at once, each network by its own loss alone: what the other made is taken as it is.
    The batch's HR is the clean target, its real LR both the reference and what made LR shall pass for; its LR is not
    looked at.

    Source: "DDNSR, a dual-input degradation network for real-world super-resolution", equations 2 to 6 and section 3,
    and its released code: which gradients flow where, sums of the GANs' two terms, features before their ReLU.
    """

    products: tuple[str, ...] = ("generator", "degrader")
    upscaler: str | None = "generator"
    degrader: str | None = "degrader"
    restyles = False
    lr_critics: frozenset[str] = frozenset({"critic_lr"})
    border = 0

    def __init__(
        self, config: DDNSRConfig, networks: Mapping[str, nn.Module], *, vgg_weights: Path | None = None
    ) -> None:
        _check_takes_reference(networks["degrader"])
        self.config, self.networks = config, networks
        self.parts: dict[str, Tensor] = {}
        self.state: dict[str, Tensor] = {}
        self._layout = torch.channels_last
        self._features = {
            name: load_perceptual(features, weights=vgg_weights) for name, features in _features(config).items()
        }

    @staticmethod
    def optimisers(config: DDNSRConfig) -> dict[str, tuple[str, ...]]:
        """One for each network, of its name. A critic whose term has no weight is there, and rests."""
        return {role: (role,) for role in ("degrader", "generator", "critic_lr", "critic_hr")}

    @staticmethod
    def check(config: DDNSRConfig, *, vgg_weights: Path | None) -> None:
        """Raise WeightsMissingError if features that a term compares are not on this machine."""
        for features in _features(config).values():
            load_perceptual(features, weights=vgg_weights)

    def to(self, device: torch.device, dtype: torch.dtype | None) -> None:
        self._layout = fastest_layout(self.networks["generator"], device, dtype)
        for role, network in self.networks.items():
            layout = self._layout if role == "generator" else torch.channels_last
            network.to(device=device, memory_format=layout)  # type: ignore[reportCallIssue]  as documented
        for features in self._features.values():
            features.to(device=device, memory_format=torch.channels_last)  # type: ignore[reportCallIssue]

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        assert batch.hr is not None
        assert batch.real_lr is not None
        hr, real_lr = batch.hr, batch.real_lr
        made_lr = self.networks["degrader"](hr, real_lr)
        sr = self.networks["generator"](made_lr.detach().contiguous(memory_format=self._layout))
        terms = {"degrader": self._degrader_terms(hr, real_lr, made_lr), "generator": self._generator_terms(hr, sr)}
        critics: dict[str, Tensor] = {}
        config = self.config
        if config.adversarial:
            fools, critics["critic_lr"] = self._opposed("critic_lr", config.gan, real_lr, made_lr, half=False)
            terms["degrader"]["adversarial_lr"] = config.adversarial * fools
        if config.sr.adversarial:
            fools, critics["critic_hr"] = self._opposed("critic_hr", config.sr.gan, hr, sr, half=config.sr.half)
            terms["generator"]["adversarial_hr"] = config.sr.adversarial * fools
        self.parts = {name: term.detach() for found in (*terms.values(), critics) for name, term in found.items()}
        yield {role: torch.stack(list(found.values())).sum() for role, found in terms.items()} | critics

    def _degrader_terms(self, hr: Tensor, real_lr: Tensor, made_lr: Tensor) -> dict[str, Tensor]:
        degrader: Any = self.networks["degrader"]
        terms: dict[str, Tensor] = {}
        if "content" in self._features:
            smaller = F.avg_pool2d(hr, degrader.scale)
            terms["content"] = self.config.content * self._features["content"](made_lr, smaller)
        if "cycle" in self._features:
            with torch.no_grad():  # no gradient of the degrader's loss reaches the generator
                enlarged = self.networks["generator"](real_lr.contiguous(memory_format=self._layout))
            again = degrader(enlarged.contiguous(memory_format=torch.channels_last), real_lr)
            terms["cycle"] = self.config.cycle * self._features["cycle"](again, real_lr)
        return terms

    def _generator_terms(self, hr: Tensor, sr: Tensor) -> dict[str, Tensor]:
        config, terms = self.config.sr, {}
        if config.pixel:
            terms["pixel"] = config.pixel * PIXEL_LOSSES[config.pixel_distance](sr, hr)
        if "perceptual" in self._features:
            terms["perceptual"] = config.perceptual * self._features["perceptual"](sr, hr)
        return terms

    def _opposed(self, role: str, gan: GAN, real: Tensor, fake: Tensor, *, half: bool) -> tuple[Tensor, Tensor]:
        """What whoever made `fake` minimises, and what the critic does, from the same logits."""
        critic, (fools, judges) = self.networks[role], GAN_LOSSES[gan]
        logits = critic(real), critic(fake)
        return fools(*logits, half=half), judges(*logits, half=half)


def _features(config: DDNSRConfig) -> dict[str, PerceptualConfig]:
    """The features that terms with a weight compare."""
    found = {
        "content": (config.content, config.content_features),
        "cycle": (config.cycle, config.cycle_features),
        "perceptual": (config.sr.perceptual, config.sr.features),
    }
    return {name: features for name, (weight, features) in found.items() if weight}


def _check_takes_reference(degrader: Any) -> None:
    if [type(one) for one in degrader.inputs] != [ReferenceInput]:
        problem = f"{type(degrader).__name__} takes no real LR picture beside HR"
        raise PresetError("objective: ddnsr", problem, "use dual_input")
