"""Networks that make LR: one complete file each, no shared base.

`forward(image, *extra)`: HR (B, 3, H, W), or at scale 1 a picture to restyle, RGB in [0, 1], to LR (B, 3, H/scale,
W/scale), float32, about [0, 1]. Everything random comes in as a tensor. Each has `config` and what its card says:

- `scale`, and `multiple`: of which height, width and the places where tiles begin are multiples;
- `receptive_field`: HR pixels around an LR pixel's own that can change it, those of a reference counted at HR size, or
  "whole" where a norm sees the whole picture;
- `inputs`: what `forward` takes after `image`, in order: `NoiseInput`, `ReferenceInput`;
- `colour`: "rgb", or "y" where it takes and gives luma (B, 1, H, W), MATLAB's; `LumaOnly` then makes it take RGB.

All can be scripted by torch.jit for any size.
"""

from typing import Any

from torch import nn

from srzoo.degraders.basis_kernels import BasisKernels, BasisKernelsConfig
from srzoo.degraders.cycle_generator import CycleGenerator, CycleGeneratorConfig
from srzoo.degraders.direct_kpn import DirectKPN, DirectKPNConfig
from srzoo.degraders.direct_net import DirectNet, DirectNetConfig
from srzoo.degraders.dsgan import DSGAN, DSGANConfig
from srzoo.degraders.dual_input import DualInput, DualInputConfig
from srzoo.degraders.h2l import H2L, H2LConfig

DEGRADERS: dict[str, tuple[type[Any], type[nn.Module]]] = {
    "basis_kernels": (BasisKernelsConfig, BasisKernels),
    "cycle_generator": (CycleGeneratorConfig, CycleGenerator),
    "direct_kpn": (DirectKPNConfig, DirectKPN),
    "direct_net": (DirectNetConfig, DirectNet),
    "dsgan": (DSGANConfig, DSGAN),
    "dual_input": (DualInputConfig, DualInput),
    "h2l": (H2LConfig, H2L),
}
