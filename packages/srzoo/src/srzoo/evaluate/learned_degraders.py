"""Networks that make LR, from a model file or an exported one, run on whole pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from degrade.card import ReferenceInput
from degrade.functional.resample import imresize_uint8
from degrade.image import Pixels, window
from srzoo.checkpoint import load_degrader
from srzoo.data import noise_beside
from srzoo.degraders.layers import ExtraInput, LumaOnly
from srzoo.errors import ModelFileError
from srzoo.evaluate.scenes import Degrader, Scene
from srzoo.export import load_exported
from srzoo.tensors import to_pixels, to_tensor

EXPORTED = ".pt"


@dataclass(frozen=True)
class LearnedDegrader:
    """A network that makes LR; `what` says it in words, the rest is as on its card."""

    path: Path
    what: str
    network: Callable[..., Tensor]
    scale: int
    multiple: int
    inputs: Sequence[ExtraInput]
    device: torch.device

    def at(self, scale: int, name: str) -> Degrader:
        """Makes LR at 1/`scale`: of HR, or of bicubic LR if it keeps the size and `scale` is above 1.

        Whole pictures go in at once. One of luma keeps chroma. Noise is that of the scene's key; an example is the
        scene's, mirrored at its edges where it is too small.

        Raises:
            ValueError: it makes LR of another scale.
        """
        if self.scale not in (1, scale):
            raise ValueError(f"expected a scale of 1 or {scale}, got {self.scale}")
        restyles = self.scale < scale
        what = f"{self.what}, from bicubic LR" if restyles else self.what
        multiple = self.multiple * scale if restyles else self.multiple
        return Degrader(name, what, partial(self._made, restyles=restyles), multiple)

    def _made(self, scene: Scene, *, restyles: bool) -> Pixels:
        start = imresize_uint8(scene.hr, *scene.real.shape[:2]) if restyles else scene.hr
        with torch.inference_mode():
            picture = to_tensor(start).to(self.device)
            given = [self._extra(one, number, scene, picture) for number, one in enumerate(self.inputs)]
            lr = self.network(picture, *given).float().cpu()
        if not torch.isfinite(lr).all():
            raise ModelFileError(self.path, f"gives values that are not finite on {scene.name}", "train it again")
        return to_pixels(lr)  # type: ignore[reportReturnType]  8 bits

    def _extra(self, one: ExtraInput, number: int, scene: Scene, picture: Tensor) -> Tensor:
        """What the network takes as its input `number` after the picture."""
        if isinstance(one, ReferenceInput):
            height, width = (side // self.scale for side in picture.shape[2:])
            return to_tensor(window(scene.example, 0, 0, height, width)).to(self.device)
        return noise_beside(picture, (one,), (scene.key + number,))[0]


def load_learned(path: Path, device: torch.device) -> LearnedDegrader:
    """The degrader in `path`, a model file or (`.pt`) an exported one.

    Raises:
        ModelFileError, IntegrityError: no degrader, or damaged.
        UnsafeFileError: an exported file that the gate refuses or that is not trusted.
    """
    if path.suffix == EXPORTED:
        card, module = load_exported(path, device)
        what = f"{card.name} ({card.system}), {path}"
        return LearnedDegrader(path, what, module, card.scale, card.multiple, card.inputs, device)
    model = load_degrader(path)
    bare: Any = model.network
    network: nn.Module = LumaOnly(bare) if bare.colour == "y" else bare
    what = f"{model.name} x{model.scale}, {sum(weights.numel() for weights in bare.parameters()):,} parameters, {path}"
    return LearnedDegrader(path, what, network.eval().to(device), model.scale, bare.multiple, bare.inputs, device)
