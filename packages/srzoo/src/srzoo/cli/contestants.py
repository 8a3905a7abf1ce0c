"""The models of one evaluation, loaded, each under a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from degrade.errors import UsageError
from degrade.schema import nearest
from srzoo.cli.fusion import METHOD, Fusion, is_fusion, read_fusion
from srzoo.evaluate import BICUBIC, Method
from srzoo.upscale.fuse import fuse
from srzoo.upscale.resolve import SR_ROLES, resolve_model

if TYPE_CHECKING:
    from srzoo.checkpoint import Model
    from srzoo.cli.enlargers import Running
    from srzoo.evaluate import Figures
    from srzoo.upscale.upscaler import Upscaler

_TIMED = 128  # pixels on a side that a network is timed on


@dataclass(frozen=True)
class Contestant:
    """A method, what it is in words, and the networks that run for it: none for bicubic, two where two are fused."""

    method: Method
    sentence: str = ""
    upscalers: tuple[Upscaler, ...] = ()

    @property
    def parameters(self) -> int | None:
        if not self.upscalers:
            return None
        return sum(_parameters(upscaler.model) for upscaler in self.upscalers)

    def cost(self, pixels: Any) -> Figures:
        """Seconds and megabytes (10^6) for a megapixel of result, on the middle of `pixels` (h, w, 3), in float32.

        Of fused models that of a dark picture, for which all of them run.
        """
        if not self.upscalers:
            return {}
        from srzoo.metrics.cost import measure_cost
        from srzoo.tensors import to_tensor

        height, width = pixels.shape[:2]
        y, x = max(0, height - _TIMED) // 2, max(0, width - _TIMED) // 2
        device = self.upscalers[0].engine.device
        networks = [upscaler.model.network.to(device) for upscaler in self.upscalers]
        lr = to_tensor(pixels[y : y + _TIMED, x : x + _TIMED]).to(device)
        cost = measure_cost(lambda lr: [network(lr) for network in networks][-1], lr)
        for network in networks:
            network.to("cpu")
        memory = cost.bytes_per_megapixel
        figures = {"seconds": cost.seconds_per_megapixel}
        return figures if memory is None else figures | {"megabytes": memory / 1e6}


def contestants(
    texts: Sequence[str], scale: int | None, running: Running, *, resize: bool = False
) -> tuple[list[Contestant], int]:
    """Bicubic, every model of `[NAME=]MODEL`, those of `[NAME=]ren2020:A,B` last, and the scale they are compared at.

    Args:
        resize: a model of another scale than `scale` has its float output resized, as `srzoo upscale --scale` does.

    Raises:
        UsageError: no such model, or models of different scales. One of scale 1 fits every scale.
    """
    if resize and scale is None:
        raise UsageError("--resize", "to which scale?", "state it: --scale 1")
    wanted = [named(text) for text in texts if text != BICUBIC] if texts else [("", None)]
    fused = [(name, read_fusion("--model", text)) for name, text in wanted if text is not None and is_fusion(text)]
    found = [(name, *resolve_model(text)) for name, text in wanted if text is None or not is_fusion(text)]
    there, chosen = [Contestant(Method(BICUBIC))], scale or 4
    if found:
        chosen = _add_networks(there, found, scale, running, resize=resize)
    for name, fusion in fused:
        there.append(_fused(name or METHOD, fusion, there))
    return there, chosen


def _add_networks(
    there: list[Contestant],
    found: Sequence[tuple[str, Path, str]],
    scale: int | None,
    running: Running,
    *,
    resize: bool,
) -> int:
    """Load those of (name or "", file, sentence) after `there`; the scale of them all."""
    from srzoo.checkpoint import load_model

    models = [
        (name, path, sentence, load_model(path, scale=None if resize else scale)) for name, path, sentence in found
    ]
    chosen = scale or next((model.scale for *_, model in models if model.scale > 1), 1)
    for name, path, sentence, model in models:
        if model.scale not in (1, chosen) and not resize:
            wrong = f"--scale {scale}" if scale else f"{found[0][1]}: x{chosen}"
            raise UsageError(wrong, f"{path} is a model of x{model.scale}", f"use --scale {model.scale}, or --resize")
        upscaler = running.upscaler(model)
        label = _unused(name or _short(path), path, there)
        keeps_size = model.scale == 1 and chosen > 1
        factor = None if keeps_size else chosen
        method = Method(label, partial(upscaler.image, scale=factor), keeps_size=keeps_size)  # type: ignore[reportArgumentType]  uint8 in, uint8 out
        there.append(Contestant(method, _described(sentence, model), (upscaler,)))
    return chosen


def _fused(label: str, fusion: Fusion, there: Sequence[Contestant]) -> Contestant:
    """Fuses what two of `there` made: neither runs again."""
    by_name = {one.method.name: one for one in there}
    subject = f"--model {label}={METHOD}:{','.join(fusion.parts)}"
    if label in by_name:
        raise UsageError(subject, "the name is taken", f"give it another: NAME={METHOD}:...")
    if len(fusion.parts) != 2:
        raise UsageError(subject, f"fuses two models, not {len(fusion.parts)}", f"{label}={METHOD}:R,S")
    for part in fusion.parts:
        if part not in by_name:
            raise UsageError(subject, f"'{part}' is no model of this comparison", nearest(part, by_name))
    numbers = {"alpha": fusion.alpha, "beta": fusion.beta, "gamma": fusion.gamma}
    method = Method(label, partial(fuse, **numbers), parts=fusion.parts)  # type: ignore[reportArgumentType]  likewise
    upscalers = tuple(upscaler for part in fusion.parts for upscaler in by_name[part].upscalers)
    return Contestant(method, f"{METHOD}, {fusion.formula(*fusion.parts)}", upscalers)


def named(text: str) -> tuple[str, str]:
    """Name and path of `NAME=PATH`; no name where that is all a path, or all says what to fuse."""
    if is_fusion(text):
        return "", text
    name, equals, rest = text.partition("=")
    return (name, rest) if equals and "/" not in name and not Path(text).exists() else ("", text)


def _short(path: Path) -> str:
    return path.absolute().parent.name if path.stem in SR_ROLES else path.stem


def _unused(label: str, path: Path, there: Sequence[Contestant]) -> str:
    taken = {one.method.name for one in there}
    if label not in taken:
        return label
    if str(path) in taken:
        raise UsageError(f"--model {path}", "given twice", "give it once, or under two names: --model NAME=MODEL")
    return str(path)


def _described(sentence: str, model: Model) -> str:
    return f"{sentence.removeprefix('model ')}: {model.name} x{model.scale}, {_parameters(model):,} parameters"


def _parameters(model: Model) -> int:
    return sum(weights.numel() for weights in model.network.parameters())
