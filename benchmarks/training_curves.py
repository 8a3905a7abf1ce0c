"""Which network learns fastest on this machine? Held-out PSNR over seconds of training, one network after the other.

`python benchmarks/training_curves.py --shards shards/ --seconds 180` trains each from scratch with the schedule of the
preset `demo` (L1, Adam, cosine) and prints the gain over bicubic (dB, luma) at every validation. Results go to
`benchmarks/results/training_curves.json`. Run it on a machine that does nothing else: with as many threads as cores,
any other work makes the network's threads wait for each other.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results" / "training_curves.json"

NETWORKS: dict[str, list[str]] = {
    "skipres 8x32": [],
    "skipres 8x48": ["networks.generator.features=48"],
    "skipres 16x32": ["networks.generator.blocks=16"],
    "compact 16x64": ['networks.generator={type="compact", convs=16, features=64, ema=0.99}'],
}
PROBE_STEPS = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--only", choices=NETWORKS, action="append")
    arguments = parser.parse_args()
    curves = {}
    for name in arguments.only or NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            probe = train(name, arguments.shards, Path(folder) / "probe", PROBE_STEPS)
            rate = probe[-1]["it_per_s"]
            steps = max(PROBE_STEPS, round(rate * arguments.seconds))
            log = train(name, arguments.shards, Path(folder) / "run", steps)
        curves[name] = [
            {"step": line["step"], "seconds": line["seconds"], "gain": line["psnr"] - line["psnr_bicubic"]}
            for line in log
            if "psnr" in line
        ]
        points = ", ".join(f"{point['gain']:+.2f} at {point['seconds']:.0f} s" for point in curves[name])
        print(f"{name}: {rate:.1f} it/s, {steps} steps: {points}", flush=True)
    RESULTS.write_text(json.dumps({"seconds": arguments.seconds, "curves": curves}, indent=1) + "\n")


def train(name: str, shards: Path, out: Path, steps: int) -> list[dict[str, float]]:
    """The log of one run."""
    settings = [*NETWORKS[name], f"watch.validate_every={max(1, steps // 5)}", "watch.log_every=20"]
    command = [sys.executable, "-m", "srzoo", "train", "demo", "--shards", str(shards), "--out", str(out)]
    command += ["--steps", str(steps), *(word for setting in settings for word in ("--set", setting))]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


if __name__ == "__main__":
    main()
