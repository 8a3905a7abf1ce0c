"""Networks that make LR, from either kind of file, on whole pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from degrade.functional.resample import imresize_uint8
from srzoo.checkpoint import save_model
from srzoo.degraders import DEGRADERS
from srzoo.errors import ModelFileError, UnsafeFileError
from srzoo.evaluate.learned_degraders import load_learned
from srzoo.evaluate.scenes import Scene
from srzoo.export import export_degrader
from srzoo.tensors import luma, to_pixels, to_tensor

CPU = torch.device("cpu")
SMALL: dict[str, dict[str, object]] = {
    "h2l": {"features": 4, "blocks": 1, "skip": "mean"},
    "basis_kernels": {"kernels": 2, "features": 4, "init": "unit"},
    "dual_input": {},
}


def saved(folder: Path, name: str) -> Path:
    torch.manual_seed(0)
    config, network = DEGRADERS[name]
    path = folder / f"{name}.safetensors"
    save_model(path, name, network(config(**SMALL[name])), {})
    return path


def scene(key: int = 5, side: int = 48, scale: int = 4, example: int = 0) -> Scene:
    random = np.random.default_rng(1)
    hr = random.integers(0, 256, (side, side + 16, 3), dtype=np.uint8)
    real = random.integers(0, 256, (side // scale, (side + 16) // scale, 3), dtype=np.uint8)
    other = np.random.default_rng(example).integers(0, 256, (7, 30, 3), dtype=np.uint8)
    return Scene("a.png", hr, real, real, other, key)


def test_noise_is_that_of_the_key_and_of_the_networks_strength(tmp_path: Path) -> None:
    path = saved(tmp_path, "h2l")
    degrader = load_learned(path, CPU).at(4, "mine")
    assert (degrader.name, degrader.multiple) == ("mine", 4)
    assert "h2l x4" in degrader.what
    make, one = degrader.make, scene(key=5)
    config, network = DEGRADERS["h2l"]
    torch.manual_seed(0)
    again = network(config(**SMALL["h2l"])).eval()
    generator = torch.Generator().manual_seed(5)
    noise = torch.empty(1, 3, 48, 64).normal_(std=0.05, generator=generator)
    with torch.inference_mode():
        wanted = to_pixels(again(to_tensor(one.hr), noise))
    np.testing.assert_array_equal(make(one), wanted)
    np.testing.assert_array_equal(make(one), make(scene(key=5)))
    assert (make(one) != make(scene(key=6))).any()


def test_a_degrader_of_luma_keeps_chroma(tmp_path: Path) -> None:
    make, one = load_learned(saved(tmp_path, "basis_kernels"), CPU).at(1, "dml").make, scene(scale=1)
    change = make(one).astype(int) - one.hr
    inside = ((make(one) > 0) & (make(one) < 255)).all(axis=2)  # of black and white, where it clips
    assert np.ptp(change, axis=2)[inside].max() <= 1  # all channels move alike, but for rounding
    config, network = DEGRADERS["basis_kernels"]
    torch.manual_seed(0)
    with torch.inference_mode():
        made = network(config(**SMALL["basis_kernels"])).eval()(luma(to_tensor(one.hr)))
    near = (luma(to_tensor(make(one))) - made).abs()[0, 0].numpy()
    assert 255 * near[inside].max() < 0.6


def test_an_exported_file_makes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEGRADE_TRUST", str(tmp_path / "trusted"))
    path, target = saved(tmp_path, "h2l"), tmp_path / "h2l.pt"
    export_degrader(path, target)
    run, file = (load_learned(one, CPU) for one in (path, target))
    assert (run.scale, run.multiple, run.inputs) == (file.scale, file.multiple, file.inputs)
    difference = run.at(4, "a").make(scene()).astype(int) - file.at(4, "b").make(scene())
    assert np.abs(difference).max() <= 1
    assert (difference != 0).mean() < 0.01
    (tmp_path / "trusted").unlink()
    with pytest.raises(UnsafeFileError, match="not in your list of trusted files"):
        load_learned(target, CPU)


def test_an_example_is_mirrored_to_the_size_of_lr_and_changes_what_is_made(tmp_path: Path) -> None:
    loaded = load_learned(saved(tmp_path, "dual_input"), CPU)
    make = loaded.at(4, "ddnsr").make
    one, other = scene(side=128, example=1), scene(side=128, example=2)
    assert make(one).shape == one.real.shape
    assert (make(one) != make(other)).any()


def test_one_that_keeps_the_size_restyles_bicubic_lr(tmp_path: Path) -> None:
    loaded, one = load_learned(saved(tmp_path, "basis_kernels"), CPU), scene()
    small = imresize_uint8(one.hr, 12, 16)
    there = loaded.at(4, "restyler")
    assert there.multiple == 4 * loaded.at(1, "same").multiple
    assert there.what.endswith("from bicubic LR")
    alone = Scene("a.png", small, small, small, small, one.key)
    np.testing.assert_array_equal(there.make(one), loaded.at(1, "same").make(alone))
    with pytest.raises(ValueError, match="expected a scale of 1 or 2, got 4"):
        load_learned(saved(tmp_path, "h2l"), CPU).at(2, "h2l")


def test_values_that_are_not_finite_name_the_file_and_the_picture(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config, network = DEGRADERS["h2l"]
    huge = network(config(**SMALL["h2l"]))
    with torch.no_grad():
        for weights in huge.parameters():
            weights.fill_(1e30)
    path = tmp_path / "huge.safetensors"
    save_model(path, "h2l", huge, {})
    make = load_learned(path, CPU).at(4, "huge").make
    with pytest.raises(ModelFileError, match=r"huge.safetensors: gives values that are not finite on a.png"):
        make(scene())
