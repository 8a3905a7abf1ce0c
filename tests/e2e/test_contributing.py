"""CONTRIBUTING.md works when it is followed: its code and tables are taken from the page and run."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

PAGE = (Path(__file__).resolve().parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")


def blocks(language: str, section: str) -> list[str]:
    text = PAGE.split(f"## Worked example: {section}", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def module(name: str, code: str, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """`code` as a module that others can import under `name`."""
    made = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, made)
    exec(compile(code, name, "exec"), made.__dict__)
    return made


def test_the_op_spoils_replays_and_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from degrade.image import window
    from degrade.ops import DRAWS, OPS
    from degrade.pipeline import degrade_image, replay
    from degrade.recipe import load_recipe

    assert "black_level" not in OPS  # else the page writes over files that exist
    maths, op = blocks("python", "an op")
    module("degrade.functional.black_level", maths, monkeypatch)
    made = module("degrade.ops.black_level", op, monkeypatch)
    monkeypatch.setitem(OPS, "black_level", made.BlackLevel)
    monkeypatch.setitem(DRAWS, "black_level", made.BlackLevelDraw)
    path = tmp_path / "off_black.toml"
    path.write_text(blocks("toml", "an op")[0])

    recipe = load_recipe(path)
    hr = np.full((36, 52, 3), 100, np.uint8)
    pair = degrade_image(hr, recipe, key=7)
    offsets = pair.lr[0, 0].astype(int) - 100
    assert len(set(offsets.tolist())) == 3  # one draw a channel
    assert np.abs(offsets).max() <= 12
    assert (pair.lr == pair.lr[0, 0]).all()

    around = window(hr, 0, 0, 36, 52, recipe.margin)
    np.testing.assert_array_equal(replay(around, pair.trace, scale=4, margin=recipe.margin), pair.lr)


def espcn(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    from srzoo.networks import NETWORKS

    assert "espcn" not in NETWORKS  # else the page writes over a file that exists
    return module("srzoo.networks.espcn", blocks("python", "a network")[0], monkeypatch)


@pytest.mark.parametrize(("scale", "parameters"), [(2, 21_284), (3, 22_729), (4, 24_752)])
def test_the_network_is_the_papers(scale: int, parameters: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size by the paper's formula, and its equations 1 to 4 layer by layer on luma."""
    import torch
    from torch.nn import functional as F

    made = espcn(monkeypatch)
    network = made.ESPCN(made.ESPCNConfig(scale=scale))
    layers = ((1, 64, 5), (64, 32, 3), (32, scale**2, 3))
    assert parameters == sum(before * after * kernel**2 + after for before, after, kernel in layers)
    assert sum(p.numel() for p in network.parameters()) == parameters
    if scale == 4:
        assert f"{parameters:,} parameters at x4" in made.ESPCN.__doc__

    plane = torch.rand(1, 1, 9, 7, generator=torch.Generator().manual_seed(0))
    w = [value.detach() for value in network.state_dict().values()]
    x = F.conv2d(plane, w[0], w[1], padding=2).tanh()
    x = F.conv2d(x, w[2], w[3], padding=1).tanh()
    x = F.conv2d(x, w[4], w[5], padding=1)  # (1, s*s, h, w)
    shuffled = x.view(1, scale, scale, 9, 7).permute(0, 3, 1, 4, 2).reshape(1, 1, 9 * scale, 7 * scale)
    with torch.no_grad():
        torch.testing.assert_close(network(plane), shuffled, rtol=0, atol=1e-6)


def test_the_network_leaves_chroma_to_the_bicubic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against scikit-image's studio YCbCr."""
    import torch
    from skimage.color import rgb2ycbcr

    from srzoo.networks.layers import enlarge

    made = espcn(monkeypatch)
    network = made.ESPCN(made.ESPCNConfig())
    lr = torch.rand(1, 3, 11, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        sr, bicubic, plane = (
            rgb2ycbcr(image[0].permute(1, 2, 0).double().numpy()) for image in (network(lr), enlarge(lr, 4), lr)
        )
        luma = torch.from_numpy(plane[..., 0] / 255).float()[None, None]
        np.testing.assert_allclose(sr[..., 0] / 255, network(luma)[0, 0], atol=1e-5)
    np.testing.assert_allclose(sr[..., 1:], bicubic[..., 1:], atol=1e-3)


def test_the_network_survives_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch

    from srzoo.checkpoint import load_model, save_model
    from srzoo.networks import NETWORKS

    made = espcn(monkeypatch)
    monkeypatch.setitem(NETWORKS, "espcn", (made.ESPCNConfig, made.ESPCN))
    network = made.ESPCN(made.ESPCNConfig())
    lr = torch.rand(1, 3, 13, 17, generator=torch.Generator().manual_seed(0))
    save_model(tmp_path / "generator.safetensors", "espcn", network, {})
    loaded = load_model(tmp_path / "generator.safetensors").network
    with torch.no_grad():
        assert network(lr).shape == (1, 3, 52, 68)
        torch.testing.assert_close(loaded(lr), network(lr), rtol=0, atol=0)
    with pytest.raises(ValueError, match="scale of 2, 3 or 4"):
        made.ESPCNConfig(scale=5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_outputs_of_the_network_see_just_as_far_as_stated(scale: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    made = espcn(monkeypatch)
    network = made.ESPCN(made.ESPCNConfig(scale=scale))
    lr = torch.rand(1, 3, 21, 21, requires_grad=True, generator=torch.Generator().manual_seed(0))
    at = 10 * scale
    network(lr)[0, :, at : at + scale, at : at + scale].sum().backward()
    assert lr.grad is not None
    rows = lr.grad.abs().sum((0, 1, 3)).nonzero()
    assert int((rows - 10).abs().max()) == network.receptive_radius


def test_the_network_runs_in_bf16_and_in_exact_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from srzoo.checkpoint import Model
    from srzoo.upscale.upscaler import Upscaler

    made = espcn(monkeypatch)
    network = made.ESPCN(made.ESPCNConfig(scale=2)).eval()
    torch.nn.init.normal_(network.conv3.weight, std=0.1, generator=torch.Generator().manual_seed(0))
    model = Model(network, "espcn", 2, network.receptive_radius, {})
    pixels = np.random.default_rng(0).integers(0, 256, (40, 33, 3), np.uint8)
    whole = Upscaler(model, tile=0, device="cpu", precision="fp32").image(pixels).astype(int)
    assert np.abs(Upscaler(model, tile=16, device="cpu", precision="fp32").image(pixels) - whole).max() <= 1
    assert np.abs(Upscaler(model, device="cpu", precision="bf16").image(pixels) - whole).mean() < 1


def test_the_preset_trains_the_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from srzoo import preset
    from srzoo.networks import NETWORKS

    made = espcn(monkeypatch)
    for table in (NETWORKS, preset._BUILDERS):
        monkeypatch.setitem(table, "espcn", (made.ESPCNConfig, made.ESPCN))
    path = tmp_path / "espcn-small.toml"
    path.write_text(blocks("toml", "a network")[0])
    stage = preset.load_preset(str(path)).stages[0]
    assert stage.networks["generator"].config == made.ESPCNConfig(scale=4)
