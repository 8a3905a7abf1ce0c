"""Runs in this process, stopped, killed or poisoned at a step."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from srzoo.data import Batch
from srzoo.objectives import OBJECTIVES
from srzoo.preset import load_preset
from srzoo.trainer import Outcome, Progress, RunOptions, Watcher, train
from srzoo.trainer.stage import StageRun


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Calls(Watcher):
    """Calls `at` after each step; keeps what is said."""

    def __init__(self, at: Callable[[int], object]) -> None:
        self.at, self.warnings, self.notes = at, [], []

    def progress(self, progress: Progress) -> None:
        self.at(progress.step)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


class Lab:
    """Runs of one preset on one set, each in a folder of its own."""

    def __init__(self, preset: Path, shards: Path, root: Path, *, real_lr: tuple[Path, ...] = ()) -> None:
        self.preset, self.shards, self.root, self.real_lr = preset, shards, root, real_lr
        self.watcher = Calls(lambda step: None)

    def out(self, name: str) -> Path:
        return self.root / name

    def run(
        self, name: str, *overrides: str, at: Callable[[int], object] = lambda step: None, **options: Any
    ) -> Outcome:
        """Train, or go on; `at(step)` is called after each step."""
        self.watcher = Calls(at)
        data = {"shards": (self.shards,), "real_lr": self.real_lr}
        settings = {**data, "out": self.out(name), "device": "cpu", "workers": 0, **options}
        return train(load_preset(str(self.preset), overrides=overrides), RunOptions(**settings), self.watcher)

    def killed(self, name: str, *overrides: str, at: Callable[[int], object], **options: Any) -> bool:
        """As `run` in a process of its own, which `at` may kill; whether it was killed."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: the child makes its own
            child = os.fork()
        if not child:
            try:
                self.run(name, *overrides, at=at, **options)
            finally:
                os._exit(0)
        status = os.waitpid(child, 0)[1]
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL

    def digest(self, name: str, step: int) -> str:
        """SHA-256 of all tensors of a state: networks, averages, optimisers."""
        meta = json.loads((self.out(name) / "state" / f"step-{step:06d}" / "meta.json").read_text())
        return meta["files"]["state.safetensors"]

    def states(self, name: str) -> list[int]:
        return sorted(int(path.name.removeprefix("step-")) for path in (self.out(name) / "state").glob("step-*"))


@pytest.fixture
def lab(tiny_preset: Path, tiny_shards: Path, tmp_path: Path) -> Lab:
    return Lab(tiny_preset, tiny_shards, tmp_path / "runs")


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`toys.py`, its objectives in the table for the time of a test."""
    spec = importlib.util.spec_from_file_location("toys", Path(__file__).with_name("toys.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, entry in module.entries().items():
        monkeypatch.setitem(OBJECTIVES, name, entry)
    return module


@pytest.fixture
def noise_pairs(tmp_path: Path, pairs_writer: Callable[..., Path]) -> tuple[Path, Path]:
    """Pairs of noise, HR 48 x 48, scale 4, and a set whose LR may serve as unpaired."""
    random = np.random.default_rng(0)
    hr, lr, real = (random.integers(0, 256, (12, side, side, 3), np.uint8) for side in (48, 12, 12))
    return pairs_writer(tmp_path / "shards", lr, hr), pairs_writer(tmp_path / "real", real, hr)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[int, ...], bytes]]:
    """The batches that reach the network, in order: pair numbers, and the pixels."""
    batches: list[tuple[tuple[int, ...], bytes]] = []
    update = StageRun._update

    def recorded(self: StageRun, batch: Batch) -> None:
        assert batch.lr is not None
        batches.append((batch.pairs, batch.lr.numpy().tobytes()))
        update(self, batch)

    monkeypatch.setattr(StageRun, "_update", recorded)
    return batches
