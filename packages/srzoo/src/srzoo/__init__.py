"""A zoo of super-resolution networks: trained from shards, judged by the papers' rules, run on your photographs.

The tour, from the bottom up:

    networks, discriminators    one complete file per network: config, blocks, source, parameter count
    losses, metrics, features   what training minimises, what papers report, the frozen trunks both look through
    data                        pairs from degrade's shards: which pair, crop and turn follow from (seed, sample)
    objectives                  what a stage minimises; yields losses, never steps
    preset, presets/*.toml      a run as data: networks, losses, optimisers, stages
    trainer                     the one loop: steps, validates, saves, goes on to the same bits
    checkpoint                  model files, and the state to go on from
    upscale, evaluate, report   a network at work on a photograph, over a test set, on a page
    cli                         `srzoo train | upscale | evaluate | report`

From Python:

    import srzoo
    srzoo.train(srzoo.load_preset("demo"), srzoo.RunOptions(shards=(Path("shards"),), out=Path("runs/demo")))
    model = srzoo.load_model(Path("runs/demo/generator.safetensors"))
    large = srzoo.Upscaler(model).image(pixels)

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srzoo.checkpoint import Model, load_model, save_model
    from srzoo.preset import load_preset, preset_names
    from srzoo.trainer import RunOptions, train
    from srzoo.upscale.upscaler import Upscaler

__version__ = "0.1.0"

_HOMES = {
    "Model": "srzoo.checkpoint",
    "RunOptions": "srzoo.trainer",
    "Upscaler": "srzoo.upscale.upscaler",
    "load_model": "srzoo.checkpoint",
    "load_preset": "srzoo.preset",
    "preset_names": "srzoo.preset",
    "save_model": "srzoo.checkpoint",
    "train": "srzoo.trainer",
}

__all__ = [
    "Model",
    "RunOptions",
    "Upscaler",
    "__version__",
    "load_model",
    "load_preset",
    "preset_names",
    "save_model",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'srzoo' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
