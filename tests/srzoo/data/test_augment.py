from collections import Counter

import numpy as np

from srzoo.data.augment import copy_oriented, draw, oriented, stream_key


def test_the_eight_orientations_are_numpys_and_all_differ() -> None:
    image = np.arange(2 * 3 * 3).reshape(2, 3, 3)
    for bits in range(8):
        expected = image
        expected = np.fliplr(expected) if bits & 1 else expected
        expected = np.flipud(expected) if bits & 2 else expected
        expected = np.swapaxes(expected, 0, 1) if bits & 4 else expected
        np.testing.assert_array_equal(oriented(image, bits), expected)
        copied = np.full(expected.shape, -1)
        copy_oriented(image, bits, copied)
        np.testing.assert_array_equal(copied, expected)
    square = np.arange(9).reshape(3, 3, 1)
    assert len({oriented(square, bits).tobytes() for bits in range(8)}) == 8


def test_a_draw_depends_on_key_and_sample_alone() -> None:
    key = stream_key(7, 0)
    forward = [draw(key, sample, rows=17, columns=9) for sample in range(50)]
    backward = [draw(key, sample, rows=17, columns=9) for sample in reversed(range(50))]
    assert forward == backward[::-1]
    assert forward != [draw(stream_key(7, 1), sample, rows=17, columns=9) for sample in range(50)]
    assert draw(key, 5, rows=17, columns=9) != draw(key, 5 + (1 << 32), rows=17, columns=9)


def test_places_and_orientations_are_uniform_and_stay_inside() -> None:
    draws = [draw(stream_key(0, 0), sample, rows=3, columns=5) for sample in range(6000)]
    for values, count in (([d.y for d in draws], 3), ([d.x for d in draws], 5), ([d.orientation for d in draws], 8)):
        seen = Counter(values)
        assert set(seen) == set(range(count))
        expected = len(draws) / count
        chi_square = sum((seen[value] - expected) ** 2 / expected for value in range(count))
        assert chi_square < 27  # p = 0.0003 at 7 degrees of freedom


def test_a_single_place_is_always_taken() -> None:
    assert {(d.y, d.x) for d in (draw(1, n, rows=1, columns=1) for n in range(20))} == {(0, 0)}
