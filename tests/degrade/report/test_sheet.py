"""Contact sheets: pictures stay what they are, text fits, numbers are read as they were drawn."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.errors import UsageError
from degrade.ops.blur import GaussianBlur
from degrade.ops.choice import Branch, OneOf
from degrade.ops.noise import GaussianNoise
from degrade.ops.protocol import Distribution, Step
from degrade.report import GREY, WHITE, Cell, contact_sheet, drawn_fields, step_line, trace_lines, value_text


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def find(sheet: np.ndarray, picture: np.ndarray) -> list[tuple[int, int]]:
    """Every place (y, x) where `picture` lies in `sheet`, pixel for pixel."""
    height, width = picture.shape[:2]
    corners = np.argwhere((sheet == picture[0, 0]).all(axis=2))
    return [(y, x) for y, x in corners if np.array_equal(sheet[y : y + height, x : x + width], picture)]


def test_every_picture_lies_on_the_sheet_enlarged_by_repeating_pixels() -> None:
    hr, lr = noise(192, 192), [noise(48, 48, seed=i) for i in range(1, 6)]
    sheet = contact_sheet([Cell(hr, ("HR",)), *(Cell(image, ("a",)) for image in lr)], title="t")
    assert len(find(sheet, np.kron(hr, np.ones((2, 2, 1), np.uint8)))) == 1
    for image in lr:
        assert len(find(sheet, np.kron(image, np.ones((8, 8, 1), np.uint8)))) == 1


def test_cells_follow_reading_order_in_the_asked_columns() -> None:
    images = [noise(64, 64, seed=i) for i in range(5)]
    sheet = contact_sheet([Cell(image) for image in images], title="t", columns=3)
    places = [find(sheet, np.kron(image, np.ones((4, 4, 1), np.uint8)))[0] for image in images]
    assert places == sorted(places)
    assert [len({y for y, _ in places[a:b]}) for a, b in ((0, 3), (3, 5))] == [1, 1]
    assert places[3][0] > places[2][0]
    assert places[3][1] == places[0][1]


def test_odd_sizes_and_grey_pictures_are_centred_in_their_cells() -> None:
    grey, tall = noise(30, 50, 1), noise(51, 20)
    sheet = contact_sheet([Cell(grey), Cell(tall)], title="t", columns=2)
    shown = np.kron(np.repeat(grey, 3, axis=2), np.ones((6, 6, 1), np.uint8))  # 51 * 6 = 306 = the cell
    assert len(find(sheet, shown)) == 1
    assert len(find(sheet, np.kron(tall, np.ones((6, 6, 1), np.uint8)))) == 1


def colour(name: str) -> np.ndarray:
    return np.array([int(name[i : i + 2], 16) for i in (1, 3, 5)])


def test_each_line_of_a_caption_is_printed_and_long_ones_wrap() -> None:
    black = np.zeros((64, 64, 3), np.uint8)
    empty = contact_sheet([Cell(black)], title="")
    one = contact_sheet([Cell(black, ("head",))], title="")
    more = contact_sheet([Cell(black, ("head", "sigma 1.23"))], title="")
    wrapped = contact_sheet([Cell(black, ("head", "sigma 1.23  " * 12))], title="")
    assert empty.shape[0] < one.shape[0] < more.shape[0] < wrapped.shape[0]
    assert (wrapped == colour(WHITE)).all(axis=2).any()
    grey_columns = np.flatnonzero((wrapped == colour(GREY)).all(axis=2).any(axis=0))
    assert grey_columns.size > 0
    assert grey_columns[-1] < 28 + 256 - 8  # inside the cell


@pytest.mark.parametrize("name", ["фото.png", "a\x1b[31m\n.png", "日本語" * 80, "x" * 900, "", "caf\u00e9\udcff.jpg"])
def test_any_text_can_be_printed(name: str) -> None:
    sheet = contact_sheet([Cell(noise(8, 8), (name, name))], title=name, subtitle=(name,))
    assert sheet.shape[1] < 400
    assert sheet.dtype == np.uint8


def test_the_page_is_landscape_with_few_empty_cells() -> None:
    for count in (6, 12, 17, 18, 33):
        cells = [Cell(noise(32, 32), ("v", "a", "b"))] * count
        height, width, _ = contact_sheet(cells, title="t").shape
        assert 0.7 < width / height < 2.6, count


def test_same_cells_give_the_same_bytes() -> None:
    cells = [Cell(noise(48, 48), ("a", "b")), Cell(noise(12, 12), ("c",), is_reference=True)]
    assert np.array_equal(contact_sheet(cells, title="t"), contact_sheet(cells, title="t"))


def test_no_pictures_too_many_pixels_and_wrong_arrays_are_refused() -> None:
    with pytest.raises(UsageError, match="no pictures"):
        contact_sheet([], title="t")
    huge = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (9000, 9000, 3))
    with pytest.raises(UsageError, match="fewer or smaller"):
        contact_sheet([Cell(huge), Cell(huge)], title="t")
    with pytest.raises(ValueError, match=r"\(4, 4\) uint8"):
        contact_sheet([Cell(np.zeros((4, 4), np.uint8))], title="t")


def test_a_trace_reads_as_one_line_a_step() -> None:
    steps = [
        {"op": "gaussian_blur", "id": "gaussian_blur0", "size": 15, "sigma": 1.23456},
        {"op": "downsample", "id": "downsample0", "filter": "lanczos"},
        {"op": "gaussian_noise", "id": "gaussian_noise0", "sigma_8bit": 12.5, "key": "00ff00ff00ff00ff"},
    ]
    assert trace_lines({"key": "00ff00ff00ff00ff", "patch": 0, "variant": 3, "steps": steps}) == [
        "gaussian blur  size 15  sigma 1.23",
        "downsample  filter lanczos",
        "gaussian noise  sigma 8bit 12.5",
    ]
    assert trace_lines({}) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (3, "3"),
        (0.000123456, "0.000123"),
        (104.26, "104"),
        (123456.7, "123457"),
        (None, ""),
        ("bicubic", "bicubic"),
        ("deadbeefdeadbeef", ""),
        ([1.5, 2], "(1.5, 2)"),
        (list(range(225)), "(225 values)"),
        ({"y": 1, "x": 2.5}, "(y 1, x 2.5)"),
    ],
)
def test_values_are_short(value: object, text: str) -> None:
    assert value_text(value) == text


def test_with_a_recipe_only_what_it_draws_is_printed() -> None:
    noise = Step("n", GaussianNoise(Distribution(range=(0, 25))))
    blur = Step("b", GaussianBlur(Distribution(choice=(1.0, 2.0)), Distribution(constant=15)))
    drawn = drawn_fields([blur, Step("c", OneOf((Branch((noise,)),)))])
    assert drawn == {"b": {"sigma"}, "c": frozenset(), "n": {"sigma_8bit"}}
    trace = {
        "hr_steps": [{"op": "gaussian_blur", "id": "b", "sigma": 2.0, "size": 15}],
        "steps": [
            {"op": "downsample", "id": "d", "filter": "cubic", "scale": 4},
            {"op": "gaussian_noise", "id": "n", "sigma_8bit": 9.75, "key": "00ff00ff00ff00ff"},
        ],
    }
    assert trace_lines(trace, {**drawn, "d": frozenset()}) == [
        "HR: gaussian blur  sigma 2",
        "downsample  filter cubic",
        "gaussian noise  sigma 8bit 9.75",
    ]


def test_a_step_without_values_is_its_name() -> None:
    assert step_line({"op": "usm", "id": "usm0"}) == "usm"
