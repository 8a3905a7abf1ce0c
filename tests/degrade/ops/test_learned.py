"""A learned step: same bits every time, alone or in a batch, whole or in tiles, wherever its window begins."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from degrade.assets import ModelFile, ReferenceFolder, reference, register
from degrade.card import NoiseInput, ReferenceInput
from degrade.errors import IntegrityError, ResourceError, UnsafeFileError
from degrade.functional.noise_field import normal_maps
from degrade.ops import DRAWS
from degrade.ops.learned import Learned, LearnedDraw, op
from degrade.ops.learned import model as running
from degrade.ops.protocol import Context, Distribution, Waiting
from degrade.rng import Stream

Degraders = Callable[..., Path]


class Adds(nn.Module):
    """The image and its noise, nothing else."""

    def forward(self, image: Tensor, noise: Tensor) -> Tensor:
        return image + noise


class Convolves(nn.Module):
    """As H2L in small: noise beside the image, 3 x 3 and a strided tail; 4 pixels around."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(6, 12, 3, padding=1)
        self.body = nn.Sequential(*(nn.Conv2d(12, 12, 3, padding=1) for _ in range(3)))
        self.tail = nn.Conv2d(12, 3, 2, stride=2)

    def forward(self, image: Tensor, noise: Tensor) -> Tensor:
        x = torch.relu(self.head(torch.cat((image, noise), 1)))
        return self.tail(torch.relu(self.body(x)) + x) + F.avg_pool2d(image, 2)


class Pools(nn.Module):
    """As DML in small: blocks of 2 x 2 decide on the blur; same size; 5 pixels around."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        pooled = F.max_pool2d(self.fine(image), 2)
        weight = F.interpolate(self.coarse(pooled), scale_factor=2.0, mode="nearest")
        return image + 0.1 * torch.tanh(weight[:, :3])


class Copies(nn.Module):
    """The reference, and of the image nothing (but its place on the graph)."""

    def forward(self, image: Tensor, noise: Tensor, reference: Tensor) -> Tensor:
        return reference + 0.0 * F.avg_pool2d(image + noise, 2)


@pytest.fixture(scope="module")
def adds(degraders: Degraders) -> ModelFile:
    return named(degraders(Adds(), scale=1, multiple=1, receptive_field=0, batch=8))


@pytest.fixture(scope="module")
def convolves(degraders: Degraders) -> ModelFile:
    torch.manual_seed(1)
    return named(degraders(Convolves(), receptive_field=5, batch=4))


@pytest.fixture(scope="module")
def pools(degraders: Degraders) -> ModelFile:
    torch.manual_seed(2)
    return named(degraders(Pools(), scale=1, zoom=3, multiple=2, inputs=(), receptive_field=5))


@pytest.fixture(scope="module")
def copies(degraders: Degraders) -> ModelFile:
    return named(degraders(Copies(), inputs=(NoiseInput(3, 0.1), ReferenceInput("real LR")), receptive_field=1))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three reference photographs, one of them twice."""
    folder = tmp_path_factory.mktemp("references")
    (folder / "more").mkdir()
    for number, name in enumerate(["a.png", "b.png", "more/c.png"]):
        Image.fromarray(picture(number, 20 + number, 31)).save(folder / name)
    (folder / "again.png").write_bytes((folder / "a.png").read_bytes())
    (folder / ".hidden.png").write_bytes(b"not looked at")
    return folder


def named(path: Path) -> ModelFile:
    return ModelFile(path.name, register(path))


def picture(seed: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def image(height: int = 24, width: int = 34, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, channels), np.float32)


def drawn(op: Any, patch: int = 0) -> LearnedDraw:
    (draw,) = op.draw(Stream(5, patch).step("learned0"), "learned0")
    return draw


def test_the_model_gets_the_image_and_its_noise_as_torch_itself_would(convolves: ModelFile) -> None:
    draw, hr = drawn(Learned(convolves, 2)), image()
    made = draw.apply(hr, Context((-4, -6)))
    noise = 0.05 * normal_maps(int(draw.key or "", 16), -4, -6, (3, 24, 34))
    module = running._module(convolves.sha256, "cpu")
    with torch.inference_mode():
        expected = module(torch.from_numpy(hr.transpose(2, 0, 1)[None].copy()), torch.from_numpy(noise)[None])
    assert (made.shape, made.dtype, made.flags.c_contiguous) == ((12, 17, 3), np.float32, True)
    np.testing.assert_allclose(made, expected[0].numpy().transpose(1, 2, 0), atol=1e-6)


