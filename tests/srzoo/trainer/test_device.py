import pytest
import torch

from srzoo.errors import UsageError
from srzoo.trainer.device import autocast, autocast_type, pick_device, settings

CPU = torch.device("cpu")


def test_a_device_that_is_not_there_is_said() -> None:
    assert pick_device("cpu") == CPU
    with pytest.raises(UsageError, match="unknown"):
        pick_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="not on this machine"):
            pick_device("cuda")
        with pytest.raises(UsageError, match="not on this machine"):
            pick_device("cuda:1")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_fastest(cuda: bool, mps: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto").type == expected
    if cuda:
        assert pick_device("auto", local_rank=1) == torch.device("cuda", 1)
        assert pick_device("cuda:0", local_rank=1) == torch.device("cuda", 0)
        with pytest.raises(UsageError, match="there are 2"):
            pick_device("cuda:2")
        with pytest.raises(UsageError, match="cuda:x"):
            pick_device("cuda:x")


def test_precision_is_what_is_asked_for_and_quick_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert autocast_type("fp32", CPU) is None
    assert autocast_type("bf16", CPU) is torch.bfloat16
    for quick, expected in ((True, torch.bfloat16), (False, None)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda quick=quick: quick)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        assert autocast_type("auto", CPU) is expected
    assert autocast_type("auto", torch.device("mps")) is None


def test_weights_stay_float32_under_bfloat16() -> None:
    network = torch.nn.Conv2d(3, 3, 3)
    with autocast(torch.bfloat16, CPU):
        result = network(torch.zeros(1, 3, 8, 8))
    assert (result.dtype, network.weight.dtype) == (torch.bfloat16, torch.float32)
    with autocast(None, CPU):
        assert network(torch.zeros(1, 3, 8, 8)).dtype == torch.float32


def test_settings_are_put_back() -> None:
    before = torch.get_num_threads()
    with settings(threads=before + 1, deterministic=True):
        assert torch.get_num_threads() == before + 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == before
    assert not torch.are_deterministic_algorithms_enabled()
