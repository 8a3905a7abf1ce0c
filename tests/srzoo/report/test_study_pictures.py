"""Crops: the right place, every pixel of it, and what is said of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from degrade import codecs
from srzoo.errors import ImageError, UsageError
from srzoo.report.study_files import StudyFiles
from srzoo.report.study_pictures import CropView, pictures_view
from srzoo.report.study_spec import Item, PicturesSpec

RNG = np.random.default_rng(0)
LR = RNG.integers(0, 200, (20, 30, 3), np.uint8)
SR = RNG.integers(60, 160, (80, 120, 3), np.uint8)
HR = np.pad(SR, ((0, 3), (0, 1), (0, 0)))  # what x4 leaves out of a truth
OTHER = SR.copy()
OTHER[40:72, 60:92] += 40


@pytest.fixture
def files(tmp_path: Path) -> StudyFiles:
    for name, pixels in (("lr", LR), ("sr", SR), ("other", OTHER), ("hr", HR)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    (tmp_path / "e.json").write_text(json.dumps({"sets": [{"name": "S", "mean": {"m": {"lpips": 0.25}}}]}))
    (tmp_path / "junk.png").write_bytes(b"junk")
    return StudyFiles(tmp_path, {})


def items(*names: str) -> tuple[Item, ...]:
    return tuple(Item(name, f"{name}.png", truth=name == "hr") for name in names)


def decoded(crop: CropView) -> np.ndarray:
    kind, _, data = crop.uri.partition(";base64,")
    assert kind == "data:image/png"
    pixels = codecs.decode(base64.b64decode(data), "embedded").pixels
    assert pixels.shape == (crop.height, crop.width, 3)
    return pixels


def test_a_figure_is_shown_whole(files: StudyFiles) -> None:
    spec = PicturesSpec("P", items("hr"), box="whole", zoom=1, overview=False)
    ((crop,),) = pictures_view(spec, files).rows
    np.testing.assert_array_equal(decoded(crop), HR)


def test_a_crop_is_its_box_with_every_pixel_a_square(files: StudyFiles) -> None:
    spec = PicturesSpec("P", items("lr", "sr", "hr"), box=(13, 41, 22, 35), zoom=3)
    ((lr, sr, hr),) = pictures_view(spec, files).rows
    window = (slice(13, 35), slice(41, 76))
    for crop, whole in ((lr, np.kron(LR, np.ones((4, 4, 1), np.uint8))), (sr, SR), (hr, HR)):
        np.testing.assert_array_equal(decoded(crop), np.kron(whole[window], np.ones((3, 3, 1), np.uint8)))


def test_hr_crops_get_their_psnr_against_the_truth_alone(files: StudyFiles) -> None:
    spec = PicturesSpec("P", items("lr", "sr", "other", "hr"), box=(56, 60, 16, 32))
    ((lr, sr, other, hr),) = pictures_view(spec, files).rows
    assert (lr.lines, sr.lines, hr.lines) == ((), ("∞ dB",), ())
    expected = 20 * np.log10(255 / (40 * 219 / 255))  # 40 levels of RGB in luma of 219
    assert other.lines == (f"{expected:.2f} dB",)


def test_figures_and_notes_stand_in_the_caption(files: StudyFiles) -> None:
    item = Item("a", "sr.png", figure="e.json#S/m/lpips", note="a word")
    ((crop,),) = pictures_view(PicturesSpec("P", (item,), box="detail"), files).rows
    assert crop.lines == ("LPIPS 0.2500", "a word")


def test_brightening_is_stated_and_changes_no_figure(files: StudyFiles) -> None:
    spec = PicturesSpec("P", items("other", "hr"), box=(36, 60, 16, 32), zoom=1, brighten=1.5)
    ((other, _),) = pictures_view(spec, files).rows
    np.testing.assert_array_equal(decoded(other), np.minimum(255, (OTHER[36:52, 60:92].astype(int) * 3 + 1) // 2))
    plain = pictures_view(PicturesSpec("P", items("other", "hr"), box=(36, 60, 16, 32)), files).rows[0][0]
    assert other.lines == (*plain.lines, "values x1.5")


def test_auto_is_where_the_results_differ_most_whatever_the_truth(files: StudyFiles) -> None:
    view = pictures_view(PicturesSpec("P", items("lr", "sr", "other", "hr"), side=32, zoom=1), files)
    np.testing.assert_array_equal(decoded(view.rows[0][2]), OTHER[40:72, 60:92])
    (box,) = view.boxes
    whole = [box.left * 1.21, box.top * 0.83, box.width * 1.21, box.height * 0.83]  # of 121 x 83 pixels
    np.testing.assert_allclose(whole, [60, 40, 32, 32])


def test_count_gives_that_many_places_apart_from_each_other(files: StudyFiles) -> None:
    view = pictures_view(PicturesSpec("P", items("sr", "other"), side=32, count=2), files)
    assert len(view.rows) == 2
    first, second = view.boxes
    assert max(abs(first.left - second.left) * 1.2, abs(first.top - second.top) * 0.8) > 31.9


def test_detail_is_of_the_truth(files: StudyFiles, tmp_path: Path) -> None:
    truth = np.full((64, 64, 3), 128, np.uint8)
    truth[32:, :32] = RNG.integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(truth).save(tmp_path / "flat.png")
    spec = PicturesSpec("P", (Item("t", "flat.png", truth=True),), box="detail", side=32, zoom=1)
    np.testing.assert_array_equal(decoded(pictures_view(spec, files).rows[0][0]), truth[32:, :32])


def test_the_overview_can_be_left_out(files: StudyFiles) -> None:
    assert pictures_view(PicturesSpec("P", items("sr")), files).overview.startswith("data:image/webp;base64,")
    assert pictures_view(PicturesSpec("P", items("sr"), overview=False), files).overview == ""


def test_sizes_that_do_not_fit_and_boxes_outside_are_said(files: StudyFiles) -> None:
    with pytest.raises(UsageError, match=r"lr\.png: 30 x 20 pixels, which fits neither 121 x 83 nor its LR at x2"):
        pictures_view(PicturesSpec("P", items("lr", "hr"), scale=2), files)
    with pytest.raises(UsageError, match=r"box \[60, 0, 21, 8\] leaves the 80 rows and 120 columns that all pictures"):
        pictures_view(PicturesSpec("P", items("sr", "hr"), box=(60, 0, 21, 8)), files)
    with pytest.raises(ImageError):
        pictures_view(PicturesSpec("P", items("junk")), files)
