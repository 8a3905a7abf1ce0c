"""Objectives over several networks, each a paper's in thirty lines: what the protocol and the trainer must carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from srzoo.data import Batch, noise_beside
from srzoo.losses import AdversarialLoss
from srzoo.objectives.protocol import Objective
from srzoo.objectives.supervised import SupervisedConfig


class Toy:
    """What the three share: a network for each role, and nothing that is frozen. They leave `[loss]` alone."""

    border, restyles, lr_critics = 0, False, frozenset({"critic_lr"})
    products: tuple[str, ...] = ("degrader", "generator")
    upscaler: str | None = "generator"
    degrader: str | None = "degrader"
    roles: tuple[str, ...] = ("degrader", "generator", "critic_lr", "critic_hr")

    def __init__(self, config: Any, networks: Mapping[str, Any], *, vgg_weights: Path | None = None) -> None:
        self.networks: Mapping[str, Any] = networks
        self.gan = AdversarialLoss("standard")
        self.parts: dict[str, Tensor] = {}
        self.state: dict[str, Tensor] = {}

    @classmethod
    def optimisers(cls, config: Any) -> dict[str, tuple[str, ...]]:
        return {role: (role,) for role in cls.roles}

    @staticmethod
    def check(config: Any, *, vgg_weights: Path | None) -> None:
        pass

    def to(self, device: torch.device, dtype: torch.dtype | None) -> None:
        for network in self.networks.values():
            network.to(device)

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        raise NotImplementedError


class SRDGAN(Toy):
    """A degrader, and an upscaler of what it makes, whose loss both minimise: one dict. Then both critics: another."""

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        degrader, generator, critic_lr, critic_hr = (self.networks[role] for role in self.roles)
        assert batch.lr is not None
        assert batch.hr is not None
        lr = degrader(batch.hr, *noise_beside(batch.hr, degrader.inputs, batch.keys))
        sr = generator(lr)
        down = F.mse_loss(lr, batch.lr) + 0.1 * self.gan.generator_term(critic_lr, batch.lr, lr)
        up = F.mse_loss(sr, batch.hr) + 0.1 * self.gan.generator_term(critic_hr, batch.hr, sr)
        self.parts = {"down": down.detach(), "up": up.detach()}
        yield {"degrader": down + up, "generator": up}
        yield {
            "critic_lr": self.gan.critic_term(critic_lr, batch.lr, lr),
            "critic_hr": self.gan.critic_term(critic_hr, batch.hr, sr),
        }


class CycleGAN(Toy):
    """LR as made to a camera's LR and back: an optimiser for both generators, one for both critics, and two pools."""

    pool, products, lr_critics = 6, ("degrader",), frozenset({"critic_made", "critic_real"})
    upscaler = degrader = None
    roles = ("degrader", "back", "critic_made", "critic_real")

    @classmethod
    def optimisers(cls, config: Any) -> dict[str, tuple[str, ...]]:
        return {"generators": cls.roles[:2], "critics": cls.roles[2:]}

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        degrader, back, critic_made, critic_real = (self.networks[role] for role in self.roles)
        made, real = batch.lr, batch.real_lr
        assert made is not None
        assert real is not None
        fake_real, fake_made = degrader(made), back(real)
        cycle = F.l1_loss(back(fake_real), made) + F.l1_loss(degrader(fake_made), real)
        judged = self.gan.generator_term(critic_real, real, fake_real)
        judged = judged + self.gan.generator_term(critic_made, made, fake_made)
        self.parts = {"cycle": cycle.detach(), "adversarial": judged.detach()}
        yield {"generators": 10 * cycle + judged}
        earlier_real = self.pooled("real", fake_real.detach(), batch.keys)
        earlier_made = self.pooled("made", fake_made.detach(), batch.keys)
        on_real = self.gan.critic_term(critic_real, real, earlier_real)
        yield {"critics": on_real + self.gan.critic_term(critic_made, made, earlier_made)}

    def pooled(self, name: str, fakes: Tensor, keys: tuple[int, ...]) -> Tensor:
        """Fill the pool; from then on the key says whether a fake changes places with one in it, and with which."""
        pool, given = [*self.state.get(name, ())], []
        for fake, key in zip(fakes, keys, strict=True):
            place = key // 2 % self.pool
            if len(pool) < self.pool:
                pool.append(fake)
            elif key % 2:
                fake, pool[place] = pool[place], fake
            given.append(fake)
        self.state[name] = torch.stack(pool)
        return torch.stack(given)


class DDNSR(Toy):
    """From one forward pass of two networks and two critics a loss for each of the four, in one dict."""

    degrader = None  # validation has no reference to give it

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        degrader, generator, critic_lr, critic_hr = (self.networks[role] for role in self.roles)
        hr, real = batch.hr, batch.real_lr
        assert hr is not None
        assert real is not None
        lr = degrader(hr, real)
        sr = generator(lr)
        cycle = F.mse_loss(degrader(generator(real), real), real)
        losses = {
            "degrader": 10 * cycle + self.gan.generator_term(critic_lr, real, lr),
            "generator": F.l1_loss(sr, hr) + 0.005 * self.gan.generator_term(critic_hr, hr, sr),
            "critic_lr": self.gan.critic_term(critic_lr, real, lr),
            "critic_hr": self.gan.critic_term(critic_hr, hr, sr),
        }
        self.parts = {name: loss.detach() for name, loss in losses.items()}
        yield losses


KINDS: dict[str, tuple[type[Toy], dict[str, str]]] = {
    "toy-srdgan": (SRDGAN, {"degrader": "h2l", "generator": "skipres"}),
    "toy-cyclegan": (CycleGAN, {"degrader": "cycle_generator", "back": "cycle_generator"}),
    "toy-ddnsr": (DDNSR, {"degrader": "dual_input", "generator": "skipres"}),
}
"""Name -> objective, and the types of its networks that are no critics."""

_PRESET = """
name = "{kind}"
source = "Our own, for tests."
objective = "{kind}"
scale = 4
steps = 5
precision = "fp32"
data = {{patch = 48, batch = 4}}
watch = {{log_every = 1, validate_every = 100, save_every = 100, pairs = 2}}
"""


def entries() -> dict[str, tuple[type[Any], type[Objective]]]:
    """The toys as rows of the table of objectives."""
    return {name: (SupervisedConfig, kind) for name, (kind, _) in KINDS.items()}


def preset(kind: str) -> str:
    """Five steps of a toy, every network of four features, the critics `vgg_style`."""
    objective, types = KINDS[kind]
    text = _PRESET.format(kind=kind)
    for role in objective.roles:
        type_ = f'"{types[role]}"\nblocks = 1' if role in types else '"vgg_style"'
        text += f"[networks.{role}]\ntype = {type_}\nfeatures = 4\n"
    for name, roles in objective.optimisers(None).items():
        text += f"[optimisers.{name}]\nnetworks = {list(roles)}\nlearning_rate = 1e-3\n"
    return text
