"""Learned degraders to test with: small frozen modules, saved as an export saves them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import pytest

from degrade.card import Card, NoiseInput

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
