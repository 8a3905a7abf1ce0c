"""A batch in parts is the batch in one piece: losses, updates, and what is logged of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from srzoo.data import Batch
from srzoo.objectives.supervised import Supervised, SupervisedConfig
from srzoo.preset import load_preset
from srzoo.trainer import RunOptions, train
from srzoo.trainer.ranks import Ranks
from srzoo.trainer.rounds import Rounds
from srzoo.trainer.update import Clipped, apply_update


class Scaled(nn.Module):
    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([weight], dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x


class Judge(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return (self.weight * x).mean((1, 2, 3))[:, None]


def stepped(parts: int, batch: Batch, **config: object) -> tuple[list[float], dict[str, float]]:
    """The weights after one step on `batch` in `parts`, and the logged terms."""
    networks = {"generator": Scaled(0.7), "critic": Judge(2.0)}
    objective = Supervised(SupervisedConfig(**config), networks)  # type: ignore[arg-type]
    optimisers = {role: Clipped(torch.optim.SGD(network.parameters(), lr=0.1)) for role, network in networks.items()}
    for losses in Rounds(objective, batch.in_parts(parts), nullcontext()):
        apply_update(losses, optimisers, Ranks(), parts=parts)
    weights = [network.weight.item() for network in networks.values()]
    return weights, {name: float(value) for name, value in objective.parts.items()}


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    lr, hr = torch.rand((2, 8, 3, 4, 4), generator=generator, dtype=torch.float64)
    return Batch(lr, hr, tuple(range(8)))


@pytest.mark.parametrize("config", [{"pixel": 1.0}, {"pixel": 0.1, "adversarial": 0.5, "gan": "standard"}])
@pytest.mark.parametrize("parts", [2, 4, 8])
def test_parts_step_as_the_whole_does(parts: int, config: dict[str, object], batch: Batch) -> None:
    whole, logged = stepped(1, batch, **config)
    assert whole[0] != 0.7
    weights, terms = stepped(parts, batch, **config)
    assert weights == pytest.approx(whole, rel=1e-12)
    assert terms == pytest.approx(logged, rel=1e-6)  # pixel losses are of float32


def test_a_round_is_done_for_every_part_before_the_next_begins(batch: Batch) -> None:
    seen: list[str] = []

    class Two:
        parts: dict[str, Tensor] = {}  # noqa: RUF012

        def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
            for name in ("first", "second"):
                seen.append(f"{name} {batch.pairs[0]}")
                self.parts = {**self.parts, name: torch.tensor(float(batch.pairs[0]))}
                yield {name: torch.zeros(())}
            seen.append(f"end {batch.pairs[0]}")

    objective = Two()
    rounds = [[list(losses) for losses in asked] for asked in Rounds(objective, batch.in_parts(2), nullcontext())]  # type: ignore[arg-type]
    assert rounds == [[["first"], ["first"]], [["second"], ["second"]]]
    assert seen == ["first 0", "first 4", "second 0", "second 4", "end 0", "end 4"]
    assert objective.parts == {"first": torch.tensor(2.0), "second": torch.tensor(2.0)}  # each part's own, averaged


def test_a_run_in_parts_gives_the_weights_of_larger_batches(
    tiny_preset: Path, tiny_shards: Path, tmp_path: Path
) -> None:
    products = []
    for parts in (1, 2, 4):
        preset = load_preset(str(tiny_preset), overrides=[f"data.accumulate={parts}", "steps=12"])
        train(preset, RunOptions((tiny_shards,), tmp_path / str(parts), device="cpu", threads=1))
        products.append(load_file(tmp_path / str(parts) / "generator.safetensors"))
    for other in products[1:]:
        for key, value in products[0].items():  # sums of gradients in another order: rounding
            torch.testing.assert_close(other[key], value, rtol=0, atol=1e-5)


def test_less_is_kept_in_memory_at_a_time(batch: Batch) -> None:
    """The graph of a part is gone before the next part's forward pass."""
    alive: list[int] = []
    count = 0

    class Counted(torch.autograd.Function):
        @staticmethod
        def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
            nonlocal count
            count += 1
            alive.append(count)
            return x.clone()

        @staticmethod
        def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> Tensor:
            nonlocal count
            count -= 1
            return gradients[0]

    class Watched(Scaled):
        def forward(self, x: Tensor) -> Tensor:
            apply: Callable[[Tensor], Tensor] = Counted.apply  # type: ignore[assignment]
            return apply(self.weight * x)

    objective = Supervised(SupervisedConfig(), {"generator": Watched(1.0)})
    optimisers = {"generator": Clipped(torch.optim.SGD(objective.networks["generator"].parameters(), lr=0.1))}
    for losses in Rounds(objective, batch.in_parts(4), nullcontext()):
        apply_update(losses, optimisers, Ranks(), parts=4)
    assert alive == [1, 1, 1, 1]
