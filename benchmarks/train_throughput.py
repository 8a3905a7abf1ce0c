"""How fast does our trainer step, against BasicSR's loop: same network, pairs, batch, device and threads, in turn?

    PEERS=../peers python benchmarks/train_throughput.py [--quick]

Each way trains for some seconds, then the other, several times; the ratio is taken within each pair of turns, so that a
machine that slows down slows both. Both are whole loops as a user runs them: reading, crops and flips ahead of time,
forward, backward, Adam, an average of the weights, logging; neither saves or validates meanwhile. Target: a median
ratio of at least 0.97 with float32 in both. Our own default is measured beside it where it is bf16.

On a machine that others use, `--cpu-time` counts the CPU time of this process instead of the clock on the wall, and
both ways make their batches in the training thread.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

import interleave
from degrade.synthesize import synthesize
from peers.generic import Absent
from srzoo.preset import Preset, build_networks, load_preset
from srzoo.trainer import Progress, RunOptions, Watcher, train
from srzoo.trainer.device import autocast_type

TARGET = 0.97
OURS, FAST, THEIRS = "srzoo, fp32", "srzoo, bf16", "BasicSR, fp32"
CASES = {
    "skipres 8x32, 48 px LR": ("demo", ["data.batch=8"]),
    "compact 16x64, 24 px LR": ("compact-psnr-x4", ["data.batch=8", "data.patch=96"]),
}
REASONS = {
    "compact 16x64, 24 px LR": "channels_last costs this network a tenth in float32 on the CPU; it saves "
    "srcnn two fifths and srresnet three tenths",
}
_SETTINGS = ["steps=100000000", "watch.log_every=100", "watch.validate_every=100000000", "watch.save_every=100000000"]
_EMA = 0.999


def main() -> None:
    parser = argparse.ArgumentParser(description="Time steps of training against BasicSR's.")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of torch, for both")
    parser.add_argument("--workers", type=int, default=1, help="that make batches ahead: our threads, their processes")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn")
    parser.add_argument("--bf16", action="store_true", help="time bf16 of ours even where it is not the default")
    parser.add_argument("--cpu-time", action="store_true", help="for a machine that others use, too")
    parser.add_argument("--quick", action="store_true", help="one short turn each: to see that it runs")
    arguments = parser.parse_args()
    timing = {"repeats": arguments.repeats, "seconds": arguments.seconds}
    timing |= {"repeats": 1, "seconds": 0.3} if arguments.quick else {}
    timing |= {"clock": time.process_time if arguments.cpu_time else time.perf_counter}
    workers = 0 if arguments.cpu_time else arguments.workers
    auto = autocast_type("auto", torch.device("cpu"))
    precisions = {OURS: "fp32"} | ({FAST: "bf16"} if arguments.bf16 or auto else {})
    print(f"our default on this processor: {'bf16' if auto else 'fp32'}")
    torch.set_num_threads(arguments.threads)
    results, targets = {}, []
    with tempfile.TemporaryDirectory() as name:
        shards = Path(name) / "shards"
        synthesize(["dead-leaves:16"], "generic", shards, pairs=200 if arguments.quick else 1200)
        for title, (preset, overrides) in CASES.items():
            stages = {
                way: configured(preset, [*overrides, f"precision={precision}"]) for way, precision in precisions.items()
            }
            rates = measured(stages, shards, Path(name) / title, arguments.threads, workers, timing)
            interleave.print_rates(title, "steps/1000s", {k: [1000 * v for v in vs] for k, vs in rates.items()}, OURS)
            results[title] = {way: round(rate, 3) for way, rate in interleave.medians(rates).items()}
            if THEIRS in rates:
                for way in (way for way in rates if way != THEIRS):
                    ratio = statistics.median(a / b for a, b in zip(rates[way], rates[THEIRS], strict=True))
                    results[title][f"{way} over BasicSR"] = round(ratio, 3)
                    print(f"{way} over BasicSR: {ratio:.3f}")
                got = results[title][f"{OURS} over BasicSR"]
                targets.append(interleave.print_target(f"{title}: over BasicSR", TARGET, got, REASONS.get(title, "")))
    result: dict[str, Any] = {"machine": interleave.machine("torch", "srzoo", "degrade")}
    result |= {
        "threads": arguments.threads,
        "workers": workers,
        "cpu_time": arguments.cpu_time,
        "steps_per_s": results,
        "targets": targets,
    }
    if not arguments.quick:
        print(f"\nwritten: {interleave.save('train_throughput', result)}")


def configured(preset: str, overrides: list[str]) -> Preset:
    settings = [*_SETTINGS, f"networks.generator.ema={_EMA}", *overrides]
    settings += ["optimisers.generator.schedule=constant", "optimisers.generator.warmup=0"]
    return load_preset(preset, overrides=settings)


def measured(
    presets: dict[str, Preset], shards: Path, out: Path, threads: int, workers: int, timing: dict[str, Any]
) -> dict[str, list[float]]:
    """Steps a second of every way, a figure for each turn."""
    stage = presets[OURS].stages[0]
    with ExitStack() as stack:
        ways: dict[str, Callable[[], int]] = {}
        for way, preset in presets.items():
            options = RunOptions((shards,), out / way, device="cpu", threads=threads, workers=workers)
            ways[way] = stack.enter_context(_Stepped(preset, options)).step
        try:
            from peers.basicsr_train import prepare

            ways[THEIRS] = prepare(
                shards,
                lambda: build_networks(stage, seed=0)["generator"],
                batch=stage.data.batch,
                patch=stage.data.patch,
                ema=_EMA,
                workers=workers,
            )
        except Absent as reason:
            print(f"left out: BasicSR: {reason}")
        return interleave.rates(ways, **timing)


class _Stepped(Watcher):
    """Our own `train`, in a thread that waits after each step until the next one is asked for."""

    def __init__(self, preset: Preset, options: RunOptions) -> None:
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._is_over, self._failure = False, None
        self._thread = threading.Thread(target=self._train, args=(preset, options), daemon=True)

    def __enter__(self) -> _Stepped:
        self._thread.start()
        self._done.acquire()  # the first step
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._is_over = True
        self._go.release()
        self._thread.join()

    def step(self) -> int:
        self._go.release()
        self._done.acquire()
        if self._failure is not None:
            raise self._failure
        return 1

    def progress(self, progress: Progress) -> None:
        self._done.release()
        self._go.acquire()
        if self._is_over:
            raise _Over

    def _train(self, preset: Preset, options: RunOptions) -> None:
        try:
            train(preset, options, self)
        except _Over:
            pass
        except Exception as error:
            self._failure = error
            self._done.release()


class _Over(Exception):  # noqa: N818  not an error: enough was measured
    pass


if __name__ == "__main__":
    main()
