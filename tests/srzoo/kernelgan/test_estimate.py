from pathlib import Path

import numpy as np
import pytest
import torch

from degrade import codecs
from degrade.functional.convolve import correlate
from degrade.functional.kernels import Kernel, gaussian_kernel
from degrade.image import Pixels, to_float, to_pixels
from srzoo.kernelgan import estimate, finished
from srzoo.kernelgan.losses import bicubic_kernel

NOISE = np.random.default_rng(0).integers(0, 256, (70, 83, 3), np.uint8)


@pytest.fixture(autouse=True)
def _threads_as_before():
    before = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == before


def test_the_same_seed_gives_the_same_bits_whatever_torch_drew_before() -> None:
    first = estimate(NOISE, steps=3)
    torch.rand(7)
    assert np.array_equal(first, estimate(NOISE, steps=3))
    assert not np.array_equal(first, estimate(NOISE, steps=3, seed=1))
    assert first.shape == (13, 13)
    assert first.dtype == np.float32


def test_every_step_is_told_and_the_global_random_state_is_left_alone() -> None:
    told, before = [], torch.random.get_rng_state()
    estimate(NOISE[..., :1], steps=4, advance=lambda: told.append(1))
    assert len(told) == 4
    assert torch.equal(torch.random.get_rng_state(), before)


def test_photos_without_crops_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 66 pixels, got 60 x 82"):
        estimate(NOISE[:60], steps=1)


@pytest.mark.slow
@pytest.mark.parametrize("planted", [(1.6, 1.6, 0.0), (2.5, 1.0, 0.7)])
def test_planted_gaussians_are_found_better_than_a_fixed_bicubic_kernel(
    sr_data: Path, planted: tuple[float, float, float]
) -> None:
    """Kernel PSNR: peak the planted kernel's largest tap, mean over 17 x 17, centres of mass together."""
    photos = sorted((sr_data / "hr_train").glob("div2k_*"))[:1]
    if not photos:
        pytest.skip("needs photographs: SR_DATA/hr_train")
    hr = codecs.rgb8(codecs.read(photos[0]))
    found = finished(estimate(_shrunk(hr, gaussian_kernel(33, *planted))), align="block")
    truth = gaussian_kernel(17, *planted, at=(0.5, 0.5))[:17, :17]
    bicubic = np.pad(bicubic_kernel().double().numpy(), 2)
    assert _kernel_psnr(found, truth) > _kernel_psnr(bicubic, truth) + 3


def _shrunk(photo: Pixels, kernel: Kernel) -> Pixels:
    return to_pixels(np.ascontiguousarray(correlate(to_float(photo), kernel)[::2, ::2]))


def _kernel_psnr(found: np.ndarray, truth: np.ndarray) -> float:
    return float(10 * np.log10(truth.max() ** 2 / np.mean((found - truth) ** 2)))
