"""torchrun with gloo: the same run, whatever the number of processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from srzoo.trainer.ranks import Ranks


def test_alone_nothing_is_sent() -> None:
    gradient = torch.tensor([1.0, 2.0])
    Ranks().average_([gradient])
    assert gradient.tolist() == [1.0, 2.0]
    assert Ranks().largest(15, torch.device("cpu")) == 15
    assert Ranks().is_first


def trained(world: int, out: Path, preset: Path, shards: Path) -> dict[str, torch.Tensor]:
    arguments = ["-m", "srzoo", "train", str(preset), "--shards", str(shards), "--out", str(out), "--device", "cpu"]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(world)] if world > 1 else []
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("done:") == 1
    return load_file(out / "generator.safetensors")


@pytest.mark.slow
def test_two_processes_give_the_weights_of_one(tiny_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    alone = trained(1, tmp_path / "alone", tiny_preset, tiny_shards)
    together = trained(2, tmp_path / "together", tiny_preset, tiny_shards)
    assert alone.keys() == together.keys()
    for key, value in alone.items():  # sums of gradients in another order: rounding, 40 times
        torch.testing.assert_close(together[key], value, rtol=0, atol=1e-5)
