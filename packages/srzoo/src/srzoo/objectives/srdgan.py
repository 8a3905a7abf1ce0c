"""SRDGAN's joint stage: H2L makes LR, L2H enlarges it, and each has a critic; all four are tuned together."""

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


@dataclass(frozen=True)
class TermsConfig:
    """Weights of one network's three terms: the paper's alpha1 to alpha3 of H2L, alpha4 to alpha6 of L2H."""

    pixel: float = 1.0
    perceptual: float = 0.0
    adversarial: float = 0.005

    def __post_init__(self) -> None:
        weights = (self.pixel, self.perceptual, self.adversarial)
        if min(weights) < 0 or not any(weights[:2]) or not self.adversarial:
            raise ValueError(f"expected adversarial > 0, and pixel or perceptual > 0, got {weights}")


@dataclass(frozen=True)
class SRDGANConfig:
    """Weights of both networks' terms, and what each one is.

    Attributes:
        through: the loss of SR flows on into H2L.
        real_pairs: L2H also enlarges the LR of the pairs: half of what it sees.
        features: which of VGG19's features the perceptual terms compare.
        half: the critics' two terms, and the relativistic generators', averaged instead of summed.
        moments: weight of H2L's noise as statistics; see `noise_moments`.
    """

    h2l: TermsConfig = field(default_factory=TermsConfig)
    l2h: TermsConfig = field(default_factory=TermsConfig)
    through: bool = True
    real_pairs: bool = True
    pixel_distance: Literal["l1", "mse", "charbonnier", "low_pass_l1"] = "mse"
    features: PerceptualConfig = field(default_factory=PerceptualConfig)
    gan: GAN = "standard"
    half: bool = False
    moments: float = 0.0

    def __post_init__(self) -> None:
        if self.moments < 0:
            raise ValueError(f"moments: expected a weight >= 0, got {self.moments}")


class SRDGAN:
    """Objective `srdgan`; see `protocol.Objective`. Roles: `h2l`, `l2h`, `critic_lr` on LR and `critic_hr` on HR.

    H2L's LR is compared with the pairs' LR, L2H's SR of it with HR. What is real LR is as in `degradation`: the batch's
    unpaired LR, else that of the pairs. Both networks are updated at once, then both critics, all by what one forward
    pass made.

    Source: "SRDGAN: learning the noise prior for super resolution with dual generative adversarial networks", equations
    2 to 6, and its joint fine-tuning, of which it says little more than that. Ours are `through`, since without it
    H2L would be trained as it is alone, and `real_pairs`, which keeps the two from agreeing on LR of their own.
    """

    products: tuple[str, ...] = ("h2l", "l2h")
    upscaler: str | None = "l2h"
    degrader: str | None = "h2l"
    restyles = False
    lr_critics: frozenset[str] = frozenset({"critic_lr"})
    border = 0

    def __init__(
        self, config: SRDGANConfig, networks: Mapping[str, nn.Module], *, vgg_weights: Path | None = None
    ) -> None:
        _check_h2l(networks["h2l"])
        self.config, self.networks = config, networks
        self.parts: dict[str, Tensor] = {}
        self.state: dict[str, Tensor] = {}
        self._layouts = dict.fromkeys(networks, torch.channels_last)
        self._gan = AdversarialLoss(config.gan, config.half)
        needed = config.h2l.perceptual or config.l2h.perceptual
        self._perceptual = load_perceptual(config.features, weights=vgg_weights) if needed else None

    @staticmethod
    def optimisers(config: SRDGANConfig) -> dict[str, tuple[str, ...]]:
        """One for both networks: a loss that flows through both is then differentiated once. One for both critics."""
        return {"generators": ("h2l", "l2h"), "critics": ("critic_lr", "critic_hr")}

    @staticmethod
    def check(config: SRDGANConfig, *, vgg_weights: Path | None) -> None:
        """Raise WeightsMissingError if the perceptual terms' features are not on this machine."""
        if config.h2l.perceptual or config.l2h.perceptual:
            load_perceptual(config.features, weights=vgg_weights)

    def to(self, device: torch.device, dtype: torch.dtype | None) -> None:
        for role in ("h2l", "l2h"):
            self._layouts[role] = fastest_layout(self.networks[role], device, dtype)
        for role, network in self.networks.items():
            network.to(device=device, memory_format=self._layouts[role])  # type: ignore[reportCallIssue]  as documented
        if self._perceptual is not None:
            self._perceptual.to(device=device, memory_format=torch.channels_last)  # type: ignore[reportCallIssue]

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        assert batch.lr is not None
        assert batch.hr is not None
        config, lr, hr = self.config, batch.lr, batch.hr
        made = self._made_lr(hr, batch.keys)
        real_lr = lr if batch.real_lr is None else batch.real_lr
        seen, wanted = made if config.through else made.detach(), hr
        if config.real_pairs:
            seen, wanted = torch.cat([seen, lr]), torch.cat([hr, hr])
        sr = self.networks["l2h"](seen.contiguous(memory_format=self._layouts["l2h"]))
        terms = {
            **self._terms("h2l", config.h2l, made, lr, critic="critic_lr", real=real_lr),
            **self._terms("l2h", config.l2h, sr, wanted, critic="critic_hr", real=hr),
        }
        if config.moments:
            terms["h2l_moments"] = config.moments * noise_moments(made, lr, hr, self.state)
        self.parts = {name: term.detach() for name, term in terms.items()}
        yield {"generators": torch.stack(list(terms.values())).sum()}
        critics = {
            "critic_lr": self._gan.critic_term(self.networks["critic_lr"], real_lr, made),
            "critic_hr": self._gan.critic_term(self.networks["critic_hr"], hr, sr),
        }
        self.parts |= {role: loss.detach() for role, loss in critics.items()}
        yield {"critics": torch.stack(list(critics.values())).sum()}

    def _made_lr(self, hr: Tensor, keys: tuple[int, ...]) -> Tensor:
        h2l: Any = self.networks["h2l"]
        return h2l(hr.contiguous(memory_format=self._layouts["h2l"]), *noise_beside(hr, h2l.inputs, keys))

    def _terms(
        self, name: str, weights: TermsConfig, made: Tensor, wanted: Tensor, *, critic: str, real: Tensor
    ) -> dict[str, Tensor]:
        """The weighted terms of `made`, each a mean over all of it."""
        judged = self._gan.generator_term(self.networks[critic], real, made)
        terms = {f"{name}_adversarial": weights.adversarial * judged}
        if weights.pixel:
            terms[f"{name}_pixel"] = weights.pixel * PIXEL_LOSSES[self.config.pixel_distance](made, wanted)
        if self._perceptual is not None and weights.perceptual:
            terms[f"{name}_perceptual"] = weights.perceptual * self._perceptual(made, wanted)
        return terms


def _check_h2l(network: nn.Module) -> None:
    """It works on RGB, and takes nothing but noise beside HR."""
    takes_more = any(not isinstance(one, NoiseInput) for one in getattr(network, "inputs", ()))
    if takes_more or getattr(network, "colour", "rgb") != "rgb":
        problem = f"{type(network).__name__} wants more than HR and noise, or works on luma"
        raise PresetError("networks.h2l", problem, "use h2l")
