"""Tiles equal the whole picture, or nearly; gray, alpha, 16 bits and other scales; lack of memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray
from torch import nn

from degrade.codecs import Photo
from degrade.functional.resample import resize
from srzoo.checkpoint import Model, load_model
from srzoo.errors import ModelFileError, ResourceError
from srzoo.networks import NETWORKS
from srzoo.upscale.engine import OutOfMemoryError
from srzoo.upscale.resolve import shipped_models
from srzoo.upscale.upscaler import Upscaler

SMALL = {
    "compact": {"convs": 3, "features": 8},
    "skipres": {"blocks": 2, "features": 8},
    "rcan": {"groups": 1, "blocks": 2, "features": 16, "reduction": 4},
    "rrdb": {"blocks": 1, "features": 8, "growth": 4},
}
RNG = np.random.default_rng(0)


def small_model(name: str = "skipres", scale: int = 4) -> Model:
    config, network = NETWORKS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        built = network(config(scale=scale, **SMALL[name])).eval().requires_grad_(False)
        last = {"skipres": getattr(built, "tail", None), "compact": built.body[-1]}.get(name)
        if last is not None:
            nn.init.normal_(last.weight, std=0.1 if name == "skipres" else 0.02)  # a new one only enlarges
    return Model(built, name, scale, built.receptive_radius, {})


def picture(height: int, width: int, channels: int = 3, dtype: type = np.uint8) -> NDArray:
    return RNG.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


def plain(model: Model, pixels: NDArray) -> NDArray[np.float64]:
    """The network's output on the whole picture, in float."""
    lr = torch.from_numpy(pixels.astype(np.float32) / np.iinfo(pixels.dtype).max).permute(2, 0, 1)[None]
    with torch.inference_mode():
        return model.network(lr)[0].permute(1, 2, 0).double().numpy()


def rounded(image: NDArray, white: int = 255) -> NDArray:
    return np.floor(np.clip(image, 0, 1) * white + 0.5)


@pytest.mark.parametrize("name", ["compact", "skipres"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_tiles_equal_the_whole_picture(name: str, scale: int) -> None:
    model, pixels = small_model(name, scale), picture(70, 53, dtype=np.uint16)
    whole = Upscaler(model, tile=0, device="cpu", precision="fp32").image(pixels)
    upscaler = Upscaler(model, tile=16, device="cpu", precision="fp32")
    tiled = upscaler.image(pixels)
    assert upscaler.facts.tiles == 20
    assert upscaler.facts.is_exact
    assert str(upscaler.facts) == f"20 tiles with an overlap of {model.overlap} pixels, exact"
    assert np.abs(tiled.astype(int) - whole).max() <= 1  # 16-bit levels: float sums in another order
    np.testing.assert_allclose(whole, rounded(plain(model, pixels), 65535), atol=1)


@pytest.mark.parametrize("name", ["compact", "skipres"])
def test_an_overlap_of_one_pixel_less_shows(name: str) -> None:
    model, pixels = small_model(name), picture(40, 40, dtype=np.uint16)
    whole = Upscaler(model, tile=0, device="cpu", precision="fp32").image(pixels)
    assert model.overlap is not None
    narrow = Upscaler(replace(model, overlap=model.overlap - 1), tile=16, device="cpu", precision="fp32")
    assert np.abs(narrow.image(pixels).astype(int) - whole).max() > 1


def test_tiles_in_bf16_stay_within_a_grey_level_of_fp32() -> None:
    model, pixels = small_model("compact"), picture(50, 50)
    exact = Upscaler(model, tile=0, device="cpu", precision="fp32").image(pixels).astype(int)
    fast = Upscaler(model, tile=16, device="cpu", precision="bf16").image(pixels)
    assert (np.abs(fast - exact) <= 1).mean() >= 0.999


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2), (17, 16)])
@pytest.mark.parametrize("name", SMALL)
def test_any_size(name: str, size: tuple[int, int]) -> None:
    pixels = picture(*size)
    model = small_model(name)
    made = Upscaler(model, tile=16, device="cpu", precision="fp32").image(pixels)
    assert made.shape == (4 * size[0], 4 * size[1], 3)
    if max(size) <= 16:
        np.testing.assert_array_equal(made, rounded(plain(model, pixels)))


