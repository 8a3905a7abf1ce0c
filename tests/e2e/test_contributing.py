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


def test_the_network_has_the_papers_size_and_survives_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch

    from srzoo.checkpoint import load_model, save_model
    from srzoo.networks import NETWORKS

    made = module("srzoo.networks.srcnn", blocks("python", "a network")[0], monkeypatch)
    monkeypatch.setitem(NETWORKS, "srcnn", (made.SRCNNConfig, made.SRCNN))
    network = made.SRCNN(made.SRCNNConfig())
    assert sum(p.numel() for p in network.parameters()) == 20_099

    lr = torch.rand(1, 3, 13, 17, generator=torch.Generator().manual_seed(0))
    save_model(tmp_path / "generator.safetensors", "srcnn", network, {})
    loaded = load_model(tmp_path / "generator.safetensors").network
    with torch.no_grad():
        assert network(lr).shape == (1, 3, 52, 68)
        torch.testing.assert_close(loaded(lr), network(lr), rtol=0, atol=0)


def test_no_output_of_the_network_sees_beyond_its_stated_radius(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    made = module("srzoo.networks.srcnn", blocks("python", "a network")[0], monkeypatch)
    for scale in (2, 3, 4):
        network = made.SRCNN(made.SRCNNConfig(scale=scale))
        lr = torch.rand(1, 3, 21, 21, requires_grad=True)
        at = 10 * scale
        network(lr)[0, :, at : at + scale, at : at + scale].sum().backward()
        assert lr.grad is not None
        rows = lr.grad.abs().sum((0, 1, 3)).nonzero()
        assert int((rows - 10).abs().max()) <= network.receptive_radius


def test_the_preset_trains_the_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from srzoo import preset
    from srzoo.networks import NETWORKS

    made = module("srzoo.networks.srcnn", blocks("python", "a network")[0], monkeypatch)
    for table in (NETWORKS, preset._BUILDERS):
        monkeypatch.setitem(table, "srcnn", (made.SRCNNConfig, made.SRCNN))
    path = tmp_path / "srcnn-small.toml"
    path.write_text(blocks("toml", "a network")[0])
    stage = preset.load_preset(str(path)).stages[0]
    assert stage.networks["generator"].config == made.SRCNNConfig(scale=4)
