"""KernelGAN: the blur kernel of a single photograph, from how its patches recur at half the size. Own small loop.

`estimate` trains a deep linear `generator` against a `critic` on `crops` of the photograph, by the terms in `losses`;
`kernel` makes a blur of its taps, `pool` a file of kernels that recipes draw from.

Source: Bell-Kligler et al. 2019, "Blind super-resolution kernel estimation using an internal-GAN", NeurIPS.
"""

from srzoo.kernelgan.estimate import STEPS, estimate
from srzoo.kernelgan.kernel import finished
from srzoo.kernelgan.picture import kernel_sheet
from srzoo.kernelgan.pool import KernelPool, PhotoKernel, Settings, add_kernel, find_photos

__all__ = [
    "STEPS", "KernelPool", "PhotoKernel", "Settings",
    "add_kernel", "estimate", "find_photos", "finished", "kernel_sheet",
]  # fmt: skip
