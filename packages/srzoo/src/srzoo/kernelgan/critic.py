"""KernelGAN's critic: does a 7 x 7 patch belong to the photograph?"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PATCH = 7
FEATURES = 64
HIDDEN = 5  # layers of 1 x 1 between the first and the last


class LinearPatchCritic(nn.Module):
    """Pictures (B, 3, H, W), [-1, 1], to chances (B, 1, H - 6, W - 6), [0, 1], that the patch around is real.

    A 7 x 7 convolution without activation; five times 1 x 1, batch norm, ReLU; 1 x 1, sigmoid. 30,593 parameters. The
    matrix of every convolution has a largest singular value of about 1: one power iteration a forward pass.

    Source: Bell-Kligler et al. 2019, section 3.2 and figure 3, and the released code. Departs from it: convolutions
    before a norm have no bias (the norm takes it away), and real and fake pictures may come as one batch: each is
    normalised by itself, as in the code, where a batch is one picture, but they share a power iteration.
    """

    first_left: Tensor
    hidden_left: Tensor

    def __init__(self, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.empty(1, FEATURES, 3 * PATCH * PATCH))
        self.hidden = nn.Parameter(torch.empty(HIDDEN, FEATURES, FEATURES))
        self.last = nn.Parameter(torch.empty(1, FEATURES))
        for weight in (self.first, self.hidden, self.last):
            bound = weight.shape[-1] ** -0.5  # torch's own start of a convolution
            nn.init.uniform_(weight, -bound, bound, generator=generator)
        self.last_offset = nn.Parameter(torch.zeros(1))
        self.gain = nn.Parameter(torch.empty(HIDDEN, FEATURES, 1).normal_(1.0, 0.02, generator=generator))
        self.offset = nn.Parameter(torch.zeros(HIDDEN, FEATURES, 1))
        for name, count in (("first_left", 1), ("hidden_left", HIDDEN)):
            start = torch.empty(count, FEATURES, 1).normal_(generator=generator)
            self.register_buffer(name, F.normalize(start, dim=1))

    def forward(self, pictures: Tensor) -> Tensor:
        batch, (height, width) = len(pictures), (side - PATCH + 1 for side in pictures.shape[2:])
        patches = F.unfold(pictures, PATCH).movedim(1, 0).flatten(1)  # (147, B * places)
        x = _spectrally_normalised(self.first, self.first_left)[0] @ patches
        hidden = _spectrally_normalised(self.hidden, self.hidden_left)
        for weight, gain, offset in zip(hidden, self.gain, self.offset, strict=True):
            x = _batch_norm(weight @ x, gain, offset, batch).relu_()
        logits = F.normalize(self.last, dim=1) @ x + self.last_offset  # a row's only singular value is its length
        return torch.sigmoid(logits).view(batch, 1, height, width)


def _batch_norm(x: Tensor, gain: Tensor, offset: Tensor, batch: int) -> Tensor:
    """`x` (channels, batch * places): mean and variance of each channel of each picture to `offset` and `gain`^2."""
    apart = x.view(1, len(x) * batch, -1)  # pictures as further channels
    gains, offsets = (value.expand(-1, batch).flatten() for value in (gain, offset))
    return F.batch_norm(apart, None, None, gains, offsets, training=True).view_as(x)


def _spectrally_normalised(matrices: Tensor, left: Tensor) -> Tensor:
    """`matrices` (N, outputs, inputs), each over its largest singular value, whose vector `left` moves to.

    `left` is (N, outputs, 1), of length 1.

    Source: Miyato et al. 2018, "Spectral normalization", algorithm 1.
    """
    with torch.no_grad():
        right = F.normalize(matrices.mT @ left, dim=1)
        left.copy_(F.normalize(matrices @ right, dim=1))
        now = left.clone()  # a second forward pass before the backward one must not change what this one saved
    return matrices / (now.mT @ matrices @ right)