def test_the_same_draw_gives_the_same_bits_also_from_its_trace(convolves: ModelFile) -> None:
    draw, hr = drawn(Learned(convolves, 2)), image(64, 66)
    first = draw.apply(hr, Context())
    entry = json.loads(json.dumps({name: getattr(draw, name) for name in draw.__slots__}))
    for _ in range(4):  # a graph that is optimised while it runs changes at the third call
        np.testing.assert_array_equal(DRAWS["learned"](**entry).apply(hr, Context()), first)
    assert not np.array_equal(drawn(Learned(convolves, 2), patch=1).apply(hr, Context()), first)


@pytest.mark.parametrize("count", [2, 4, 7])
def test_a_batch_has_the_bits_of_single_images(convolves: ModelFile, count: int) -> None:
    waiting = [
        Waiting(drawn(Learned(convolves, 2), n), image(40, 36, seed=n), Context((-2 * n, 0))) for n in range(count)
    ]
    together = LearnedDraw.apply_batch(waiting)
    for one, made in zip(waiting, together, strict=True):
        np.testing.assert_array_equal(made, one.draw.apply(one.image, one.context))


def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that gets the number of images of every call of a model."""
    sizes: list[int] = []
    called = running._called

    def counting(sha256: str, module: Any, tensors: Any, size: Any) -> Any:
        sizes.append(len(tensors[0]))
        return called(sha256, module, tensors, size)

    monkeypatch.setattr(running, "_called", counting)
    monkeypatch.setattr(running, "_exact", {})
    return sizes


def test_no_more_images_go_in_at_once_than_the_card_and_memory_allow(
    adds: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = calls(monkeypatch)
    waiting = [Waiting(drawn(Learned(adds, 4), n), image(16, 16), Context()) for n in range(18)]
    LearnedDraw.apply_batch(waiting)
    assert sizes == [*[1] * 8, 8, 8, 1, 1, 2]  # the first batch of each shape is made both ways
    sizes.clear()
    monkeypatch.setitem(op.BATCH_PIXELS, "cpu", 2 * 16 * 16)
    LearnedDraw.apply_batch(waiting[:5])
    assert sizes == [2, 2, 1]


def test_a_batch_that_has_other_bits_is_made_image_by_image(
    degraders: Degraders, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Counts(nn.Module):
        def forward(self, image: Tensor, noise: Tensor) -> Tensor:
            return image + 1e-6 * float(image.size(0)) + 0.0 * noise

    sizes = calls(monkeypatch)
    learned = Learned(named(degraders(Counts(), scale=1, multiple=1, receptive_field=0)), 4)
    waiting = [Waiting(drawn(learned, n), image(seed=n), Context()) for n in range(4)]
    for _ in range(2):
        for one, made in zip(waiting, LearnedDraw.apply_batch(waiting), strict=True):
            np.testing.assert_array_equal(made, one.draw.apply(one.image, one.context))
    assert sizes == [1, 1, 1, 1, 4, *[1] * 4, *[1] * 8]


@pytest.mark.parametrize("name", ["convolves", "pools"])
def test_tiles_give_the_whole_to_a_grey_level(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = request.getfixturevalue(name)
    draw, hr, context = drawn(Learned(model, 2)), image(75, 130), Context((-8, 5))
    whole = draw.apply(hr, context) if name == "pools" else draw.apply(hr[:74], Context((-8, 6)))
    monkeypatch.setattr(op, "TILE_SIDE", 32)
    tiled = draw.apply(hr, context) if name == "pools" else draw.apply(hr[:74], Context((-8, 6)))
    assert np.abs(tiled - whole).max() < 1e-5  # only the order of sums may differ


def test_a_tile_that_overlaps_too_little_would_show(degraders: Degraders, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    draw = drawn(Learned(named(degraders(Convolves(), receptive_field=1)), 2))
    whole = draw.apply(image(74, 130), Context())
    monkeypatch.setattr(op, "TILE_SIDE", 32)
    assert np.abs(draw.apply(image(74, 130), Context()) - whole).max() > 1e-3


@pytest.mark.parametrize(("name", "scale"), [("convolves", 2), ("pools", 1)])
def test_a_larger_window_changes_nothing_inside(name: str, scale: int, request: pytest.FixtureRequest) -> None:
    draw, hr = drawn(Learned(request.getfixturevalue(name), 2)), image(64, 60)
    large = draw.apply(hr, Context((-16, -14)))
    for top, left in ((4, 2), (6, 4)) if scale == 2 else ((4, 2), (5, 3)):  # also off the blocks that the model pools
        small = draw.apply(np.ascontiguousarray(hr[top:, left:]), Context((top - 16, left - 14)))
        inner = large[top // scale :, left // scale :] if scale == 2 else large[top:, left:]
        np.testing.assert_allclose(small[6:, 6:], inner[6:, 6:], atol=1e-6)


def test_sizes_off_the_blocks_are_mirrored_and_cut_again(pools: ModelFile) -> None:
    hr = image(25, 33)
    made = drawn(Learned(pools, 2)).apply(hr, Context((1, -3)))
    framed = np.pad(hr, ((1, 0), (1, 0), (0, 0)), "symmetric")  # begins at (0, -4), 26 x 34
    np.testing.assert_array_equal(made, drawn(Learned(pools, 2)).apply(framed, Context((0, -4)))[1:, 1:])


@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0])
def test_noise_has_the_stated_deviation_and_no_mean(adds: ModelFile, factor: float) -> None:
    draw, hr = drawn(Learned(adds, 4, Distribution(factor))), image(200, 220)
    noise = (draw.apply(hr, Context()) - hr).reshape(-1, 3)
    sigma = 0.05 * factor
    assert draw.noise == factor
    np.testing.assert_allclose(noise.std(0), sigma, rtol=4 / np.sqrt(2 * len(noise)))
    np.testing.assert_allclose(noise.mean(0), 0, atol=4 * sigma / np.sqrt(len(noise)) + 1e-9)
    correlation = np.corrcoef(noise.T) if factor else np.eye(3)
    assert np.abs(correlation - np.eye(3)).max() < 5 / np.sqrt(len(noise))


def test_noise_lies_where_the_pixel_lies(adds: ModelFile) -> None:
    draw, hr = drawn(Learned(adds, 4)), image(20, 20)
    large = draw.apply(hr, Context((-5, -3)))
    np.testing.assert_array_equal(draw.apply(np.ascontiguousarray(hr[4:, 7:]), Context((-1, 4))), large[4:, 7:])


def test_the_factor_of_the_noise_is_drawn(adds: ModelFile) -> None:
    op = Learned(adds, 4, Distribution(range=(0.5, 2.0)))
    found = [drawn(op, patch) for patch in range(200)]
    factors = np.array([draw.noise for draw in found])
    assert 0.5 <= factors.min() < 0.6 < 1.9 < factors.max() <= 2.0
    assert len({draw.key for draw in found}) == 200


def test_noise_inputs_of_one_model_differ_and_may_have_many_channels(degraders: Degraders) -> None:
    class Sorts(nn.Module):
        def forward(self, image: Tensor, noise: Tensor, more: Tensor) -> Tensor:
            return torch.cat((noise, more[:, 0:1], more[:, 4:5]), 1) + 0.0 * image

    inputs = NoiseInput(1, 1.0), NoiseInput(5, 2.0)
    model = named(degraders(Sorts(), scale=1, multiple=1, inputs=inputs, receptive_field=0))
    made = drawn(Learned(model, 4)).apply(image(60, 60), Context()).reshape(-1, 3)
    np.testing.assert_allclose(made.std(0), [1, 2, 2], rtol=0.06)
    assert np.abs(np.corrcoef(made.T) - np.eye(3)).max() < 0.09


def test_a_reference_is_a_crop_of_a_photograph_in_the_folder(copies: ModelFile, photos: Path) -> None:
    folder = ReferenceFolder("references", register(photos))
    op = Learned(copies, 2, reference=folder)
    seen = set()
    for patch in range(60):
        draw = drawn(op, patch)
        assert draw.reference is not None
        photo = reference(draw.reference)
        assert hashlib.sha256(photo.tobytes()).hexdigest() in {
            hashlib.sha256(picture(n, 20 + n, 31).tobytes()).hexdigest() for n in range(3)
        }
        around = np.pad(photo, ((40, 40), (40, 40), (0, 0)), "symmetric")
        y, x = 40 + (draw.y or 0) - 2, 40 + (draw.x or 0) - 3  # the window begins 2 rows and 3 columns before the patch
        expected = around[y : y + 10, x : x + 12].astype(np.float32) / 255
        np.testing.assert_allclose(draw.apply(image(20, 24), Context((-4, -6))), expected, atol=1e-6)
        seen.add(draw.reference)
    assert len(seen) == 3


def test_a_folder_is_known_by_its_photographs_not_by_their_names(photos: Path, tmp_path: Path) -> None:
    for number, path in enumerate(sorted(photos.rglob("[a-z]*.png"))):
        (tmp_path / f"{number}.png").write_bytes(path.read_bytes())
    assert register(tmp_path) == register(photos)
    Image.fromarray(picture(9, 8, 8)).save(tmp_path / "new.png")
    assert register(tmp_path) != register(photos)


@pytest.mark.parametrize("scale", [1, 2])
def test_gray_goes_through_as_rgb_and_comes_out_as_luma(scale: int, pools: ModelFile, convolves: ModelFile) -> None:
    draw, gray = drawn(Learned(pools if scale == 1 else convolves, 2)), image(24, 30, 1)
    made = draw.apply(gray, Context())
    rgb = draw.apply(gray.repeat(3, 2), Context())
    assert made.shape == (24 // scale, 30 // scale, 1)
    np.testing.assert_allclose(made[..., 0], rgb @ np.float32([0.299, 0.587, 0.114]), atol=1e-6)


def test_values_are_clipped_before_the_model_not_after(adds: ModelFile) -> None:
    hr = np.array([-1.0, 0.5, 2.0], np.float32).reshape(1, 3, 1).repeat(3, 2)
    draw = drawn(Learned(adds, 4, Distribution(0.0)))
    np.testing.assert_array_equal(draw.apply(hr, Context())[0, :, 0], [0, 0.5, 1])
    loud = drawn(Learned(adds, 4, Distribution(100.0))).apply(image(), Context())
    assert loud.min() < 0
    assert loud.max() > 1


def test_what_the_caller_set_in_torch_changes_no_bit_and_is_put_back(pools: ModelFile) -> None:
    draw, hr = drawn(Learned(pools, 4)), image(96, 96)
    expected, threads = draw.apply(hr, Context()), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", torch.bfloat16):
            made = draw.apply(hr, Context())
            assert torch.is_autocast_enabled("cpu")
        assert torch.is_grad_enabled()
        assert (torch.get_num_threads(), torch.get_float32_matmul_precision()) == (2, "medium")
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision("highest")
    np.testing.assert_array_equal(made, expected)


def test_what_a_model_does_not_take_is_refused(adds: ModelFile, pools: ModelFile, copies: ModelFile) -> None:
    folder = ReferenceFolder("x", "0" * 64)
    for model, scale, more, problem in [
        (copies, 4, {}, "expected a model of scale 4 or 1, 'tiny-x2' makes 1/2"),
        (copies, 2, {}, "takes a reference: name a folder of real LR photographs"),
        (adds, 2, {"reference": folder}, "takes no reference"),
        (pools, 2, {"noise": Distribution(2.0)}, "takes no noise"),
        (adds, 2, {"noise": Distribution(-1.0)}, "expected noise at least 0"),
    ]:
        with pytest.raises(ValueError, match=problem):
            Learned(model, scale, **more)


def test_a_model_that_is_not_trusted_is_refused_before_torch_sees_it(degraders: Degraders) -> None:
    model = named(degraders(Adds(), trusted=False, name="strange.pt", licence="unknown"))
    with pytest.raises(UnsafeFileError, match=r"strange\.pt: not in your list of trusted files"):
        Learned(model, 2)


def test_a_model_that_changes_while_it_is_used_is_not_taken(degraders: Degraders) -> None:
    path = degraders(Adds(), scale=1, multiple=1, description="one")
    model = named(path)
    path.write_bytes(degraders(Adds(), scale=1, multiple=1, description="two").read_bytes())
    with pytest.raises(IntegrityError, match="the model changed while it was in use"):
        Learned(model, 2)


class _Wrong(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image[:, :, ::2]


class _Infinite(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return 1.0 / (image - image)


class _Fails(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image.view(1, 3, 7, 7)


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        (_Wrong(), r"gave \(1, 3, 12, 34\) torch.float32; its card promises \(1, 3, 24, 34\)"),
        (_Infinite(), "gave values that are not finite"),
        (_Fails(), r"cannot run on \(1, 3, 24, 34\)"),
    ],
    ids=["size", "infinite", "fails"],
)
def test_a_model_that_does_not_keep_its_word_is_one_line(module: nn.Module, problem: str, degraders: Degraders) -> None:
    model = named(degraders(module, scale=1, multiple=1, inputs=(), receptive_field=0))
    with pytest.raises(IntegrityError, match=problem) as refusal:
        drawn(Learned(model, 2)).apply(image(), Context())
    assert "\n" not in str(refusal.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="of machines without one")
def test_a_device_that_is_not_there_is_one_line(adds: ModelFile) -> None:
    draw = dataclasses.replace(drawn(Learned(adds, 4)), device="cuda")
    with pytest.raises(ResourceError, match="cuda: no such device here"):
        draw.apply(image(), Context())
