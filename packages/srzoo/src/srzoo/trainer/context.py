"""What all parts of a run share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from srzoo.preset import Preset
from srzoo.trainer.journal import Journal
from srzoo.trainer.material import Material
from srzoo.trainer.ranks import Ranks
from srzoo.trainer.stopping import StopRequest
from srzoo.trainer.watcher import Watcher


@dataclass(frozen=True)
class RunOptions:
    """Where a run reads and writes, and on what it runs; the preset says all the rest.

    Attributes:
        shards: folders of shards, each with `:weight` if it likes; several are taken together. Empty: those of the
            preset, else `./shards`.
        validate: folders whose pairs validate; empty: those of the preset, else a part of `shards` is held out.
        real_lr: photographs or shards of a real camera's LR without HR; empty: those of the preset.
        out: the run folder; an unfinished run in it is gone on with.
        workers: threads that make batches ahead; 0 makes them in the training thread.
        vgg_weights: file of VGG19 weights; None looks in timm's cache.
        compile: run the networks through torch.compile: slow to start, other rounding, often faster on a GPU.
        deterministic: ask for algorithms that repeat to the bit on a GPU, too.
        override: go on even though settings or shards have changed.
        overwrite: start over; what the earlier run left in `out` is removed.
    """

    shards: tuple[Path, ...]
    out: Path
    validate: tuple[Path, ...] = ()
    real_lr: tuple[Path, ...] = ()
    seed: int = 0
    device: str = "auto"
    threads: int | None = None
    workers: int = 1
    vgg_weights: Path | None = None
    compile: bool = False
    deterministic: bool = False
    override: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `signal` is the number that stopped it; `left_out` says why later stages did not run."""

    kind: Literal["finished", "stopped"]
    step: int
    steps: int
    folder: Path
    signal: int = 0
    left_out: str = ""


@dataclass(frozen=True)
class Context:
    """One run; `materials` has one entry for each stage.

    `facts` are what a later run over the same folder must agree with; `journal` is the first rank's.
    """

    preset: Preset
    options: RunOptions
    device: torch.device
    ranks: Ranks
    stop: StopRequest
    watcher: Watcher
    materials: tuple[Material, ...]
    journal: Journal | None
    facts: Mapping[str, Any] = field(default_factory=dict)
