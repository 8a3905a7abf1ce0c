"""Public checkpoints by their keys: which network they are of, how their keys are called here, how large it is.

Key names as the repositories' own code has them; nothing is loaded in part. A layout with parts that our networks lack
(ESRGAN+, RCAN without mean shifts) is left to spandrel.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from srzoo.checkpoint.foreign.files import without_prefix
from srzoo.checkpoint.foreign.renames import (
    LORNATANG_HEAD,
    MID_ESRGAN,
    Renames,
    Tensors,
    basicsr_edsr,
    basicsr_rcan,
    old_esrgan,
    renamed,
)
from srzoo.checkpoint.foreign.sizes import config_of
from srzoo.errors import ModelFileError
from srzoo.networks.layers import MeanShift

_DEFAULT_SCALE = 4
_PREFIXES = ("model.", "generator.", "netG.", "net_g.")


@dataclass(frozen=True)
class Layout:
    """One way to name the weights of `network`.

    Attributes:
        has: keys by which it is told from all others.
        lacks: parts of keys that it does not have.
        renames: to our keys; a function where it depends on how many blocks there are.
    """

    name: str
    network: str
    has: tuple[str, ...]
    renames: Renames | Callable[[Tensors], Renames] = ()
    lacks: tuple[str, ...] = ()

    def fits(self, tensors: Tensors) -> bool:
        return all(key in tensors for key in self.has) and not any(
            part in key for part in self.lacks for key in tensors
        )


@dataclass(frozen=True)
class Recognised:
    """A checkpoint in our words: `config` and `tensors` of `network`."""

    layout: str
    network: str
    config: Any
    tensors: dict[str, Tensor]


def recognise(path: Path, tensors: Tensors, scale: int | None = None) -> Recognised | None:
    """What `tensors` are, or None: none of the layouts here.

    Args:
        scale: of weights that serve every scale; None: from the file's name (`vdsr_x3.pth`), else 4.

    Raises:
        ModelFileError: a known layout that is refused.
    """
    for candidate in (tensors, *(without_prefix(tensors, prefix) for prefix in _PREFIXES)):
        for key, (problem, cure) in _REFUSED.items():
            if key in candidate:
                raise ModelFileError(path, problem, cure)
        for layout in LAYOUTS:
            if layout.fits(candidate):
                found = _translated(layout, candidate, scale or _scale_in(path.name))
                if found is not None:
                    return found
    return None


def _translated(layout: Layout, tensors: Tensors, scale: int) -> Recognised | None:
    rules = layout.renames(tensors) if callable(layout.renames) else layout.renames
    ours = {renamed(key, rules): value for key, value in tensors.items()}
    config = config_of(layout.network, ours, scale)
    if config is None:
        return None
    return Recognised(layout.name, layout.network, config, ours | _missing(layout.network, ours))


def _missing(network: str, ours: Tensors) -> dict[str, Tensor]:
    """What a layout leaves out because it never changes: fixed mean shifts, counters of batch normalisation."""
    added: dict[str, Tensor] = {}
    if network in {"rcan", "edsr"} and "sub_mean.weight" not in ours:
        for name, sign in (("sub_mean", -1), ("add_mean", 1)):
            added.update({f"{name}.{key}": value for key, value in MeanShift(sign).state_dict().items()})
    counters = (key.replace("running_mean", "num_batches_tracked") for key in ours if key.endswith("running_mean"))
    added.update({key: torch.tensor(0) for key in counters if key not in ours})
    return added


def _scale_in(name: str) -> int:
    match = re.search(r"(?:^|[^a-z0-9])(?:x([234])|([234])x)(?![a-z0-9])", name.lower())
    return int(match[1] or match[2]) if match else _DEFAULT_SCALE


LAYOUTS: tuple[Layout, ...] = (
    Layout("ESRGAN, old", "rrdb", ("model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight"), old_esrgan, ("conv1x1",)),
    Layout("ESRGAN", "rrdb", ("conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight"), MID_ESRGAN, ("conv1x1",)),
    Layout("BasicSR RRDBNet", "rrdb", ("conv_first.weight", "body.0.rdb1.conv1.weight"), lacks=("conv1x1",)),
    Layout("RCAN", "rcan", ("sub_mean.weight", "head.0.weight", "body.0.body.0.body.3.conv_du.0.weight")),
    Layout("BasicSR RCAN", "rcan", ("conv_first.weight", "body.0.residual_group.0.rcab.0.weight"), basicsr_rcan),
    Layout("SRVGGNetCompact", "compact", ("body.0.weight", "body.1.weight", "body.2.weight"), lacks=("head", "tail")),
    Layout("EDSR", "edsr", ("head.0.weight", "body.0.body.0.weight", "tail.1.weight"), lacks=("conv_du",)),
    Layout(
        "BasicSR EDSR", "edsr", ("conv_first.weight", "body.0.conv1.weight", "conv_after_body.weight"), basicsr_edsr
    ),
    Layout("SRGAN-PyTorch, 2021", "srresnet", ("conv1.0.weight", "trunk.0.conv1.weight", "conv3.weight")),
    Layout("SRGAN-PyTorch", "srresnet", ("conv1.0.weight", "trunk.0.rcb.0.weight", "conv3.weight"), LORNATANG_HEAD),
    Layout("pytorch-vdsr", "vdsr", ("input.weight", "residual_layer.0.conv.weight", "output.weight")),
    Layout("SRCNN-pytorch", "srcnn", ("conv1.weight", "conv2.weight", "conv3.weight"), lacks=("conv4", "conv_", ".1.")),
    Layout("PLKSR", "plksr", ("feats.0.weight", "feats.1.channe_mixer.0.weight", "feats.1.lk.conv.weight")),
)

# A key that gives a layout away -> what is wrong with it, and the cure.
_REFUSED: dict[str, tuple[str, str]] = {
    "block8.0.weight": (
        "SRGAN of leftthomas: five blocks and an output by tanh, another network than the paper's",
        "give SRResNet weights of Lornatang's SRGAN-PyTorch",
    ),
}
