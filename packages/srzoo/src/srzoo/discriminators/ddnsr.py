"""DDNSR's critics of LR and HR patches: VGG-like chains whose width doubles at every stage."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from srzoo.discriminators.layers import Norm, check_norm, norm_layer

_SIDE = 4  # of the last feature map
_HIDDEN = 100
_SLOPE = 0.2


@dataclass(frozen=True)
class DDNSRCriticConfig:
    """LR: `patch` 32, `features` 128. HR of track 1: 128 and 64. (HR of track 2 is a `patch` critic.)

    Attributes:
        patch: side of the patches, 4 times a power of two.
        norm: `keras` as the paper says, `keras_frozen` as its code does: the training step never tells the critics
            that they train, so their batch norm keeps its initial statistics.
    """

    patch: int = 32
    features: int = 128
    norm: Norm = "keras"

    def __post_init__(self) -> None:
        check_norm(self.norm)
        if self.patch < 2 * _SIDE or (self.patch // _SIDE).bit_count() != 1 or self.patch % _SIDE:
            raise ValueError(f"patch: expected 4 times a power of two (32, 128), got {self.patch}")
        if self.features < 1:
            raise ValueError(f"features: expected at least 1, got {self.features}")


class DDNSRCritic(nn.Module):
    """Patches (B, 3, p, p), RGB, [0, 1], to logits (B, 1); large where the patch looks real.

    Each stage: a 3x3 convolution, then a 4x4 one of stride 2, norms after all but the first. Twice the width at every
    stage without a cap, unlike ESRGAN's critic. LR 7,805,897 parameters, HR 30,262,857.

    Source: "DDNSR, a dual-input degradation network for real-world super-resolution", and its code. Departs from it:
    features are flattened channel by channel, torch's order.
    """

    def __init__(self, config: DDNSRCriticConfig) -> None:
        super().__init__()
        self.config = config
        self.receptive_field: int | None = config.patch
        layers: list[nn.Module] = []
        inputs, width = 3, config.features
        for stage in range((config.patch // _SIDE).bit_length() - 1):
            width = config.features << stage
            if stage == 0:
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.LeakyReLU(_SLOPE)]
            else:
                layers += _normed(nn.Conv2d(inputs, width, 3, padding=1, bias=False), config.norm)
            layers += _normed(nn.Conv2d(width, width, 4, stride=2, padding=1, bias=False), config.norm)
            inputs = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(width * _SIDE**2, _HIDDEN), nn.LeakyReLU(_SLOPE), nn.Linear(_HIDDEN, 1)
        )

    def forward(self, patches: Tensor) -> Tensor:
        side = self.config.patch
        if tuple(patches.shape[1:]) != (3, side, side):
            raise ValueError(f"expected patches (B, 3, {side}, {side}), got {tuple(patches.shape)}")
        return self.classifier(self.features(patches))


def _normed(convolution: nn.Conv2d, norm: Norm) -> list[nn.Module]:
    return [convolution, norm_layer(norm, convolution.out_channels), nn.LeakyReLU(_SLOPE)]
