"""The sheet of a degrader's kernels: what is black, blue and marked."""

from __future__ import annotations

import numpy as np

from degrade.ops.learned.mixture import Mixture
from degrade.report.kernels import kernel_sheet, marked, telling_positions


def mixture(height: int = 60, width: int = 80) -> Mixture:
    """A point, a box and a Laplacian of 5 x 5; one prevails on the left, one in the middle, one on the right."""
    basis = np.zeros((3, 5, 5), np.float32)
    basis[0, 2, 2], basis[1] = 1, 1 / 25
    basis[2, 2] = -0.25
    basis[2, 2, 2] = 2
    x = np.linspace(0, 1, width, dtype=np.float32)
    across = np.stack([np.exp(-(((x - place) / 0.2) ** 2)) for place in (0, 0.5, 1)])
    return Mixture(basis, across[:, None].repeat(height, 1))


def test_a_pixel_is_found_for_each_kernel_where_it_prevails() -> None:
    (_, left), (_, middle), (_, right) = telling_positions(mixture())
    assert left < 10
    assert 35 < middle < 45
    assert right > 70


def test_found_pixels_keep_two_kernels_width_from_each_other() -> None:
    flat = Mixture(np.ones((6, 5, 5), np.float32), np.ones((6, 60, 80), np.float32))
    found = telling_positions(flat)
    assert len(found) == 6
    assert all(max(abs(a[0] - b[0]), abs(a[1] - b[1])) > 10 for a in found for b in found if a != b)
    assert len(telling_positions(Mixture(flat.basis, flat.maps[:, :6, :6]))) == 1  # no room for more


def test_a_mark_frames_the_kernels_pixels_and_leaves_them_as_they_are() -> None:
    photo = np.full((60, 80, 3), 90, np.uint8)
    shown = marked(photo, [(30, 40)], 5)
    assert (shown[28:33, 38:43] == 90).all()
    assert (shown[27:34, [37, 43]] != 90).any(-1).all()
    assert (photo == 90).all()


def test_kernels_are_black_at_zero_and_blue_below_it() -> None:
    """The third basis kernel is the fourth cell: its middle row has negative taps beside the centre."""
    photo = np.full((60, 80, 3), 90, np.uint8)
    sheet = kernel_sheet(mixture(), photo, [(10, 10), (50, 70)], title="three kernels", origin=(100, 200))
    height, width = sheet.shape[:2]
    assert width == 2 * 28 + 4 * 360 + 3 * 20
    assert height > 3 * 360
    (top,) = np.flatnonzero(np.diff((sheet[:, 28 + 380 + 2] == 0).all(1).astype(int)) == 1)[:1] + 1  # a black tap
    cell = sheet[top : top + 360, 28 + 3 * 380 : 28 + 3 * 380 + 360]
    taps = cell[36::72, 36::72].astype(int)
    assert (taps[[0, 1, 3, 4]] == 0).all()
    assert (taps[2, [0, 1, 3, 4], 2] > taps[2, [0, 1, 3, 4], 0]).all()
    assert taps[2, 2].sum() > 600
