"""Networks that spandrel lacks, against torch's plain operations one after another on the same weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr, ycbcr2rgb
from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.networks.edsr import EDSR, EDSRConfig
from srzoo.networks.rcan_dml import DMLRCAN, DMLRCANConfig
from srzoo.networks.rrdb import RRDBConfig, RRDBNet
from srzoo.networks.srcnn import SRCNN, SRCNNConfig
from srzoo.networks.srresnet import SRResNet, SRResNetConfig
from srzoo.networks.vdsr import VDSR, VDSRConfig

TOLERANCE = 1e-5  # of float32 sums in another order


def shaken(network: nn.Module, by: float = 0.05) -> tuple[nn.Module, Callable[..., Tensor], dict[str, Tensor]]:
    """The network with random weights and statistics, a same-size convolution by key, and the weights."""
    torch.manual_seed(7)
    state = network.state_dict()
    for key, value in state.items():
        if value.is_floating_point():
            value.add_(torch.rand_like(value) * 0.1 if key.endswith("running_var") else by * torch.randn_like(value))

    def conv(x: Tensor, key: str) -> Tensor:
        weight = state[f"{key}.weight"]
        return F.conv2d(x, weight, state.get(f"{key}.bias"), padding=weight.shape[2] // 2)

    return network.eval(), conv, state


def assert_equals(network: nn.Module, lr: Tensor, expected: Tensor) -> None:
    with torch.no_grad():
        sr = network(lr)
    assert expected.std() > 0.01
    torch.testing.assert_close(sr, expected, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("bias", [False, True])
def test_srresnet(scale: Any, bias: bool) -> None:
    network, conv, w = shaken(SRResNet(SRResNetConfig(scale, blocks=2, features=8, bias=bias)))

    def norm(x: Tensor, key: str) -> Tensor:
        part = [w[f"{key}.{name}"][:, None, None] for name in ("running_mean", "running_var", "weight", "bias")]
        return (x - part[0]) / (part[1] + 1e-5).sqrt() * part[2] + part[3]

    lr = torch.rand(2, 3, 7, 10)
    first = F.prelu(conv(lr, "conv1.0"), w["conv1.1.weight"])
    x = first
    for block in ("trunk.0", "trunk.1"):
        inner = F.prelu(norm(conv(x, f"{block}.conv1"), f"{block}.bn1"), w[f"{block}.prelu.weight"])
        x = x + norm(conv(inner, f"{block}.conv2"), f"{block}.bn2")
    x = first + norm(conv(x, "conv2.0"), "conv2.1")
    for number, step in enumerate({2: (2,), 3: (3,), 4: (2, 2)}[scale]):
        name = f"upsampling.{number}"
        x = F.prelu(F.pixel_shuffle(conv(x, f"{name}.conv"), step), w[f"{name}.prelu.weight"])
    assert_equals(network, lr, conv(x, "conv3"))
    assert ("trunk.0.conv1.bias" in w) == ("conv2.0.bias" in w) == bias


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_edsr(scale: Any) -> None:
    network, conv, _ = shaken(EDSR(EDSRConfig(scale, blocks=2, features=8, residual_scale=0.1)))
    lr = torch.rand(2, 3, 7, 10)
    x = first = conv(conv(255 * lr, "sub_mean"), "head.0")
    for block in ("body.0.body", "body.1.body"):
        x = x + 0.1 * conv(F.relu(conv(x, f"{block}.0")), f"{block}.2")
    x = first + conv(x, "body.2")
    for number, step in enumerate({2: (2,), 3: (3,), 4: (2, 2)}[scale]):
        x = F.pixel_shuffle(conv(x, f"tail.0.{2 * number}"), step)
    assert_equals(network, lr, conv(conv(x, "tail.1"), "add_mean") / 255)


@pytest.mark.parametrize(("channels", "bias"), [(1, False), (3, True)])
def test_vdsr_at_scale_1(channels: Any, bias: bool) -> None:
    network, conv, w = shaken(VDSR(VDSRConfig(1, convs=5, features=8, channels=channels, bias=bias)))
    image = torch.rand(2, channels, 7, 10)
    x = F.relu(conv(image, "input"))
    for number in range(3):
        x = F.relu(conv(x, f"residual_layer.{number}.conv"))
    assert_equals(network, image, image + conv(x, "output"))
    assert ("input.bias" in w) == bias


def test_dropout_acts_in_training_only() -> None:
    network = VDSR(VDSRConfig(1, convs=3, features=8, dropout=0.5))
    image = torch.rand(1, 1, 6, 6)
    assert not torch.equal(network.train()(image), network(image))
    assert torch.equal(network.eval()(image), network(image))


@pytest.mark.parametrize("kernels", [(9, 1, 5), (9, 5, 5)])
def test_srcnn_at_scale_1(kernels: Any) -> None:
    network, conv, _ = shaken(SRCNN(SRCNNConfig(1, kernels, features=(8, 4))), by=0.3)
    image = torch.rand(2, 1, 7, 10)
    assert_equals(network, image, conv(F.relu(conv(F.relu(conv(image, "conv1")), "conv2")), "conv3"))


def test_rcan_of_dml() -> None:
    network, conv, _ = shaken(DMLRCAN(DMLRCANConfig(groups=2, blocks=2, features=8, reduction=2)))
    image = torch.rand(2, 1, 7, 10)
    x = F.relu(conv(image, "head.0"))
    for group in range(2):
        start = x
        for block in range(2):
            name = f"body.{group}.body.{block}"
            inner = conv(F.relu(conv(x, f"{name}.body.0")), f"{name}.body.2")
            weight = conv(F.relu(conv(inner.mean((2, 3), keepdim=True), f"{name}.attention.0")), f"{name}.attention.2")
            x = inner * torch.sigmoid(weight) + 0.1 * x
        x = x + 0.1 * start
    assert_equals(network, image, conv(x, "tail") + 0.1 * image)


def test_rrdb_with_residual_blocks() -> None:
    network, conv, _ = shaken(RRDBNet(RRDBConfig(blocks=2, features=8, block="residual")))
    lr = torch.rand(2, 3, 7, 10)
    x = first = conv(lr, "conv_first")
    for outer in ("body.0", "body.1"):
        start = x
        for inner in ("rdb1", "rdb2", "rdb3"):
            name = f"{outer}.{inner}"
            x = x + 0.2 * conv(F.leaky_relu(conv(x, f"{name}.conv1"), 0.2), f"{name}.conv2")
        x = start + 0.2 * x
    x = first + conv(x, "conv_body")
    for name in ("conv_up1", "conv_up2"):
        x = F.leaky_relu(conv(x.repeat_interleave(2, 2).repeat_interleave(2, 3), name), 0.2)
    assert_equals(network, lr, conv(F.leaky_relu(conv(x, "conv_hr"), 0.2), "conv_last"))


@pytest.mark.parametrize("built", [VDSRConfig(4, 3, 8), SRCNNConfig(4, features=(8, 4))])
def test_luma_networks_change_luma_and_keep_the_enlarged_chroma(built: Any) -> None:
    kind: Any = VDSR if isinstance(built, VDSRConfig) else SRCNN
    network, _, _ = shaken(kind(built))
    lr = torch.rand(1, 3, 6, 5)
    enlarged = F.interpolate(lr, scale_factor=4, mode="bicubic", antialias=True)
    theirs = rgb2ycbcr(enlarged[0].permute(1, 2, 0).double().numpy())
    lr_luma = torch.from_numpy(rgb2ycbcr(lr[0].permute(1, 2, 0).double().numpy())[..., 0] / 255).float()
    with torch.no_grad():
        theirs[..., 0] = network(lr_luma[None, None])[0, 0].double().numpy() * 255
        ours = network(lr)[0].permute(1, 2, 0).double().numpy()
    assert ours.std() > 0.01
    expected = _rgb_unclipped(theirs)
    np.testing.assert_allclose(ours, expected, atol=2e-4)  # scikit-image's inverse has four digits


def _rgb_unclipped(ycbcr: np.ndarray) -> np.ndarray:
    """scikit-image's inverse, which is affine, found from four colours inside its range."""
    base = ycbcr2rgb(np.full((1, 1, 3), 128.0))[0, 0]
    columns = [ycbcr2rgb(np.full((1, 1, 3), 128.0) + np.eye(3)[i])[0, 0] - base for i in range(3)]
    return base + (ycbcr - 128) @ np.array(columns)


def test_the_starts_of_training_are_the_published_ones() -> None:
    torch.manual_seed(0)
    rrdb = RRDBNet(RRDBConfig(blocks=1)).state_dict()
    assert rrdb["body.0.rdb1.conv1.weight"].std() == pytest.approx(0.1 * (2 / (64 * 9)) ** 0.5, rel=0.02)
    assert not rrdb["body.0.rdb1.conv1.bias"].any()
    assert rrdb["conv_body.weight"].abs().max() == pytest.approx((64 * 9) ** -0.5, rel=0.01)  # torch's own
    vdsr = VDSR(VDSRConfig(bias=True)).state_dict()
    assert vdsr["residual_layer.3.conv.weight"].std() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)
    assert vdsr["output.weight"].std() == pytest.approx((2 / 9) ** 0.5, rel=0.1)
    srcnn = SRCNN(SRCNNConfig()).state_dict()
    assert srcnn["conv1.weight"].std() == pytest.approx(1e-3, rel=0.05)
    dml = DMLRCAN(DMLRCANConfig(groups=1, blocks=1)).state_dict()
    assert dml["body.0.body.0.body.0.weight"].std() == pytest.approx((9 * 64) ** -0.5, rel=0.02)
