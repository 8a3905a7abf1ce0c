"""CycleGAN's generator against torch's own instance norms, the released keys, and registration."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from srzoo.degraders.cycle_generator import CycleGenerator, CycleGeneratorConfig


def test_the_keys_are_the_released_ones() -> None:
    keys = {key.rpartition(".")[0] for key in CycleGenerator(CycleGeneratorConfig(features=2)).state_dict()}
    plain = {f"model.{n}" for n in (1, 4, 7, 19, 22, 26)}
    assert keys == plain | {f"model.{n}.conv_block.{k}" for n in range(10, 19) for k in (1, 5)}


def test_the_forward_pass_is_the_described_one() -> None:
    torch.manual_seed(0)
    degrader = CycleGenerator(CycleGeneratorConfig(blocks=2, features=4))
    w = degrader.state_dict()

    def normed(x: torch.Tensor) -> torch.Tensor:
        return nn.InstanceNorm2d(x.shape[1])(x)

    def conv(x: torch.Tensor, key: str, stride: int = 1, padding: int = 0) -> torch.Tensor:
        return F.conv2d(x, w[f"{key}.weight"], w[f"{key}.bias"], stride=stride, padding=padding)

    image = torch.rand(2, 3, 16, 12)
    x = F.relu(normed(conv(F.pad(2 * image - 1, [3] * 4, mode="reflect"), "model.1")))
    for key in ("model.4", "model.7"):
        x = F.relu(normed(conv(x, key, stride=2, padding=1)))
    for block in ("model.10.conv_block", "model.11.conv_block"):
        inner = F.relu(normed(conv(F.pad(x, [1] * 4, mode="reflect"), f"{block}.1")))
        x = x + normed(conv(F.pad(inner, [1] * 4, mode="reflect"), f"{block}.5"))
    for key in ("model.12", "model.15"):
        x = F.conv_transpose2d(x, w[f"{key}.weight"], w[f"{key}.bias"], stride=2, padding=1, output_padding=1)
        x = F.relu(normed(x))
    expected = torch.tanh(conv(F.pad(x, [3] * 4, mode="reflect"), "model.19")) / 2 + 0.5
    torch.testing.assert_close(degrader(image), expected, atol=1e-5, rtol=1e-5)


def test_with_a_skip_the_network_gives_the_change_at_first_none() -> None:
    torch.manual_seed(0)
    plain, skipping = (CycleGenerator(CycleGeneratorConfig(blocks=1, features=4, skip=skip)) for skip in (False, True))
    image = torch.rand(1, 3, 16, 12)
    assert torch.equal(skipping(image), image)
    skipping.load_state_dict(plain.state_dict())
    torch.testing.assert_close(skipping(image), image + plain(image) - 0.5)


@pytest.mark.parametrize("strided", [0, 1, 2])
def test_it_takes_multiples_of_what_it_strides_by(strided: int) -> None:
    degrader = CycleGenerator(CycleGeneratorConfig(blocks=1, features=2, strided=strided))
    assert degrader.multiple == 2**strided
    side = 3 * degrader.multiple + 8
    assert degrader(torch.rand(1, 3, side, side + degrader.multiple)).shape == (1, 3, side, side + degrader.multiple)
    widths = {parameter.shape[0] for name, parameter in degrader.named_parameters() if "conv_block" in name}
    assert widths == {2 * 2**strided}
    with pytest.raises(ValueError, match="strided: expected 0 to 2, got 3"):
        CycleGeneratorConfig(strided=3)


def test_training_starts_from_weights_of_a_fiftieth() -> None:
    torch.manual_seed(0)
    for key, value in CycleGenerator(CycleGeneratorConfig(blocks=1)).named_parameters():
        if key.endswith("bias"):
            assert not value.any()
        else:
            assert value.std().item() == pytest.approx(0.02, rel=0.03)


def test_what_goes_down_and_up_again_stays_where_it_was() -> None:
    """With symmetric kernels a picture mirrored about a pixel that every stride keeps comes out mirrored about it."""
    torch.manual_seed(0)
    degrader = CycleGenerator(CycleGeneratorConfig(blocks=1, features=3)).double()
    with torch.no_grad():
        for parameter in degrader.parameters():
            if parameter.ndim == 4:
                parameter.copy_(5 * (parameter + parameter.flip(3)))
    image = torch.full((1, 3, 64, 256), 0.5, dtype=torch.float64)  # flat as far as its sides can be seen
    image[:, :, 24:40, 120:140] = torch.rand(1, 3, 16, 20, dtype=torch.float64)

    def mirrored(x: torch.Tensor) -> torch.Tensor:
        return x.flip(3).roll(1, 3)  # column 128 stays

    with torch.no_grad():
        inside = slice(48, 208)
        lr, turned = mirrored(degrader(image))[..., inside], degrader(mirrored(image))[..., inside]
    assert lr.std() > 0.01
    torch.testing.assert_close(turned, lr, atol=1e-9, rtol=0)
