"""How large a network is, from the shapes of its weights under our keys; None where ours cannot be like that."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from srzoo.checkpoint.foreign.renames import Tensors, count
from srzoo.networks.compact import CompactConfig
from srzoo.networks.edsr import EDSRConfig
from srzoo.networks.plksr import PLKSRConfig
from srzoo.networks.rcan import RCANConfig
from srzoo.networks.rrdb import RRDBConfig
from srzoo.networks.srcnn import SRCNNConfig
from srzoo.networks.srresnet import SRResNetConfig
from srzoo.networks.vdsr import VDSRConfig

_WIDE = 256  # features from which on EDSR was trained with a residual scale of 0.1


def _rrdb(tensors: Tensors, scale: int) -> RRDBConfig | None:
    features, channels = tensors["conv_first.weight"].shape[:2]
    unshuffle = math.isqrt(channels // 3)
    scale = 2 ** sum(key.startswith("conv_up") for key in tensors if key.endswith("weight")) // unshuffle
    sizes: dict[str, Any] = {
        "scale": scale,
        "blocks": count(tensors, r"body\.(\d+)\."),
        "features": features,
        "growth": tensors["body.0.rdb1.conv1.weight"].shape[0],
    }
    published = RRDBConfig(**sizes)
    return published if published.shrinking == unshuffle else RRDBConfig(**sizes, unshuffle=unshuffle)  # type: ignore[reportArgumentType]  checked by it


def _rcan(tensors: Tensors, scale: int) -> RCANConfig:
    narrow, features = tensors["body.0.body.0.body.3.conv_du.0.weight"].shape[:2]
    return RCANConfig(
        scale=_shuffled(tensors),
        groups=count(tensors, r"body\.(\d+)\.body\.0\.body\."),
        blocks=count(tensors, r"body\.0\.body\.(\d+)\.body\."),
        features=features,
        reduction=features // narrow,
    )


def _edsr(tensors: Tensors, scale: int) -> EDSRConfig:
    features = tensors["head.0.weight"].shape[0]
    blocks = count(tensors, r"body\.(\d+)\.body\.")
    return EDSRConfig(_shuffled(tensors), blocks, features, 0.1 if features >= _WIDE else 1.0)


def _compact(tensors: Tensors, scale: int) -> CompactConfig | None:
    last = max(int(key.split(".")[1]) for key in tensors if key.startswith("body."))
    if tensors["body.1.weight"].ndim != 1 or tensors["body.0.weight"].shape[1] != 3:
        return None  # not PReLU, or not RGB
    outputs, features = tensors[f"body.{last}.weight"].shape[:2]
    return CompactConfig(math.isqrt(outputs // 3), (last - 2) // 2, features)  # type: ignore[reportArgumentType]  checked by it


def _srresnet(tensors: Tensors, scale: int) -> SRResNetConfig:
    steps = [tensors[key].shape for key in tensors if re.fullmatch(r"upsampling\.\d\.conv\.weight", key)]
    return SRResNetConfig(
        scale=math.prod(math.isqrt(shape[0] // shape[1]) for shape in steps),  # type: ignore[reportArgumentType]  checked by it
        blocks=count(tensors, r"trunk\.(\d+)\."),
        features=tensors["conv3.weight"].shape[1],
        bias="trunk.0.conv1.bias" in tensors,
    )


def _vdsr(tensors: Tensors, scale: int) -> VDSRConfig:
    features, channels = tensors["input.weight"].shape[:2]
    convs = count(tensors, r"residual_layer\.(\d+)\.") + 2
    return VDSRConfig(scale, convs, features, channels, bias="input.bias" in tensors)  # type: ignore[reportArgumentType]  checked by it


def _srcnn(tensors: Tensors, scale: int) -> SRCNNConfig:
    shapes = [tensors[f"conv{number}.weight"].shape for number in (1, 2, 3)]
    kernels, features = tuple(shape[2] for shape in shapes), tuple(shape[0] for shape in shapes[:2])
    return SRCNNConfig(scale, kernels, features, shapes[0][1])  # type: ignore[reportArgumentType]  checked by it


def _plksr(tensors: Tensors, scale: int) -> PLKSRConfig:
    last = max(int(key.split(".")[1]) for key in tensors)
    partial, _, kernel, _ = tensors["feats.1.lk.conv.weight"].shape
    mixer = tuple(tensors[f"feats.1.channe_mixer.{place}.weight"].shape[2] for place in (0, 2))
    outputs, features = tensors[f"feats.{last}.weight"].shape[:2]
    return PLKSRConfig(
        scale=math.isqrt(outputs // 3),  # type: ignore[reportArgumentType]  checked by it
        blocks=last - 1,
        features=features,
        kernel=kernel,
        partial=partial,
        mixer={(3, 1): "CCM", (1, 3): "ICCM", (3, 3): "DCCM"}[mixer],  # type: ignore[reportArgumentType]  one of them
        attention="feats.1.attn.f.0.weight" in tensors,
    )


def _shuffled(tensors: Tensors) -> Any:
    """The scale that the convolutions before the pixel shuffles come to."""
    steps = [tensors[key].shape for key in tensors if re.fullmatch(r"tail\.0\.\d\.weight", key)]
    return math.prod(math.isqrt(shape[0] // shape[1]) for shape in steps)


_Sizes = Callable[[Tensors, int], Any]
_BY_NETWORK: dict[str, _Sizes] = {
    "compact": _compact,
    "edsr": _edsr,
    "plksr": _plksr,
    "rcan": _rcan,
    "rrdb": _rrdb,
    "srcnn": _srcnn,
    "srresnet": _srresnet,
    "vdsr": _vdsr,
}


def config_of(network: str, tensors: Tensors, scale: int) -> Any:
    """The config of `network` whose weights `tensors` are, or None: no network of ours has such shapes.

    Args:
        scale: of weights that serve every scale.
    """
    try:
        return _BY_NETWORK[network](tensors, scale)
    except (ValueError, KeyError, IndexError, ZeroDivisionError):
        return None
