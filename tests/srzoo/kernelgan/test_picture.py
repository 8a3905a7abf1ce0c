import numpy as np

from srzoo.kernelgan import kernel_sheet


def test_each_kernel_is_scaled_to_its_own_largest_tap() -> None:
    kernels = [np.array([[0, 0, 0], [0, value, value / 2], [0, 0, 0]]) for value in (0.1, 1.0, 4.0)]
    sheet = kernel_sheet(kernels)
    assert sheet.shape == (2 * 32 + 8, 2 * 32 + 8, 1)
    first = sheet[8:32, 8:32, 0]
    assert np.array_equal(first[::8, ::8], [[0, 0, 0], [0, 255, 128], [0, 0, 0]])
    assert np.array_equal(first, sheet[8:32, 40:64, 0])
    assert np.array_equal(first, sheet[40:64, 8:32, 0])
    assert np.unique(sheet[40:64, 40:64]).tolist() == [64]  # no fourth one
