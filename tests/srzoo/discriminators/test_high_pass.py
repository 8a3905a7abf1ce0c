"""DSGAN's critic against its count and keys, and a high-pass filter by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from srzoo.discriminators.high_pass import HighPassCritic, HighPassCriticConfig


def test_the_published_number_of_parameters_and_keys() -> None:
    with torch.device("meta"):
        critic = HighPassCritic(HighPassCriticConfig())
    assert sum(parameter.numel() for parameter in critic.parameters()) == 1_030_273
    convolutions = [key for key, value in critic.state_dict().items() if value.ndim == 4]
    assert convolutions == [f"net.net.{n}.weight" for n in (0, 2, 5, 8)]


def high_pass(picture: np.ndarray) -> np.ndarray:
    """0.5 + 0.5 * (x - the mean of what lies inside the 5 x 5 window), pixel by pixel."""
    result = np.empty_like(picture)
    height, width = picture.shape[1:]
    for y in range(height):
        for x in range(width):
            window = picture[:, max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
            result[:, y, x] = 0.5 + 0.5 * (picture[:, y, x] - window.mean((1, 2)))
    return result


def test_it_judges_what_a_mean_takes_away() -> None:
    torch.manual_seed(0)
    critic = HighPassCritic(HighPassCriticConfig(features=2)).eval()
    plain = nn.Sequential(*critic.net[0])  # type: ignore[reportArgumentType]
    x = torch.rand(2, 3, 9, 7)
    filtered = torch.from_numpy(np.stack([high_pass(picture) for picture in x.double().numpy()])).float()
    torch.testing.assert_close(critic(x), plain(filtered), atol=1e-5, rtol=1e-5)
    unfiltered = HighPassCritic(HighPassCriticConfig(window=0, features=2)).eval()
    unfiltered.load_state_dict(critic.state_dict())
    torch.testing.assert_close(unfiltered(x), plain(x), atol=0, rtol=0)


@pytest.mark.parametrize("window", [0, 5, 9])
def test_one_logit_sees_the_stated_pixels(window: int) -> None:
    critic = HighPassCritic(HighPassCriticConfig(window, features=2)).eval()
    x = torch.rand(1, 3, 41, 41, requires_grad=True)
    critic(x)[0, 0, 20, 20].backward()
    assert x.grad is not None
    touched = x.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    assert touched[-1] - touched[0] + 1 == critic.receptive_field


@pytest.mark.parametrize("window", [1, 4, -1])
def test_an_impossible_window_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match="window: expected 0, or an odd number from 3"):
        HighPassCriticConfig(window)
