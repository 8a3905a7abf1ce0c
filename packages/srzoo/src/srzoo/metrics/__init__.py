"""How close a picture is to the truth: a function per idea; `protocol.py` says what exactly is compared.

`psnr`, `flat_noise`, `ssim` and its odd relatives take two planes, `niqe` one, `lpips` and `color_shift` 8-bit
pictures; `cost` weighs a network, `opinion` what people say. No torch but where `lpips` and `cost` are called.
"""

from collections.abc import Callable

from srzoo.metrics.ssim import ssim, ssim_skimage_float2
from srzoo.metrics.ssim_daala import ssim_daala

# All of (image, reference, peak=). The first is SSIM; the others reproduce tables of papers that took another one.
SSIM_FORMS: dict[str, Callable[..., float]] = {
    "gaussian": ssim,
    "skimage_float2": ssim_skimage_float2,
    "daala": ssim_daala,
}
