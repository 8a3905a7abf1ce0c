"""What enlarges, as the options say it: a network, two that are fused, or bicubic interpolation; and how it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from degrade.errors import UsageError
from srzoo.cli.fusion import Fusion
from srzoo.upscale.bicubic import BICUBIC, BicubicUpscaler
from srzoo.upscale.resolve import resolve_model

if TYPE_CHECKING:
    from srzoo.checkpoint import Model
    from srzoo.upscale.engine import Precision
    from srzoo.upscale.enlarger import Enlarger
    from srzoo.upscale.upscaler import Upscaler


@dataclass(frozen=True)
class Running:
    """How networks run; the fields are the options of that name."""

    tile: int | None = None
    overlap: int | None = None
    device: str = "auto"
    threads: int | None = None
    precision: Precision = "auto"

    def upscaler(self, model: Model) -> Upscaler:
        """`model`, ready to run; sets torch's threads.

        Raises:
            UsageError: tiles too small, or no such device.
        """
        from srzoo.upscale.upscaler import SMALLEST_TILE, Upscaler

        if self.tile is not None and 0 < self.tile < SMALLEST_TILE:
            raise UsageError(f"--tile {self.tile}", "too small", f"use 0, or {SMALLEST_TILE} and more")
        if self.threads is not None:
            import torch

            torch.set_num_threads(self.threads)
        return Upscaler(model, self.tile, self.device, self.precision, overlap=self.overlap)


def open_enlarger(names: Sequence[str], fusion: Fusion | None, running: Running) -> tuple[Enlarger, list[str]]:
    """What `names` (of models, or `bicubic`; none: the default) mean, and a line for each that says what it is.

    Raises:
        UsageError: no such model, or not as many as there must be: two of one scale with `fusion`, else one.
    """
    if fusion is None and len(names) > 1:
        raise UsageError("srzoo upscale", f"{len(names)} --model", "give one, or fuse two with --fuse ren2020")
    if fusion is not None and len(names) != 2:
        problem = f"needs two --model, the relativistic GAN first, but {len(names)} given"
        raise UsageError("--fuse ren2020", problem, "--model R --model S")
    found = [None if name == BICUBIC else resolve_model(name) for name in names or [None]]
    opened = [_opened(one, running) for one in found]
    if fusion is None:
        return opened[0][0], [opened[0][1]]
    (first, about_first), (second, about_second) = opened
    if first.scale != second.scale:
        problem = f"{names[0]} is of x{first.scale}, {names[1]} of x{second.scale}"
        raise UsageError("--fuse ren2020", problem, "give two models of one scale")
    from srzoo.upscale.fuse import FusedUpscaler

    both = FusedUpscaler(first, second, alpha=fusion.alpha, beta=fusion.beta, gamma=fusion.gamma)
    return both, [f"first {about_first}", f"second {about_second}", f"fused as {fusion.formula('first', 'second')}"]


def _opened(found: tuple[Path, str] | None, running: Running) -> tuple[Enlarger, str]:
    if found is None:
        return BicubicUpscaler(), "model bicubic: MATLAB's imresize, no network"
    from srzoo.checkpoint import load_model

    path, sentence = found
    model = load_model(path)
    upscaler = running.upscaler(model)
    parameters = sum(weights.numel() for weights in model.network.parameters())
    said = f"{sentence}: {model.name} x{model.scale}, {parameters:,} parameters, on {upscaler.engine.device}"
    return upscaler, said
