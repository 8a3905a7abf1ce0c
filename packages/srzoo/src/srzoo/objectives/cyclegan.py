"""CycleGAN between bicubic LR and a real camera's LR, unpaired; and, if asked, an SR generator on what it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from srzoo.data import Batch
from srzoo.data.image_pool import chance, through_pool
from srzoo.errors import PresetError
from srzoo.losses import GAN, GAN_LOSSES, PIXEL_LOSSES, AdversarialLoss, PerceptualConfig, load_perceptual
from srzoo.networks.layers import fastest_layout


@dataclass(frozen=True)
class SRConfig:
    """The SR generator that learns beside: weights of its terms (0 leaves a term out) and what each one is.

    Attributes:
        mix: chance that a picture's bicubic LR is enlarged instead of the degrader's.
        features: which of VGG19's features the perceptual term compares.
        half: the critic's two terms averaged instead of summed.
    """

    mix: float = 0.5
    pixel: float = 0.0
    pixel_distance: Literal["l1", "mse", "charbonnier", "low_pass_l1"] = "mse"
    perceptual: float = 1.0
    features: PerceptualConfig = field(default_factory=PerceptualConfig)
    adversarial: float = 1e-3
    gan: GAN = "standard"
    half: bool = False

    def __post_init__(self) -> None:
        weights = (self.pixel, self.perceptual, self.adversarial)
        if min(weights) < 0 or not any(weights[:2]):
            raise ValueError(f"expected weights >= 0, and pixel or perceptual > 0, got {weights}")
        if not 0 <= self.mix <= 1:
            raise ValueError(f"mix: expected a chance in [0, 1], got {self.mix}")


@dataclass(frozen=True)
class CycleGANConfig:
    """Weights beside the adversarial terms' 1, and what those are.

    Attributes:
        cycle: of there and back, in both domains.
        identity: of what leaves a picture of its own domain as it is, in both.
        pool: earlier fakes that each critic is shown from.
        sr: an SR generator that is trained beside; none: CycleGAN alone.
    """

    cycle: float = 10.0
    identity: float = 5.0
    gan: Literal["least_squares", "standard"] = "least_squares"
    half: bool = True
    pool: int = 50
    sr: SRConfig | None = None

    def __post_init__(self) -> None:
        if min(self.cycle, self.identity) < 0:
            raise ValueError(f"expected weights >= 0, got cycle {self.cycle}, identity {self.identity}")
        if self.pool < 0:
            raise ValueError(f"pool: expected 0 or more pictures, got {self.pool}")


class CycleGAN:
    """Objective `cyclegan`; see `protocol.Objective`.

    Roles: `degrader` makes real-looking LR of bicubic LR, `restorer` the reverse; `critic_real` and `critic_clean`
    judge what they make. With `sr`: `generator` enlarges the degrader's LR, or a share of bicubic LR; `critic` judges
    it. No SR loss reaches the degrader, which could please it by LR that is easy to enlarge. All is made in one forward
    pass; both translators, and the generator, are updated first, then the critics.

    Source: Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks", sections
    3 and 4 and appendix 7.1, with the identity term, pools and halved critics of its code; CSR-GAN, "Real-world-like
    single image super resolution training", sections 4 and 6.4. Distances are those of the code's range, [-1, 1].
    """

    products: tuple[str, ...] = ("degrader",)
    upscaler: str | None = None
    degrader: str | None = "degrader"
    restyles = True
    lr_critics: frozenset[str] = frozenset({"critic_real", "critic_clean"})
    border = 0

    def __init__(
        self, config: CycleGANConfig, networks: Mapping[str, nn.Module], *, vgg_weights: Path | None = None
    ) -> None:
        _check_restyles(networks["degrader"])
        self.config, self.networks = config, networks
        self.parts: dict[str, Tensor] = {}
        self.state: dict[str, Tensor] = {}
        self._gan = AdversarialLoss(config.gan, config.half)
        self._sr = None if config.sr is None else _SR(config.sr, networks, vgg_weights)
        if config.sr is not None:
            self.products, self.upscaler = ("degrader", "generator"), "generator"

    @staticmethod
    def optimisers(config: CycleGANConfig) -> dict[str, tuple[str, ...]]:
        """One for both translators and one for both of their critics; the SR networks have their own."""
        steps: dict[str, tuple[str, ...]] = {
            "translators": ("degrader", "restorer"),
            "critics": ("critic_real", "critic_clean"),
        }
        if config.sr is not None:
            steps |= {"generator": ("generator",), "critic": ("critic",)}
        return steps

    @staticmethod
    def check(config: CycleGANConfig, *, vgg_weights: Path | None) -> None:
        """Raise WeightsMissingError if the SR generator's perceptual features are not on this machine."""
        if config.sr is not None and config.sr.perceptual:
            load_perceptual(config.sr.features, weights=vgg_weights)

    def to(self, device: torch.device, dtype: torch.dtype | None) -> None:
        for network in self.networks.values():
            network.to(device=device, memory_format=torch.channels_last)  # type: ignore[reportCallIssue]  as documented
        if self._sr is not None:
            self._sr.to(device, dtype)

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        assert batch.lr is not None
        assert batch.real_lr is not None
        clean, real = batch.lr, batch.real_lr
        like_real, like_clean = self.networks["degrader"](clean), self.networks["restorer"](real)
        terms = self._translators_terms(clean, real, like_real, like_clean)
        self.parts = {name: term.detach() for name, term in terms.items()}
        losses = {"translators": torch.stack(list(terms.values())).sum()}
        sr = None
        if self._sr is not None:
            sr, found = self._sr.generator_terms(batch, like_real)
            self.parts |= {name: term.detach() for name, term in found.items()}
            losses["generator"] = torch.stack(list(found.values())).sum()
        yield losses
        shown = {"critic_real": (real, like_real), "critic_clean": (clean, like_clean)}
        judged = {role: self._critic_term(role, *pair, batch.keys) for role, pair in shown.items()}
        losses = {"critics": torch.stack(list(judged.values())).sum()}
        if self._sr is not None and sr is not None and self._sr.config.adversarial:
            judged["critic"] = losses["critic"] = self._sr.critic_term(batch, sr)
        self.parts |= {role: loss.detach() for role, loss in judged.items()}
        yield losses

    def _translators_terms(
        self, clean: Tensor, real: Tensor, like_real: Tensor, like_clean: Tensor
    ) -> dict[str, Tensor]:
        degrader, restorer = self.networks["degrader"], self.networks["restorer"]
        config = self.config
        terms = {
            "adversarial_real": self._passing(self.networks["critic_real"], like_real),
            "adversarial_clean": self._passing(self.networks["critic_clean"], like_clean),
        }
        if config.cycle:
            there_and_back = _distance(restorer(like_real), clean) + _distance(degrader(like_clean), real)
            terms["cycle"] = config.cycle * there_and_back
        if config.identity:
            untouched = _distance(degrader(real), real) + _distance(restorer(clean), clean)
            terms["identity"] = config.identity * untouched
        return terms

    def _passing(self, critic: nn.Module, fake: Tensor) -> Tensor:
        """How far `fake` is from passing for real; neither GAN looks at real pictures for that."""
        logits = critic(fake)
        return GAN_LOSSES[self.config.gan][0](logits, logits, half=self.config.half)

    def _critic_term(self, role: str, real: Tensor, fake: Tensor, keys: tuple[int, ...]) -> Tensor:
        pool = self.state.get(role)
        shown, self.state[role] = through_pool(pool, fake, keys, size=self.config.pool, purpose=role)
        return self._gan.critic_term(self.networks[role], real, shown)


