"""Pairs grouped by what their traces say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from srzoo.checkpoint import Model
from srzoo.errors import UsageError
from srzoo.networks import NETWORKS
from srzoo.report import kinds
from srzoo.report.kinds import blur_of, by_kind, filter_of, noise_of
from srzoo.upscale.upscaler import Upscaler


def trace(noise: str = "gaussian_noise", filter: str = "bicubic", sigma: float = 1.5) -> dict[str, Any]:
    down = {"op": "nearest_downsample"} if filter == "nearest" else {"op": "downsample", "filter": filter}
    return {"steps": [{"op": "gaussian_blur", "sigma": sigma}, down, {"op": noise}]}


@dataclass
class Pairs:
    """A stand-in for degrade's shard reader: flat HR, LR off by `offset` levels in odd pairs."""

    traces: list[dict[str, Any]]
    scale: int = 4
    digest: str = "seen"

    def __len__(self) -> int:
        return len(self.traces)

    def __getitem__(self, index: int) -> SimpleNamespace:
        return SimpleNamespace(trace=self.traces[index])

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        offset = 10 if index % 2 else 5
        return np.full((16, 16, 3), 100 + offset, np.uint8), np.full((64, 64, 3), 100, np.uint8)


@pytest.fixture(scope="module")
def upscaler() -> Upscaler:
    config, network = NETWORKS["skipres"]
    with torch.random.fork_rng(devices=[]):
        built = network(config(blocks=1, features=4)).eval()
    built.tail.bias.data.fill_(-5 / 255)  # takes 5 levels off, so even pairs become perfect
    return Upscaler(Model(built, "skipres", 4, 4, {"shards": "seen"}), device="cpu")


def given_pairs(monkeypatch: pytest.MonkeyPatch, pairs: Pairs, held_out: list[int]) -> None:
    monkeypatch.setattr(kinds, "open_shards", lambda folders: pairs)
    monkeypatch.setattr(kinds, "hold_out", lambda pairs: SimpleNamespace(held_out=np.array(held_out)))


def test_traces_in_words() -> None:
    assert noise_of(trace("poisson_gaussian_noise")) == "poisson-gaussian"
    assert noise_of({"steps": []}) == filter_of({"steps": []}) == blur_of({"steps": []}) == "none"
    assert filter_of(trace(filter="nearest")) == "nearest"
    assert filter_of(trace(filter="lanczos")) == "lanczos"
    assert [blur_of(trace(sigma=sigma)) for sigma in (0.2, 1.0, 2.99)] == [
        "sigma 0 to 1",
        "sigma 1 to 2",
        "sigma 2 to 3",
    ]


def test_gains_are_means_per_kind(upscaler: Upscaler, monkeypatch: pytest.MonkeyPatch) -> None:
    traces = [trace("gaussian_noise" if i % 2 else "poisson_noise") for i in range(8)]
    given_pairs(monkeypatch, Pairs(traces), list(range(8)))
    found = by_kind([Path("shards")], upscaler)
    (table,) = found.tables  # one filter and one blur only: nothing to compare there
    odd, even = table.rows
    assert (odd.kind, odd.count, even.kind, even.count) == ("gaussian", 4, "poisson", 4)
    weight = (65.481 + 128.553 + 24.966) / 255  # luma of a grey difference
    assert odd.bicubic == pytest.approx(20 * np.log10(255 / (10 * weight)), abs=1e-6)
    assert odd.gain == pytest.approx(20 * np.log10(2), abs=1e-6)
    assert even.ours == 100  # nothing left to mend; capped so that means stay finite
    assert found.total.gain == pytest.approx((odd.gain + even.gain) / 2)


def test_only_held_out_pairs_of_known_shards_count(upscaler: Upscaler, monkeypatch: pytest.MonkeyPatch) -> None:
    traces = [trace() for _ in range(6)]
    given_pairs(monkeypatch, Pairs(traces), [1, 3])
    found = by_kind([Path("shards")], upscaler)
    assert found.total.count == 2
    assert found.sentence == "2 pairs whose photographs were held out of training; all of them."
    given_pairs(monkeypatch, Pairs(traces, digest="new"), [1, 3])
    found = by_kind([Path("shards")], upscaler, most=3)
    assert found.total.count == 3
    assert found.sentence == "6 pairs of shards that the model has not seen; 3 of them, spread evenly."


def test_another_scale_is_refused(upscaler: Upscaler, monkeypatch: pytest.MonkeyPatch) -> None:
    given_pairs(monkeypatch, Pairs([trace()], scale=2), [0])
    with pytest.raises(UsageError, match="shards of scale 2, but the model is of scale 4"):
        by_kind([Path("shards")], upscaler)
