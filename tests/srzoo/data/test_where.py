import numpy as np
import pytest

from srzoo.data.where import matching, parse_where
from srzoo.errors import UsageError

TRACE = {
    "key": "4aa9",
    "hr_steps": [{"op": "sharpen", "id": "sharpen0", "amount": 0.5}],
    "steps": [
        {"op": "gaussian_blur", "id": "gaussian_blur0", "sigma": 1.5, "size": 15},
        {"op": "gaussian_noise", "id": "noise", "sigma": [1.0, 2.0], "shared": True},
        {"op": "jpeg", "id": "jpeg0", "quality": 50, "subsampling": "4:2:0"},
        {"op": "jpeg", "id": "jpeg1", "quality": 80, "subsampling": "4:4:4"},
    ],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gaussian_blur0.sigma > 1 and noise.op == 'gaussian_noise'", True),
        ("gaussian_blur0.sigma > 2 or noise.op == 'gaussian_noise'", True),
        ("gaussian_blur.sigma <= 1.5", True),  # by op
        ("sharpen.amount == .5", True),  # a step on the HR side
        ("jpeg.quality < 60", True),  # one of the two
        ("jpeg1.quality < 60", False),
        ("jpeg.quality > 90", False),
        ("60 <= jpeg.quality < 90", True),
        ("51 <= jpeg.quality < 79", False),  # no single step lies in between
        ("not jpeg", False),
        ("median and jpeg", False),
        ("not median.size > 3", True),  # no such step ran
        ("noise.sigma[1] == 2 and noise.sigma[0] == 1", True),
        ("noise.sigma[2] > 0", False),
        ("noise.shared == True", True),
        ("jpeg.subsampling in ('4:2:0', '4:2:2')", True),
        ("jpeg0.subsampling not in ['4:2:0']", False),
        ("jpeg.subsampling < 3", False),  # a word is not less than a number
        ("gaussian_blur0.sigma > -1", True),
        ("jpeg0.quality != jpeg1.quality", True),
    ],
)
def test_a_condition_asks_what_was_drawn(text: str, expected: bool) -> None:
    assert parse_where(text).holds(TRACE) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jpeg.quality <",
        "1",
        "'jpeg'",
        "jpeg.quality",
        "jpeg.quality + 1 < 60",
        "jpeg.quality.real < 60",
        "jpeg['quality'] < 60",
        "noise.sigma[jpeg] < 1",
        "__import__('os').system('true')",
        "[x for x in jpeg]",
        "lambda: jpeg",
        "(jpeg := 1)",
        "f'{jpeg}' == 'x'",
        "jpeg.quality is 60",
        "jpeg.quality in 60",
        "jpeg.quality < (60, 70)",
        "jpeg.subsampling == b'x'",
        "jpeg.quality < None",
        "jpeg; jpeg",
        "jpeg\0",
        "not " * 30 + "jpeg",
        "(" * 500 + "jpeg" + ")" * 500,
        "jpeg or " * 1000 + "jpeg",
        "jpeg.quality < " + "9" * 5000,
    ],
)
def test_what_is_no_condition_is_refused_on_one_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"^where: ") as caught:
        parse_where(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_matching_says_which_pairs_fulfil_it() -> None:
    traces = [{"steps": [{"op": "jpeg", "id": "jpeg0", "quality": quality}]} for quality in (30, 95, 59, 60)]
    np.testing.assert_array_equal(matching(parse_where("jpeg.quality < 60"), traces), [True, False, True, False])


def test_a_condition_that_no_pair_fulfils_is_refused_with_counts() -> None:
    with pytest.raises(UsageError, match=r"where: jpeg0.quality < 10: none of 3 pairs fulfils it"):
        matching(parse_where("jpeg0.quality < 10"), [TRACE] * 3)


def test_a_step_or_field_that_no_pair_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no pair has a drawn 'jpeg0.qualty' - did you mean 'jpeg0.quality'"):
        matching(parse_where("not jpeg0.qualty < 10"), [TRACE])
    with pytest.raises(UsageError, match=r"no pair has a drawn 'jpg' - did you mean 'jpeg'"):
        matching(parse_where("not jpg or jpeg"), [TRACE])
