"""Luma alone, the symmetric edge and DML's backbone, against scikit-image, NumPy and torch's plain operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr
from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.degraders.direct_net import DirectNet, DirectNetConfig
from srzoo.degraders.dsgan import DSGAN, DSGANConfig
from srzoo.degraders.layers import EncoderDecoder, LumaOnly, pad_symmetric
from srzoo.tensors import luma


class Darker(nn.Module):
    """Luma times `gain`."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain, self.scale, self.multiple, self.receptive_field = gain, 1, 1, 0
        self.inputs: tuple[Any, ...] = ()
        self.colour = "y"

    def forward(self, image: Tensor) -> Tensor:
        return self.gain * image


def ycbcr(image: Tensor) -> np.ndarray:
    return rgb2ycbcr(image[0].permute(1, 2, 0).double().numpy())


def test_unchanged_luma_gives_the_image_back_bit_for_bit() -> None:
    image = torch.rand(2, 3, 7, 10)
    assert torch.equal(LumaOnly(Darker(1.0))(image), image)


def test_luma_changes_as_the_degrader_says_and_chroma_does_not() -> None:
    image = torch.rand(1, 3, 7, 10)
    before, after = ycbcr(image), ycbcr(LumaOnly(Darker(0.5))(image))
    np.testing.assert_allclose(after[..., 0], 0.5 * before[..., 0], atol=1e-3)
    np.testing.assert_allclose(after[..., 1:], before[..., 1:], atol=1e-3)  # of 255: float32
    np.testing.assert_allclose(luma(image)[0, 0].double().numpy() * 255, before[..., 0], atol=1e-4)


def test_luma_only_says_what_its_degrader_says() -> None:
    inner = DirectNet(DirectNetConfig(features=2))
    outer = LumaOnly(inner)
    for name in ("scale", "multiple", "receptive_field", "inputs", "colour"):
        assert getattr(outer, name) == getattr(inner, name)


def test_a_degrader_of_rgb_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a degrader of luma at scale 1 .*got colour rgb, scale 1"):
        LumaOnly(DSGAN(DSGANConfig(1, 2)))


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (9, 20)])
@pytest.mark.parametrize("radius", [0, 1, 7])
def test_the_symmetric_edge_is_numpys(size: tuple[int, int], radius: int) -> None:
    image = torch.rand(2, 1, *size)
    expected = np.pad(image.numpy(), ((0, 0), (0, 0), (radius, radius), (radius, radius)), mode="symmetric")
    np.testing.assert_array_equal(pad_symmetric(image, radius).numpy(), expected)


@pytest.mark.parametrize("size", [(8, 6), (7, 10), (9, 5)])
def test_the_backbone_is_the_described_one(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = EncoderDecoder(5, 4, "glorot")
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    weights = iter(network.parameters())

    def conv(x: Tensor) -> Tensor:
        kernel = next(weights)
        return F.conv2d(x, kernel, next(weights), padding=kernel.shape[2] // 2)

    image = torch.rand(2, 1, *size)
    grown = np.pad(image.numpy(), ((0, 0), (0, 0), (0, size[0] % 2), (0, size[1] % 2)), mode="reflect")
    fine = conv(torch.from_numpy(grown))
    for _ in range(3):
        fine = conv(F.relu(fine))
    coarse = fine.unflatten(2, (-1, 2)).amax(3).unflatten(3, (-1, 2)).amax(4)
    for _ in range(3):
        coarse = conv(F.relu(coarse))
    x = torch.cat([_doubled(_doubled(coarse, 2), 3), fine], 1)
    for _ in range(3):
        x = F.relu(conv(x))
    expected = conv(x)[:, :, : size[0], : size[1]]
    torch.testing.assert_close(network(image), expected, atol=1e-5, rtol=1e-5)


def _doubled(x: Tensor, axis: int) -> Tensor:
    """Twice as many samples, each 3/4 of its nearest and 1/4 of its second one; the edge repeated."""
    index = torch.arange(x.shape[axis])
    before = x.index_select(axis, (index - 1).clamp(min=0))
    after = x.index_select(axis, (index + 1).clamp(max=x.shape[axis] - 1))
    pairs = torch.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis + 1)
    return pairs.flatten(axis, axis + 1)


def test_the_starts_are_the_published_ones() -> None:
    torch.manual_seed(0)
    paper, code = (EncoderDecoder(8, 32, start).state_dict() for start in ("glorot", "code"))
    for weights in (paper, code):
        assert not any(value.any() for key, value in weights.items() if key.endswith("bias"))
    assert paper["encoder.2.weight"].abs().max() == pytest.approx((6 / (9 * 64)) ** 0.5, rel=0.01)
    assert paper["last.weight"].abs().max() == pytest.approx((6 / (49 * 40)) ** 0.5, rel=0.01)
    assert code["encoder.2.weight"].std() == pytest.approx((9 * 32) ** -0.5, rel=0.02)
    assert code["last.weight"].std() == pytest.approx((49 * 8) ** -0.5, rel=0.02)