def test_the_difference_of_pooling_networks_is_measured() -> None:
    model, pixels = small_model("rcan"), picture(96, 80)
    whole = Upscaler(model, tile=0, device="cpu", precision="fp32")
    expected = plain(model, pixels).clip(0, 1)
    np.testing.assert_allclose(whole.image(pixels), rounded(expected), atol=1)
    assert whole.facts.difference is None
    assert str(whole.facts) == "run at once"
    upscaler = Upscaler(model, tile=48, device="cpu", precision="fp32", overlap=16)
    tiled = upscaler.image(pixels)
    difference = upscaler.facts.difference
    assert difference is not None
    assert difference.place == "the whole picture"
    assert str(upscaler.facts).startswith("4 tiles blended over an overlap of 16 pixels, which changes ")
    apart = np.abs(tiled - 255 * expected)
    assert difference.largest == pytest.approx(apart.max(), abs=0.51)  # ours is measured before rounding
    assert difference.mean == pytest.approx(apart.mean(), abs=0.3)


def test_the_difference_on_a_large_picture_is_measured_around_a_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    upscaler = Upscaler(small_model("rcan", 2), device="cpu", precision="fp32", overlap=16)
    monkeypatch.setattr(upscaler.engine, "capacity", lambda: 100**2)
    upscaler.image(picture(130, 110))
    assert upscaler.facts.tiles > 1
    assert upscaler.facts.difference is not None
    assert "pixels around a cut" in str(upscaler.facts.difference)
    assert 0 <= upscaler.facts.difference.mean <= upscaler.facts.difference.largest < 255


class Pooling(nn.Module):
    """Half the pixel, half the mean of everything it is shown."""

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        return 0.5 * lr.repeat_interleave(2, 2).repeat_interleave(2, 3) + 0.5 * lr.mean((2, 3), keepdim=True)


def test_seams_of_pooling_networks_are_faded() -> None:
    pixels = np.full((64, 400, 3), 50, np.uint8)
    pixels[:, 264:] = 200  # only the right tile sees any of it
    model = Model(Pooling(), "pooling", 2, None, {})
    made = Upscaler(model, tile=200, device="cpu", precision="fp32").image(pixels).astype(int)
    row = made[64, :528, 0]
    assert row[-1] - row[0] >= 35  # from the mean of the left tile to that of the right
    assert np.abs(np.diff(row)).max() <= 2  # over 64 pixels of SR
    hard = Upscaler(model, tile=200, device="cpu", precision="fp32", overlap=0).image(pixels).astype(int)
    assert np.abs(np.diff(hard[64, :528, 0])).max() >= 35


class Blurring(nn.Module):
    """Sees 40 pixels away in all directions, but what lies far away counts for little, as in a trained network."""

    def __init__(self) -> None:
        super().__init__()
        line = 0.8 ** torch.arange(-40.0, 41.0).abs()
        self.kernel = nn.Parameter((line / line.sum()).expand(3, 1, 1, -1), requires_grad=False)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        across = nn.functional.conv2d(lr, self.kernel, padding=(0, 40), groups=3)
        blurred = nn.functional.conv2d(across, self.kernel.mT, padding=(40, 0), groups=3)
        return (2 * lr - blurred).repeat_interleave(2, 2).repeat_interleave(2, 3)


def test_blended_tiles_are_as_near_as_the_network_forgets() -> None:
    """Neighbours fade where at least 3/4 of the overlap is seen: what lies beyond has 0.8**15 of the weight."""
    model, pixels = Model(Blurring().eval(), "blurring", 2, 40, {}), picture(100, 90)
    whole = Upscaler(model, tile=0, device="cpu", precision="fp32").image(pixels).astype(int)
    upscaler = Upscaler(model, tile=32, device="cpu", precision="fp32", overlap=20)
    apart = np.abs(upscaler.image(pixels) - whole)
    assert not upscaler.facts.is_exact
    assert apart.max() <= 255 * 0.8**15 + 1  # and rounding
    assert apart.mean() < 0.2
    narrow = Upscaler(model, tile=32, device="cpu", precision="fp32", overlap=4).image(pixels)
    assert np.abs(narrow.astype(int) - whole).max() > 3 * apart.max()


