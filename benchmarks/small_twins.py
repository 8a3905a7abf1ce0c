"""What do the small twins of the presets reach in the same number of steps? Figures on Set5 and Set14, or photographs.

`python benchmarks/small_twins.py --steps 400` trains every `*-small` preset of a PSNR network on the same shards, made
by the recipe `bicubic` from $SR_DATA/hr_train (without SR_DATA: from the photographs that come with scikit-image), and
evaluates all of them by the protocol `network` on $SR_DATA/test (else on photographs kept for testing). Each sees the
same crops in the same order. Schedules are the presets' own, but warm-up and running average take a tenth of the steps
at most. So few steps tell how fast a network starts, not how far it comes. Results go to
`benchmarks/results/small_twins.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from interleave import machine, save
from srzoo.preset import load_preset, preset_names

ROOT = Path(__file__).resolve().parents[1]
PATCH, PAIRS, SEED = 96, 2004, 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--patch", type=int, default=64, help="side of the HR crop, a multiple of 4")
    parser.add_argument("--shards", type=Path, help="x4, patches of 96 and more; made where none are given")
    parser.add_argument("--only", action="append", help="these twins alone; repeatable")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, help="keep the runs and a page of crops here")
    arguments = parser.parse_args()
    names = arguments.only or [name for name in preset_names() if name.endswith("-small") and is_psnr(name)]
    with tempfile.TemporaryDirectory() as folder:
        out = arguments.out or Path(folder)
        train_from, sets = photographs(out)
        shards = arguments.shards or make_shards(train_from, out / "shards")
        logs = {name: train(name, shards, out / name, arguments) for name in names}
        report = evaluate([out / name for name in names], sets, out / "small_twins.html", arguments.threads)
    rows = [row(name, logs[name], report) for name in names]
    print_table(rows, report)
    settings = {key: getattr(arguments, key) for key in ("steps", "batch", "patch", "threads")}
    bicubic = {one["name"]: rounded(one["mean"]["bicubic"]) for one in report["sets"]}
    facts = {"machine": machine("torch", "numpy"), "protocol": report["protocol"], "seed": SEED, **settings}
    save("small_twins", {**facts, "bicubic": bicubic, "twins": rows})


def is_psnr(name: str) -> bool:
    """Whether a preset trains a network from nothing, for PSNR: GAN stages need a start, degraders other pairs."""
    (stage,) = load_preset(name).stages
    return stage.objective == "supervised" and not stage.loss.adversarial


def photographs(out: Path) -> tuple[Path, list[Path]]:
    """The folder to train from, and the test sets."""
    stated = os.environ.get("SR_DATA")
    if stated:
        return Path(stated, "hr_train"), [Path(stated, "test", name, "x4", "HR") for name in ("Set5", "Set14")]
    run(sys.executable, str(ROOT / "datasets" / "prepare.py"), "samples", str(out / "photos"))
    return out / "photos" / "train", [out / "photos" / "test"]


def make_shards(photos: Path, out: Path) -> Path:
    degrade = ["-m", "degrade", "synth", str(photos), "--recipe", "bicubic", "--patch", str(PATCH)]
    run(sys.executable, *degrade, "--pairs", str(PAIRS), "--seed", str(SEED), "--out", str(out))
    return out


def train(name: str, shards: Path, out: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The log of one run."""
    steps, stage = arguments.steps, load_preset(name).stages[0]
    warmup = min(stage.optimisers["generator"].warmup, steps // 10)
    ema = min(stage.networks["generator"].ema or 0.0, 1 - 10 / steps)
    settings = [f"optimisers.generator.warmup={warmup}", f"networks.generator.ema={ema:.4f}", "watch.log_every=10"]
    settings += [f"watch.validate_every={steps}", f"watch.save_every={steps}"]
    command = ["-m", "srzoo", "train", name, "--shards", str(shards), "--out", str(out), "--steps", str(steps)]
    command += ["--batch", str(arguments.batch), "--patch", str(arguments.patch), "--seed", str(SEED)]
    words = [word for setting in settings for word in ("--set", setting)]
    run(sys.executable, *command, "--threads", str(arguments.threads), *words)
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    print(f"{name}: {steps} steps in {log[-1]['seconds']:.0f} s", flush=True)
    return log


def evaluate(runs: list[Path], sets: list[Path], page: Path, threads: int) -> dict[str, Any]:
    words = [word for folder in runs for word in ("--model", str(folder))]
    words += [word for one in sets for word in ("--hr", str(one))]
    options = ["--protocol", "network", "--cost", "--json", "--html", str(page), "--threads", str(threads)]
    return json.loads(run(sys.executable, "-m", "srzoo", "evaluate", *words, *options))


def row(name: str, log: list[dict[str, Any]], report: dict[str, Any]) -> dict[str, Any]:
    model = next(one for one in report["models"] if one["name"] == name)
    return {
        "preset": name,
        "parameters": model["parameters"],
        "seconds": round(log[-1]["seconds"], 1),
        "seconds_per_megapixel": round(model["seconds"], 3),
        **{one["name"]: rounded(one["mean"][name]) for one in report["sets"]},
    }


def rounded(figures: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in figures.items()}


def print_table(rows: list[dict[str, Any]], report: dict[str, Any]) -> None:
    sets = [one["name"] for one in report["sets"]]
    print(f"\n{'':22}{'parameters':>11}{'train s':>9}{'s/MP':>7}", *(f"{name:>24}" for name in sets))
    base = {one["name"]: one["mean"]["bicubic"] for one in report["sets"]}
    print(f"{'bicubic':49}", *(f"{base[n]['psnr']:9.2f} / {base[n]['ssim']:.4f}     " for n in sets))
    for one in rows:
        facts = f"{one['preset']:22}{one['parameters']:11,}{one['seconds']:9.0f}{one['seconds_per_megapixel']:7.2f}"
        print(facts, *(f"{one[n]['psnr']:9.2f} / {one[n]['ssim']:.4f} {one[n]['gain']:+.2f}" for n in sets))


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
