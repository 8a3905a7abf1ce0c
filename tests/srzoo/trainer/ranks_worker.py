"""One process of several: jobs of `train` one after the other, as torchrun's processes run them, and how they went.

`python ranks_worker.py JOBS.json`, with RANK and WORLD_SIZE in the environment; the answers are in `JOBS.<rank>.json`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
import toys  # beside this file

from srzoo.data import Batch
from srzoo.errors import SrzooError
from srzoo.objectives import OBJECTIVES
from srzoo.preset import load_preset
from srzoo.trainer import Progress, RunOptions, Watcher, stage, train

RANK = int(os.environ["RANK"])


class Stopper(Watcher):
    """SIGTERM, to this process alone, after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def progress(self, progress: Progress) -> None:
        if progress.step == self.step:
            signal.raise_signal(signal.SIGTERM)


def done(job: dict[str, Any]) -> dict[str, Any]:
    os.environ.update(WORLD_SIZE=str(job["world"]), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(job["port"]))
    pairs: list[tuple[int, ...]] = []
    update = stage.StageRun._update

    def recorded(self: stage.StageRun, batch: Batch) -> None:
        pairs.append(batch.pairs)
        if job.get("poison") == [RANK, self.step + 1]:
            assert batch.hr is not None
            batch.hr[0, 0, 0, 0] = float("nan")
        update(self, batch)

    stage.StageRun._update = recorded  # type: ignore[method-assign]
    preset = load_preset(job["preset"], overrides=job["overrides"])
    real_lr = tuple(map(Path, job.get("real_lr", ())))
    options = RunOptions((Path(job["shards"]),), Path(job["out"]), real_lr=real_lr, device="cpu", threads=1)
    try:
        outcome = train(preset, options, Stopper(job.get("stop_at", 0)))
        return {"kind": outcome.kind, "step": outcome.step, "pairs": pairs}
    except SrzooError as error:
        return {"kind": type(error).__name__, "said": str(error), "code": error.exit_code, "pairs": pairs}
    finally:
        stage.StageRun._update = update  # type: ignore[method-assign]


def main() -> None:
    torch.set_num_threads(1)
    OBJECTIVES.update(toys.entries())
    path = Path(sys.argv[1])
    jobs = json.loads(path.read_text())
    path.with_suffix(f".{RANK}.json").write_text(json.dumps([done(job) for job in jobs]))


if __name__ == "__main__":
    main()
