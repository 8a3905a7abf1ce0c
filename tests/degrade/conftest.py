"""Learned degraders to test with: small frozen modules, saved as an export saves them."""

from __future__ import annotations

import dataclasses
import io
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from degrade import trust
from degrade.card import Card, NoiseInput, write_degrader

if TYPE_CHECKING:
    import torch

How = Literal["scripted", "traced"]


@pytest.fixture(scope="session")
def card() -> Card:
    """Of a degrader that takes an image and three channels of noise, x2."""
    return Card(
        name="tiny-x2",
        system="SRDGAN H2L",
        description="Two convolutions of random weights.",
        scale=2,
        multiple=2,
        inputs=(NoiseInput(3, 0.05),),
        receptive_field=3,
        batch=4,
        colour="rgb",
        trained_on=("nothing",),
        preset="none",
        steps=0,
        metrics={"psnr": 12.5},
        licence="CC0-1.0",
    )


@pytest.fixture(scope="session")
def torchscript() -> Callable[..., bytes]:
    """The bytes that `torch.jit.save` makes of a frozen module; traced if example inputs are given."""
    import torch

    def function(
        module: torch.nn.Module, *examples: torch.Tensor, freeze: bool = True, card_text: str | None = None
    ) -> bytes:
        module, file = module.eval(), io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch calls TorchScript deprecated, and traced conditions constants
            script = torch.jit.trace(module, examples) if examples else torch.jit.script(module)
            script = torch.jit.freeze(script) if freeze else script
            torch.jit.save(script, file, _extra_files=None if card_text is None else {"card.json": card_text})
        return file.getvalue()

    return function


@pytest.fixture(scope="session")
def tiny(torchscript: Callable[..., bytes]) -> bytes:
    """`torch.jit.save` of the module that `card` describes; `forward(image, noise)`."""
    import torch
    from torch import Tensor, nn

    class Tiny(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Conv2d(6, 4, 3, padding=1)
            self.tail = nn.Conv2d(4, 3, 2, stride=2)

        def forward(self, image: Tensor, noise: Tensor) -> Tensor:
            return self.tail(torch.relu(self.head(torch.cat((image, noise), 1))))

    torch.manual_seed(0)
    return torchscript(Tiny())


@pytest.fixture(scope="session")
def degraders(
    tmp_path_factory: pytest.TempPathFactory, torchscript: Callable[..., bytes], card: Card
) -> Iterator[Callable[..., Path]]:
    """Write a module as a degrader file, with a card as `card` but for what is stated, and trust it."""
    folder, before = tmp_path_factory.mktemp("degraders"), os.environ.get(trust.VARIABLE)
    os.environ[trust.VARIABLE] = str(folder / "trusted")  # worker processes ask it, too

    def function(module: torch.nn.Module, *, name: str = "model.pt", trusted: bool = True, **stated: Any) -> Path:
        path = Path(tempfile.mkdtemp(dir=folder)) / name
        write_degrader(path, torchscript(module), dataclasses.replace(card, **stated))
        if trusted:
            trust.trust(path)
        return path

    yield function
    if before is None:
        del os.environ[trust.VARIABLE]
    else:
        os.environ[trust.VARIABLE] = before
