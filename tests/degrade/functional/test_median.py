"""The median against SciPy's: a selection, so equal in every bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from degrade.functional.median import SIZES, median_filter


@pytest.mark.parametrize("size", SIZES)
@given(st.integers(1, 30), st.integers(1, 150), st.sampled_from([1, 3]), st.sampled_from([4, 1000]))
def test_it_equals_scipy_s_up_to_the_edge(size: int, height: int, width: int, channels: int, levels: int) -> None:
    """Values of either sign, many of them equal; wide enough for more than one chunk."""
    shape = height, width, channels
    image = np.random.default_rng(height).integers(-levels, levels, shape).astype(np.float32) / np.float32(97)
    expected = np.stack([ndimage.median_filter(image[..., c], size, mode="reflect") for c in range(channels)], axis=-1)
    made = median_filter(image, size)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, expected)


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a size of 3, 5, 7 or 9, got 4"):
        median_filter(np.zeros((5, 5, 1), np.float32), 4)
