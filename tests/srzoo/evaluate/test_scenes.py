"""What of a pair of files a judge of degraders gets to see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from degrade.functional.resample import imresize_uint8
from srzoo.errors import ImageError, UsageError
from srzoo.evaluate.pairs import find_pairs
from srzoo.evaluate.scenes import Framing, scenes, taken_nearest

Folder = Callable[..., Path]


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_at_scale_1_the_clean_lr_is_hr(folder: Folder) -> None:
    hr, lr = folder("hr", ["a.png", "b.png"]), folder("lr", ["a.png", "b.png"])
    first, second = scenes(find_pairs(hr, lr, scale=1), Framing(1, 1))
    assert (first.name, second.name, first.scale) == ("a.png", "b.png", 1)
    np.testing.assert_array_equal(first.hr, pixels(hr / "a.png"))
    np.testing.assert_array_equal(first.clean, first.hr)
    np.testing.assert_array_equal(second.real, pixels(lr / "b.png"))


def test_the_example_is_the_real_lr_of_the_picture_before_and_of_the_last_for_the_first(folder: Folder) -> None:
    names = ["a.png", "b.png", "c.png"]
    hr, lr = folder("hr", names), folder("lr", names)
    found = list(scenes(find_pairs(hr, lr, scale=1), Framing(1, 1)))
    for number, scene in enumerate(found):
        np.testing.assert_array_equal(scene.example, found[number - 1].real)


def test_nearest_takes_the_same_pixels_of_both_and_those_pillow_takes(folder: Folder) -> None:
    hr, lr = folder("clean", ["a.png"], (130, 140)), folder("noisy", ["a.png"], (130, 140))
    (scene,) = scenes(find_pairs(hr, lr, scale=4), Framing(4, 4, nearest=True, border=2))
    for path, found in ((hr / "a.png", scene.clean), (lr / "a.png", scene.real)):
        cropped = Image.open(path).crop((0, 0, 140, 128))
        np.testing.assert_array_equal(found, np.asarray(cropped.resize((35, 32), Image.Resampling.NEAREST)))


def test_hr_is_cropped_to_the_multiple_and_real_lr_with_it(folder: Folder) -> None:
    hr, lr = folder("hr", ["a.png"], (67, 90)), folder("lr", ["a.png"], (33, 45))
    (scene,) = scenes(find_pairs(hr, lr, scale=2), Framing(2, 8, border=2))
    assert (scene.hr.shape, scene.real.shape) == ((64, 88, 3), (32, 44, 3))
    np.testing.assert_array_equal(scene.real, pixels(lr / "a.png")[:32, :44])
    np.testing.assert_array_equal(scene.clean, imresize_uint8(scene.hr, 32, 44))


def test_keys_come_from_seed_and_name_not_from_order(folder: Folder) -> None:
    hr, lr = folder("hr", ["a.png", "b.png"]), folder("lr", ["a.png", "b.png"])
    pairs = find_pairs(hr, lr, scale=1)
    keys = {scene.name: scene.key for scene in scenes(pairs, Framing(1, 1))}
    assert keys == {scene.name: scene.key for scene in scenes(pairs[::-1], Framing(1, 1))}
    others = {scene.name: scene.key for scene in scenes(pairs, Framing(1, 1, seed=1))}
    assert len({*keys.values(), *others.values()}) == 4


@pytest.mark.parametrize(
    ("size", "framing", "line"),
    [
        ((64, 64), Framing(4, 4, border=0), r"64 x 64, but its HR is 64 x 64: that is not x4 - add --nearest"),
        ((17, 16), Framing(4, 4, border=0), "16 x 17, but its HR is 64 x 64: that is not x4 - state another --scale"),
        ((16, 16), Framing(4, 4, nearest=True, border=0), "that is not x1 - leave out --nearest"),
    ],
)
def test_sizes_that_do_not_fit_are_named(folder: Folder, size: tuple[int, int], framing: Framing, line: str) -> None:
    pairs = find_pairs(folder("hr", ["a.png"], (64, 64)), folder("lr", ["a.png"], size), scale=4)
    with pytest.raises(UsageError, match=line):
        list(scenes(pairs, framing))


def test_a_picture_too_small_for_the_window_inside_the_border_is_named(folder: Folder) -> None:
    pairs = find_pairs(folder("hr", ["a.png"], (24, 40)), folder("lr", ["a.png"], (24, 40)), scale=1)
    with pytest.raises(ImageError, match=r"a.png: 40 x 24 is too small for x1 and a border of 7 - leave it out"):
        list(scenes(pairs, Framing(1, 1)))
    assert len(list(scenes(pairs, Framing(1, 1, border=6)))) == 1


def test_odd_scales_take_the_middle_of_each_block() -> None:
    block = np.arange(81, dtype=np.uint8).reshape(9, 9, 1).repeat(3, axis=2)
    np.testing.assert_array_equal(taken_nearest(block, 3), block[1::3, 1::3])
    np.testing.assert_array_equal(taken_nearest(block[:8, :8], 2), block[1:8:2, 1:8:2])


def test_a_multiple_that_is_none_of_the_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="a multiple of it"):
        Framing(4, 6)
