"""Several networks at once: three papers' objectives as toys, which the trainer steps, stops and goes on with."""

from __future__ import annotations

import copy
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from srzoo.data import Batch
from srzoo.errors import PresetError
from srzoo.preset import build_networks, build_objective, load_preset
from srzoo.trainer import state
from srzoo.trainer.ranks import Ranks
from srzoo.trainer.update import Clipped, apply_update

KINDS = ("toy-srdgan", "toy-cyclegan", "toy-ddnsr")


@pytest.fixture
def lab_of(lab: Any, toys: ModuleType, noise_pairs: tuple[Path, Path], tmp_path: Path) -> Any:
    """`lab_of(kind)`: runs of a toy on noise, with other noise as unpaired LR."""

    def made(kind: str) -> Any:
        path = tmp_path / f"{kind}.toml"
        path.write_text(toys.preset(kind))
        return type(lab)(path, noise_pairs[0], tmp_path / "runs", real_lr=(noise_pairs[1],))

    return made


def stop(at: int) -> Callable[[int], object]:
    return lambda step: signal.raise_signal(signal.SIGTERM) if step == at else None


def tensors(lab: Any, name: str, step: int) -> dict[str, Tensor]:
    return load_file(lab.out(name) / "state" / f"step-{step:06d}" / "state.safetensors")


@pytest.mark.parametrize("kind", KINDS)
def test_stopping_at_every_step_changes_no_bit(kind: str, lab_of: Any) -> None:
    lab = lab_of(kind)
    lab.run("whole")
    for step in range(1, 5):
        assert lab.run("parts", at=stop(step), workers=step % 2).step == step
    assert lab.run("parts").kind == "finished"
    assert lab.digest("parts", 5) == lab.digest("whole", 5)


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_is_that_of_each_loss_alone_on_the_weights_of_before(
    kind: str, toys: ModuleType, tmp_path: Path
) -> None:
    """Plain gradient descent, against autograd of one loss after the other, each on networks of its own."""
    (tmp_path / "toy.toml").write_text(toys.preset(kind))
    (stage,) = load_preset(str(tmp_path / "toy.toml")).stages
    random = torch.Generator().manual_seed(0)
    hr, lr, real = (torch.rand(2, 3, side, side, generator=random) for side in (48, 12, 12))
    batch, networks = Batch(lr, hr, (0, 1), real, (7, 8)), build_networks(stage, seed=0)

    def first_losses(networks: dict[str, Any]) -> dict[str, Tensor]:
        return next(build_objective(stage, networks, vgg_weights=None).step(batch))

    expected: dict[str, list[Tensor]] = {}
    for name in first_losses(copy.deepcopy(networks)):
        own = copy.deepcopy(networks)
        weights = [p for role in stage.optimisers[name].networks for p in own[role].parameters()]
        gradients = torch.autograd.grad(first_losses(own)[name], weights)
        expected[name] = [p.detach() - 0.1 * gradient for p, gradient in zip(weights, gradients, strict=True)]
    before = {role: copy.deepcopy(dict(network.named_parameters())) for role, network in networks.items()}
    optimisers = {
        name: Clipped(torch.optim.SGD([p for role in one.networks for p in networks[role].parameters()], lr=0.1))
        for name, one in stage.optimisers.items()
    }
    apply_update([first_losses(networks)], optimisers, Ranks())
    for name, optimiser in optimisers.items():
        if name in expected:
            for found, wanted in zip(optimiser.parameters(), expected[name], strict=True):
                torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)
        else:
            for role in stage.optimisers[name].networks:
                for key, found in networks[role].named_parameters():
                    assert torch.equal(found, before[role][key])


def test_a_pool_fills_and_goes_with_the_state(lab_of: Any) -> None:
    lab = lab_of("toy-cyclegan")
    lab.run("run", "watch.save_every=1", "steps=3")
    pools = [tensors(lab, "run", step)["objective/0/real"] for step in (1, 2, 3)]
    assert [tuple(pool.shape) for pool in pools] == [(4, 3, 12, 12), (6, 3, 12, 12), (6, 3, 12, 12)]
    assert not torch.equal(pools[1], pools[2])


def test_without_its_pool_a_run_would_go_on_to_other_weights(lab_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = lab_of("toy-cyclegan")
    lab.run("whole")
    lab.run("parts", at=stop(3))
    monkeypatch.setattr(state, "kept_by", lambda *_: {})
    lab.run("parts")
    whole, parts = (tensors(lab, name, 5) for name in ("whole", "parts"))
    assert any(not torch.equal(whole[key], parts[key]) for key in whole if key.startswith("network/critic_real/"))


def test_a_pool_goes_on_in_parts_of_a_batch_as_in_the_whole(lab_of: Any) -> None:
    lab = lab_of("toy-cyclegan")
    for name, parts in (("whole", 1), ("parts", 2)):
        lab.run(name, f"data.accumulate={parts}", "optimisers.generators.learning_rate=1e-30", "steps=3")
    whole, parts = (tensors(lab, name, 3)["objective/0/made"] for name in ("whole", "parts"))
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-5)  # generators stand still, so rows differ by rounding


def test_an_optimiser_of_two_networks_is_stated_as_the_objective_has_it(toys: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "toy.toml"
    path.write_text(toys.preset("toy-cyclegan").replace("['degrader', 'back']", "['degrader']"))
    with pytest.raises(PresetError, match=r"optimisers\.generators\.networks: expected back, degrader, got degrader"):
        load_preset(str(path))
