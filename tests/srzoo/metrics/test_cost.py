"""What a call costs, where its cost is known."""

from __future__ import annotations

import time

import pytest
import torch
from torch import Tensor

from srzoo.metrics import cost as module
from srzoo.metrics.cost import Cost, measure_cost

LR = torch.zeros(1, 3, 250, 500)


def enlarged(lr: Tensor) -> Tensor:
    return lr.repeat_interleave(2, 2).repeat_interleave(2, 3)  # half a megapixel


def test_seconds_are_the_median_of_the_calls_after_the_first() -> None:
    naps = iter([0.5, 0.02, 0.3, 0.04, 0.0])

    def upscale(lr: Tensor) -> Tensor:
        time.sleep(next(naps))
        assert torch.is_inference_mode_enabled()
        return enlarged(lr)

    found = measure_cost(upscale, LR, repeats=3)
    assert found.megapixels == 0.5
    assert 0.04 <= found.seconds < 0.3
    assert found.seconds_per_megapixel == pytest.approx(2 * found.seconds)


@pytest.mark.skipif(not module._CLEAR.exists(), reason="the resident set is Linux's")
def test_memory_is_the_most_that_was_held_at_once() -> None:
    megabyte = 2**20

    def upscale(lr: Tensor) -> Tensor:
        one = torch.ones(16 * megabyte)  # 64 MiB of float32
        del one
        two = torch.ones(12 * megabyte), torch.ones(12 * megabyte)  # 96 MiB at once
        del two
        return enlarged(lr)

    found = measure_cost(upscale, LR, repeats=1)
    assert found.bytes is not None
    assert 95 * megabyte < found.bytes < 130 * megabyte
    assert found.bytes_per_megapixel == 2 * found.bytes


def test_memory_that_cannot_be_told_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    found = measure_cost(enlarged, LR, repeats=1)
    assert (found.bytes, found.bytes_per_megapixel) == (None, None)
    assert Cost(2.0, 3.0, None).seconds_per_megapixel == 1.5


def test_no_repeats_are_refused() -> None:
    with pytest.raises(ValueError, match="repeats: expected at least 1, got 0"):
        measure_cost(enlarged, LR, repeats=0)
