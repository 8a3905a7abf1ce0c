"""DirectKPN against a loop over pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from srzoo.degraders.direct_kpn import DirectKPN, DirectKPNConfig


@pytest.mark.parametrize("size", [15, 3])
def test_every_pixel_has_the_predicted_kernel(size: int) -> None:
    torch.manual_seed(0)
    degrader = DirectKPN(DirectKPNConfig(size, features=4))
    image = torch.rand(2, 1, 9, 14)
    with torch.no_grad():
        lr = degrader(image).numpy()
        kernels = degrader.predict(image).double().numpy()  # (B, size * size, H, W), row by row
    window = np.pad(image[:, 0].double().numpy(), ((0, 0), (size // 2,) * 2, (size // 2,) * 2), mode="symmetric")
    expected = np.zeros(lr.shape)
    for b, y, x in np.ndindex(2, 9, 14):
        expected[b, 0, y, x] = (window[b, y : y + size, x : x + size].ravel() * kernels[b, :, y, x]).sum()
    np.testing.assert_allclose(lr, expected, atol=1e-5)
    assert expected.std() > 0.001


def test_taps_lie_row_by_row_as_the_pixels_they_weigh() -> None:
    """The tap above and at the far right, alone, moves the picture down and left."""
    degrader = DirectKPN(DirectKPNConfig(5, features=2))
    for parameter in degrader.parameters():
        parameter.data.zero_()
    degrader.predict.last.bias.data[5 * 1 + 4] = 1  # type: ignore[reportOptionalMemberAccess]  row 1, column 4
    image = torch.rand(1, 1, 8, 10)
    assert torch.equal(degrader(image)[0, 0, 1:, :-2], image[0, 0, :-1, 2:])