class _SR:
    """The SR generator and its critic, on LR that is made as they learn."""

    def __init__(self, config: SRConfig, networks: Mapping[str, nn.Module], vgg_weights: Path | None) -> None:
        self.config, self.networks = config, networks
        self._layout = torch.channels_last
        self._gan = AdversarialLoss(config.gan, config.half)
        self._perceptual = load_perceptual(config.features, weights=vgg_weights) if config.perceptual else None

    def to(self, device: torch.device, dtype: torch.dtype | None) -> None:
        generator = self.networks["generator"]
        self._layout = fastest_layout(generator, device, dtype)
        generator.to(memory_format=self._layout)  # type: ignore[reportCallIssue]  as documented
        if self._perceptual is not None:
            self._perceptual.to(device=device, memory_format=torch.channels_last)  # type: ignore[reportCallIssue]

    def generator_terms(self, batch: Batch, like_real: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """SR of the mixed LR, and its weighted terms."""
        config, hr, lr = self.config, batch.hr, like_real.detach().clone()
        assert batch.lr is not None
        assert hr is not None
        for row, key in enumerate(batch.keys):
            if chance(key, "mix") < config.mix:
                lr[row] = batch.lr[row]
        sr = self.networks["generator"](lr.contiguous(memory_format=self._layout))
        terms: dict[str, Tensor] = {}
        if config.pixel:
            terms["pixel"] = config.pixel * PIXEL_LOSSES[config.pixel_distance](sr, hr)
        if self._perceptual is not None:
            terms["perceptual"] = config.perceptual * self._perceptual(sr, hr)
        if config.adversarial:
            terms["adversarial"] = config.adversarial * self._gan.generator_term(self.networks["critic"], hr, sr)
        return sr, terms

    def critic_term(self, batch: Batch, sr: Tensor) -> Tensor:
        assert batch.hr is not None
        return self._gan.critic_term(self.networks["critic"], batch.hr, sr)


def _check_restyles(degrader: Any) -> None:
    if (degrader.scale, degrader.inputs, degrader.colour) != (1, (), "rgb"):
        problem = f"{type(degrader).__name__} does not take a picture alone, in RGB, and keep its size"
        raise PresetError("objective: cyclegan", problem, "use cycle_generator or dsgan")


def _distance(one: Tensor, other: Tensor) -> Tensor:
    """L1 in [-1, 1], where CycleGAN's weights belong: twice that of [0, 1]."""
    return 2 * PIXEL_LOSSES["l1"](one, other)
