"""The models of one evaluation, loaded, each under a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from degrade.errors import UsageError
from srzoo.evaluate import BICUBIC, Method

if TYPE_CHECKING:
    from srzoo.evaluate import Figures
    from srzoo.upscale.upscaler import Upscaler

_TIMED = 128  # pixels on a side that a network is timed on


@dataclass(frozen=True)
class Contestant:
    """A method, and what it is in words; without an upscaler it is bicubic."""

    method: Method
    sentence: str = ""
    upscaler: Upscaler | None = None

    @property
    def parameters(self) -> int | None:
        if self.upscaler is None:
            return None
        return sum(weights.numel() for weights in self.upscaler.model.network.parameters())

    def cost(self, pixels: Any) -> Figures:
        """Seconds and megabytes (10^6) for a megapixel of result, on the middle of `pixels` (h, w, 3), in float32."""
        if self.upscaler is None:
            return {}
        from srzoo.metrics.cost import measure_cost
        from srzoo.tensors import to_tensor

        height, width = pixels.shape[:2]
        y, x = max(0, height - _TIMED) // 2, max(0, width - _TIMED) // 2
        device = self.upscaler.engine.device
        network = self.upscaler.model.network.to(device)
        cost = measure_cost(network, to_tensor(pixels[y : y + _TIMED, x : x + _TIMED]).to(device))
        network.to("cpu")
        memory = cost.bytes_per_megapixel
        figures = {"seconds": cost.seconds_per_megapixel}
        return figures if memory is None else figures | {"megabytes": memory / 1e6}


def contestants(
    texts: Sequence[str],
    scale: int | None,
    *,
    tile: int | None,
    device: str,
    threads: int | None,
    precision: Any,
) -> tuple[list[Contestant], int]:
    """Bicubic and every model of `[NAME=]MODEL`, and the scale they are compared at.

    Raises:
        UsageError: no such model, or models of different scales. One of scale 1 fits every scale.
    """
    from srzoo.upscale.resolve import resolve_model

    wanted = [named(text) for text in texts if text != BICUBIC] if texts else [("", None)]
    found = [(name, *resolve_model(model)) for name, model in wanted]
    there = [Contestant(Method(BICUBIC))]
    if not found:
        return there, scale or 4
    from srzoo.checkpoint import load_model
    from srzoo.upscale.upscaler import SMALLEST_TILE, Upscaler

    if tile is not None and 0 < tile < SMALLEST_TILE:
        raise UsageError(f"--tile {tile}", "too small", f"use 0, or {SMALLEST_TILE} and more")
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    models = [(name, path, sentence, load_model(path, scale=scale)) for name, path, sentence in found]
    chosen = scale or next((model.scale for *_, model in models if model.scale > 1), 1)
    for name, path, sentence, model in models:
        if model.scale not in (1, chosen):
            wrong = f"--scale {scale}" if scale else f"{found[0][1]}: x{chosen}"
            raise UsageError(wrong, f"{path} is a model of x{model.scale}", f"use --scale {model.scale}")
        upscaler = Upscaler(model, tile, device, precision)
        label = _unused(name or _short(path), path, there)
        method = Method(label, upscaler.image, keeps_size=model.scale == 1 and chosen > 1)  # type: ignore[reportArgumentType]  uint8 in, uint8 out
        there.append(Contestant(method, _described(sentence, model), upscaler))
    return there, chosen


def named(text: str) -> tuple[str, str]:
    """Name and path of `NAME=PATH`; no name where that is all a path."""
    name, equals, rest = text.partition("=")
    return (name, rest) if equals and "/" not in name and not Path(text).exists() else ("", text)


def _short(path: Path) -> str:
    return path.absolute().parent.name if path.stem == "generator" else path.stem


def _unused(label: str, path: Path, there: Sequence[Contestant]) -> str:
    taken = {one.method.name for one in there}
    if label not in taken:
        return label
    if str(path) in taken:
        raise UsageError(f"--model {path}", "given twice", "give it once, or under two names: --model NAME=MODEL")
    return str(path)


def _described(sentence: str, model: Any) -> str:
    parameters = sum(weights.numel() for weights in model.network.parameters())
    return f"{sentence.removeprefix('model ')}: {model.name} x{model.scale}, {parameters:,} parameters"