@pytest.mark.parametrize("name", ["compact", "skipres", "rrdb"])
@pytest.mark.parametrize("channels", [1, 3])
def test_blended_tiles_are_exact_where_they_fade_within_what_all_see(name: str, channels: int) -> None:
    """By an overlap so large that 3/4 of it is the radius: then neighbours agree wherever they are mixed."""
    model, pixels = small_model(name), picture(90, 75, channels, np.uint16)
    assert model.overlap is not None
    overlap = -(-4 * model.overlap // 3)
    whole = Upscaler(model, tile=0, device="cpu", precision="fp32").image(pixels)
    upscaler = Upscaler(replace(model, overlap=None), tile=32, device="cpu", precision="fp32", overlap=overlap)
    assert np.abs(upscaler.image(pixels).astype(int) - whole).max() <= 1  # of 65535
    assert upscaler.facts.tiles == 9
    assert not upscaler.facts.is_exact


def test_blended_windows_begin_where_unshuffled_pixels_do() -> None:
    """RRDB at x2 works on squares of two pixels: it has no radius, but tiles in phase see the same squares."""
    model, pixels = small_model("rrdb", 2), picture(90, 101, dtype=np.uint16)
    assert model.overlap is None
    whole = Upscaler(model, tile=0, device="cpu", precision="fp32").image(pixels)
    upscaler = Upscaler(model, tile=35, device="cpu", precision="fp32", overlap=52)  # cuts at odd pixels
    assert np.abs(upscaler.image(pixels).astype(int) - whole).max() <= 1
    assert upscaler.facts.tiles == 9


@pytest.mark.slow
def test_the_shipped_model_blended_stays_within_a_level_or_two() -> None:
    shipped = load_model(next(path for path in shipped_models() if path.stem == "4x-compact"))
    pixels = skimage.data.astronaut()[70:134, 180:260]
    whole = Upscaler(shipped, tile=0, device="cpu", precision="fp32").image(pixels).astype(int)
    exact = Upscaler(shipped, tile=40, device="cpu", precision="fp32")
    assert np.abs(exact.image(pixels) - whole).max() <= 1  # float sums in another order may round to the next level
    assert exact.facts.is_exact
    blended = Upscaler(shipped, tile=40, device="cpu", precision="fp32", overlap=12)
    apart = np.abs(blended.image(pixels) - whole)
    assert not blended.facts.is_exact
    assert 0 < apart.max() <= 2
    assert apart.mean() < 0.05


def test_networks_that_see_far_are_blended_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    model, pixels = replace(small_model("compact", 2), overlap=349), picture(150, 160)
    upscaler = Upscaler(model, device="cpu", precision="fp32")
    monkeypatch.setattr(upscaler.engine, "capacity", lambda: 150 * 160)
    whole = upscaler.image(pixels)
    assert (upscaler.facts.tiles, upscaler.facts.is_exact) == (1, True)
    monkeypatch.setattr(upscaler.engine, "capacity", lambda: 150**2)
    apart = np.abs(upscaler.image(pixels).astype(int) - whole)
    assert (upscaler.facts.tiles, upscaler.facts.is_exact, upscaler.facts.overlap) == (9, False, 64)
    assert apart.max() <= 1  # this small one sees only 5, whatever the model says


def test_gray_is_the_mean_of_three_equal_channels() -> None:
    model, gray = small_model(), picture(20, 30, channels=1)
    made = Upscaler(model, tile=16, device="cpu", precision="fp32").image(gray)
    assert made.shape == (80, 120, 1)
    expected = plain(model, gray.repeat(3, 2)).mean(2, keepdims=True)
    np.testing.assert_allclose(made, rounded(expected), atol=1)


def test_16_bits_stay_16_bits_and_are_not_left_to_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("srzoo.upscale.engine.has_native_bf16", lambda device: True)
    model, pixels = small_model(), picture(130, 130, dtype=np.uint16)
    upscaler = Upscaler(model, device="cpu")
    made = upscaler.image(pixels)
    assert made.dtype == np.uint16
    assert not upscaler.facts.is_fast
    np.testing.assert_allclose(made, rounded(plain(model, pixels), 65535), atol=1)
    upscaler.image((pixels // 257).astype(np.uint8))
    assert upscaler.facts.is_fast


@pytest.mark.parametrize("scale", [1, 1.5, 2, 3, 6])
@pytest.mark.parametrize("name", ["skipres", "rcan"])
def test_another_scale_resizes_before_rounding(scale: float, name: str) -> None:
    model, pixels = small_model(name), picture(37, 50)
    made = Upscaler(model, tile=0, device="cpu", precision="fp32").image(pixels, scale=scale)
    size = (math.floor(37 * scale + 0.5), 50 * scale)
    assert made.shape == (*size, 3)
    expected = rounded(resize(plain(model, pixels), *map(int, size)))
    assert np.abs(made - expected).max() <= 1
    assert (made != expected).mean() < 1e-3  # float32 against float64
    if name != "rcan":
        tiled = Upscaler(model, tile=16, device="cpu", precision="fp32").image(pixels, scale=scale)
        assert (tiled != made).mean() < 1e-3
        blended = Upscaler(replace(model, overlap=None), tile=16, device="cpu", precision="fp32", overlap=32)
        assert (blended.image(pixels, scale=scale) != made).mean() < 1e-3


def test_a_tiny_scale_leaves_one_pixel() -> None:
    assert Upscaler(small_model(), device="cpu").image(picture(3, 3), scale=0.01).shape == (1, 1, 3)


def limit(upscaler: Upscaler, pixels: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make windows of more than `pixels` fail as on a full device; the sizes that were tried."""
    run: Callable = upscaler.engine.run
    tried: list[int] = []

    def limited(lr: torch.Tensor) -> torch.Tensor:
        tried.append(lr.shape[2] * lr.shape[3])
        if tried[-1] > pixels:
            raise OutOfMemoryError
        return run(lr)

    monkeypatch.setattr(upscaler.engine, "run", limited)
    return tried


def test_out_of_memory_halves_the_tile_and_remembers(monkeypatch: pytest.MonkeyPatch) -> None:
    model, pixels = small_model(), picture(100, 120)
    whole = Upscaler(model, tile=0, device="cpu", precision="fp32").image(pixels)
    upscaler = Upscaler(model, device="cpu", precision="fp32")
    tried = limit(upscaler, 50 * 50, monkeypatch)
    np.testing.assert_allclose(upscaler.image(pixels), whole, atol=1)
    assert sum(size > 2500 for size in tried) == 2  # 120, 60, then 30 fits
    tried.clear()
    upscaler.image(pixels)
    assert max(tried) <= 2500


def test_no_memory_at_all_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    upscaler = Upscaler(small_model(), device="cpu")
    limit(upscaler, 0, monkeypatch)
    with pytest.raises(ResourceError, match="not enough on cpu"):
        upscaler.image(picture(64, 64))


def test_broken_weights_are_named() -> None:
    model = small_model()
    model.network.tail.weight.fill_(math.nan)
    with pytest.raises(ModelFileError, match="not finite"):
        Upscaler(model, device="cpu").image(picture(4, 4))


def test_progress_counts_tiles() -> None:
    for overlap in (None, 2):  # exact, blended
        seen = []
        upscaler = Upscaler(small_model(), tile=16, device="cpu", overlap=overlap)
        upscaler.image(picture(32, 48), on_tile=lambda *where, seen=seen: seen.append(where))
        assert seen == [(n, 6) for n in range(1, 7)]


def test_a_photo_keeps_its_metadata_and_alpha() -> None:
    alpha = np.full((20, 24), 255, np.uint8)
    alpha[:, :8] = 0
    pixels = picture(20, 24)
    photo = Photo(pixels, alpha, icc=b"profile", exif=b"II*\0", xmp=b"<x/>", dpi=(300.0, 300.0), format="PNG")
    model = small_model()
    made = Upscaler(model, device="cpu").photo(photo)
    assert (made.icc, made.exif, made.xmp, made.dpi) == (photo.icc, photo.exif, photo.xmp, photo.dpi)
    assert made.alpha is not None
    assert made.alpha.shape == made.pixels.shape[:2] == (80, 96)
    assert (made.alpha[:, 64:] == 255).all()
    assert (made.alpha[:, :16] == 0).all()


def test_hidden_colours_leave_no_fringe() -> None:
    pixels = np.full((24, 24, 3), 230, np.uint8)
    alpha = np.full((24, 24), 255, np.uint8)
    alpha[:, :10] = 0
    bright = Photo(pixels.copy(), alpha)
    pixels[:, :10] = 0  # what many editors leave there
    made = Upscaler(small_model(), device="cpu").photo(Photo(pixels, alpha))
    np.testing.assert_array_equal(made.pixels, Upscaler(small_model(), device="cpu").photo(bright).pixels)


@pytest.mark.parametrize("tile", [-1, 1, 15])
def test_tiles_too_small_to_be_meant_are_refused(tile: int) -> None:
    with pytest.raises(ValueError, match="tile"):
        Upscaler(small_model(), tile=tile)


def test_a_negative_overlap_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        Upscaler(small_model(), overlap=-1)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2), (0, 4, 3)])
def test_odd_arrays_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Upscaler(small_model(), device="cpu").image(np.zeros(shape, np.uint8))
