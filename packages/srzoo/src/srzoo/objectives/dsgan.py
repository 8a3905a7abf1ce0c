"""DSGAN: bicubic LR restyled as a camera's, held to its low frequencies and judged by its high ones, unpaired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.data import Batch
from srzoo.errors import PresetError
from srzoo.features.lpips import load_lpips
from srzoo.features.lpips_trunks import Net
from srzoo.losses import GAN, GAN_LOSSES, LPIPSLoss, PerceptualConfig, load_perceptual


@dataclass(frozen=True)
class DSGANConfig:
    """Weights of the terms (0 leaves a term out) and what each one is.

    Attributes:
        colour: of the L1 distance between low frequencies.
        window: side of the mean that these are, in LR pixels, odd.
        lpips: of the LPIPS distance to bicubic LR, over `lpips_net`.
        perceptual: of a distance between VGG19's `features` instead, where LPIPS's trunk is not at hand.
        half: the critic's two terms averaged instead of summed.
    """

    colour: float = 1.0
    window: int = 5
    lpips: float = 0.01
    lpips_net: Net = "alex"
    perceptual: float = 0.0
    features: PerceptualConfig = field(default_factory=PerceptualConfig)
    adversarial: float = 0.005
    gan: GAN = "standard"
    half: bool = False

    def __post_init__(self) -> None:
        weights = (self.colour, self.lpips, self.perceptual, self.adversarial)
        if min(weights) < 0 or not self.colour or not self.adversarial:
            raise ValueError(f"expected weights >= 0, colour and adversarial > 0, got {weights}")
        if self.window < 1 or self.window % 2 == 0:
            raise ValueError(f"window: expected an odd number of pixels, got {self.window}")


class DSGAN:
    """Objective `dsgan`; see `protocol.Objective`. Roles: `degrader`, and `critic`, which sees what it likes of LR.

    The critic's real pictures are crops of real photographs as they are. Both networks are updated at once, from the
    same pass of the critic.

    Source: Fritsche et al. 2019, "Frequency separation for real-world super-resolution", section 3.2, and its code:
    low frequencies where the whole window lies inside the picture. (The high pass is in its critic, `high_pass`.)
    """

    products: tuple[str, ...] = ("degrader",)
    upscaler: str | None = None
    degrader: str | None = "degrader"
    restyles = True
    lr_critics: frozenset[str] = frozenset({"critic"})
    border = 0

    def __init__(
        self, config: DSGANConfig, networks: Mapping[str, nn.Module], *, vgg_weights: Path | None = None
    ) -> None:
        _check_restyles(networks["degrader"])
        self.config, self.networks = config, networks
        self.parts: dict[str, Tensor] = {}
        self.state: dict[str, Tensor] = {}
        self._distances = _distances(config, vgg_weights)

    @staticmethod
    def optimisers(config: DSGANConfig) -> dict[str, tuple[str, ...]]:
        """One for each network, of its name."""
        return {role: (role,) for role in ("degrader", "critic")}

    @staticmethod
    def check(config: DSGANConfig, *, vgg_weights: Path | None) -> None:
        """Raise WeightsMissingError if LPIPS or the perceptual features are wanted and not on this machine."""
        _distances(config, vgg_weights)

    def to(self, device: torch.device, dtype: torch.dtype | None) -> None:
        for network in (*self.networks.values(), *self._distances.values()):
            network.to(device=device, memory_format=torch.channels_last)  # type: ignore[reportCallIssue]  as documented

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        assert batch.lr is not None
        assert batch.real_lr is not None
        config, lr, critic = self.config, batch.lr, self.networks["critic"]
        fake = self.networks["degrader"](lr)
        fools, judges = GAN_LOSSES[config.gan]
        real_logits, fake_logits = critic(batch.real_lr), critic(fake)
        terms = {"colour": config.colour * _low_pass(fake - lr, config.window).abs().mean()}
        for name, distance in self._distances.items():
            terms[name] = getattr(config, name) * distance(fake, lr)
        terms["adversarial"] = config.adversarial * fools(real_logits, fake_logits, half=config.half)
        critic_loss = judges(real_logits, fake_logits, half=config.half)
        self.parts = {name: term.detach() for name, term in {**terms, "critic": critic_loss}.items()}
        yield {"degrader": torch.stack(list(terms.values())).sum(), "critic": critic_loss}


def _low_pass(difference: Tensor, window: int) -> Tensor:
    """Means over whole windows: (B, C, H - window + 1, W - window + 1). Linear, so a difference can be handed in."""
    return F.avg_pool2d(difference.float(), window, stride=1)


def _distances(config: DSGANConfig, vgg_weights: Path | None) -> dict[str, nn.Module]:
    """The distances between pretrained features that are wanted, by the name of their weight."""
    found: dict[str, nn.Module] = {}
    if config.lpips:
        found["lpips"] = LPIPSLoss(load_lpips(config.lpips_net))
    if config.perceptual:
        found["perceptual"] = load_perceptual(config.features, weights=vgg_weights)
    return found


def _check_restyles(degrader: Any) -> None:
    if (degrader.scale, degrader.inputs, degrader.colour) != (1, (), "rgb"):
        problem = f"{type(degrader).__name__} does not take a picture alone, in RGB, and keep its size"
        raise PresetError("objective: dsgan", problem, "use dsgan or cycle_generator")
