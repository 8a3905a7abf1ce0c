"""Two processes with gloo: the same run, whatever the number of processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from srzoo.data import Batch
from srzoo.preset import load_preset
from srzoo.trainer import Progress, RunOptions, Watcher, train
from srzoo.trainer.ranks import Ranks
from srzoo.trainer.stage import StageRun

WORKER = Path(__file__).with_name("ranks_worker.py")


def test_alone_nothing_is_sent() -> None:
    gradient = torch.tensor([1.0, 2.0])
    Ranks().average_([gradient])
    assert gradient.tolist() == [1.0, 2.0]
    assert Ranks().gathered({"pool": gradient}) == [{"pool": gradient}]
    assert Ranks().largest(15, torch.device("cpu")) == 15
    assert Ranks().is_first


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def together(jobs: list[dict[str, Any]], folder: Path) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What both of two processes say of each job."""
    for job, port in zip(jobs, free_ports(len(jobs)), strict=True):
        job |= {"port": port, "world": 2, "overrides": job.get("overrides", [])}
    path = folder / "jobs.json"
    path.write_text(json.dumps(jobs))
    command = [sys.executable, "-W", "ignore", str(WORKER), str(path)]
    processes = [
        subprocess.Popen(
            command,
            env=os.environ | {"RANK": str(rank), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for process in processes:
            said = process.communicate(timeout=500)[1]
            assert process.returncode == 0, said
    finally:
        for process in processes:
            process.kill()
    first, second = (json.loads(path.with_suffix(f".{rank}.json").read_text()) for rank in range(2))
    return list(zip(first, second, strict=True))


def job(preset: Path, shards: Path, out: Path, *overrides: str, **more: object) -> dict[str, Any]:
    return {"preset": str(preset), "shards": str(shards), "out": str(out), "overrides": list(overrides)} | more


def state_of(out: Path, step: int) -> str:
    meta = json.loads((out / "state" / f"step-{step:06d}" / "meta.json").read_text())
    return meta["files"]["state.safetensors"]


def logged(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line["losses"]["pixel"] for line in lines]


class StopAt(Watcher):
    """SIGTERM to this process after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def progress(self, progress: Progress) -> None:
        if progress.step == self.step:
            signal.raise_signal(signal.SIGTERM)


def alone(preset: Path, shards: Path, out: Path, *overrides: str, stop_at: int = 0) -> list[tuple[int, ...]]:
    """A run, or a leg of one, in this process; the pairs of its batches."""
    pairs = []
    update = StageRun._update

    def recorded(self: StageRun, batch: Batch) -> None:
        pairs.append(batch.pairs)
        update(self, batch)

    options = RunOptions((shards,), out, device="cpu", threads=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StageRun, "_update", recorded)
        train(load_preset(str(preset), overrides=overrides), options, StopAt(stop_at))
    return pairs


def global_batches(said: tuple[dict[str, Any], dict[str, Any]]) -> list[tuple[int, ...]]:
    return [(*one, *other) for one, other in zip(said[0]["pairs"], said[1]["pairs"], strict=True)]


def test_two_processes_train_stop_go_on_and_diverge_as_one_does(
    tiny_preset: Path, tiny_shards: Path, tmp_path: Path
) -> None:
    short = ("steps=8", "watch.log_every=1", "watch.save_every=1", "watch.validate_every=8")
    args = (tiny_preset, tiny_shards)
    out = {name: tmp_path / name for name in ("alone", "whole", "parts", "sick", "changed")}
    samples = alone(*args, out["alone"], *short)
    changed = alone(*args, out["changed"], *short, stop_at=2)
    jobs = [
        job(*args, out["whole"], *short),
        job(*args, out["parts"], *short, stop_at=3),
        job(*args, out["parts"], *short),
        job(*args, out["sick"], *short, poison=[1, 4]),
        job(*args, out["sick"], *short),
        job(*args, out["changed"], *short, stop_at=5),
    ]
    whole, stopped, resumed, sick, healed, middle = together(jobs, tmp_path)
    changed += global_batches(middle) + alone(*args, out["changed"], *short)

    assert global_batches(whole) == samples
    assert changed == samples  # 1 -> 2 -> 1 processes
    expected = load_file(out["alone"] / "generator.safetensors")
    for name in ("whole", "changed"):
        torch.testing.assert_close(logged(out[name]), logged(out["alone"]), rtol=0, atol=1e-5)
        found = load_file(out[name] / "generator.safetensors")
        for key, value in expected.items():  # sums of gradients in another order: rounding
            torch.testing.assert_close(found[key], value, rtol=0, atol=1e-5)

    # one process was asked to stop, both did, after the same step; the same bits in the end
    assert [(said["kind"], said["step"]) for said in stopped] == [("stopped", 3)] * 2
    assert [said["kind"] for said in resumed] == ["finished"] * 2
    assert state_of(out["parts"], 8) == state_of(out["whole"], 8)

    # a picture on the second process that is not finite: nothing of that step is kept, and both say so
    assert [(said["kind"], said["code"]) for said in sick] == [("DivergedError", 6)] * 2
    assert "loss 'generator' is not finite on another rank" in sick[0]["said"]
    assert "loss 'generator' is nan" in sick[1]["said"]
    record = json.loads((out["sick"] / "diverged.json").read_text())
    assert (record["step"], len(record["pairs"])) == (4, 4)
    assert len(healed[0]["pairs"]) == 5  # it went on from step 3
    assert state_of(out["sick"], 8) == state_of(out["whole"], 8)


@pytest.mark.slow
def test_each_process_keeps_its_own_pool_of_fakes_and_goes_on_with_it(
    toys: ModuleType, noise_pairs: tuple[Path, Path], tmp_path: Path
) -> None:
    preset = tmp_path / "toy.toml"
    preset.write_text(toys.preset("toy-cyclegan"))
    shards, real_lr = noise_pairs
    more = {"real_lr": [str(real_lr)]}
    out = {name: tmp_path / name for name in ("whole", "parts")}
    jobs = [job(preset, shards, out["whole"], **more), job(preset, shards, out["parts"], **more, stop_at=4)]
    jobs.append(job(preset, shards, out["parts"], **more))
    together(jobs, tmp_path)
    assert state_of(out["parts"], 5) == state_of(out["whole"], 5)
    saved = load_file(out["whole"] / "state" / "step-000005" / "state.safetensors")
    pools = [saved[f"objective/{rank}/real"] for rank in (0, 1)]
    assert [len(pool) for pool in pools] == [6, 6]
    assert not torch.equal(*pools)


@pytest.mark.slow
def test_two_processes_go_on_from_every_step_to_the_same_bits(
    tiny_preset: Path, tiny_shards: Path, tmp_path: Path
) -> None:
    settings = ("steps=60", "watch.validate_every=60", "watch.sample_every=60")
    args = (tiny_preset, tiny_shards)
    jobs = [job(*args, tmp_path / "whole", *settings)]
    for step in range(1, 60):
        jobs += [job(*args, tmp_path / str(step), *settings, **more) for more in ({"stop_at": step}, {})]
    said = together(jobs, tmp_path)
    unbroken = global_batches(said[0])
    for step in range(1, 60):
        first, last = said[2 * step - 1], said[2 * step]
        assert [one["step"] for one in first] == [step] * 2
        assert global_batches(first) + global_batches(last) == unbroken
        assert state_of(tmp_path / str(step), 60) == state_of(tmp_path / "whole", 60), f"stopped at step {step}"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["kill", "nan"])
def test_torchrun_ends_with_the_first_cause(what: str, tiny_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    """One process dies or diverges: all end, the exit code is not 0, and going on gives the unbroken run's bits."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    arguments = ["-m", "srzoo", "train", str(tiny_preset), "--shards", str(tiny_shards), "--device", "cpu"]
    settings = ["--steps", "400", "--set", "watch.save_every=20", "--out", str(tmp_path / "run")]
    if what == "nan":
        settings += ["--set", "optimisers.generator.learning_rate=1e38", "--set", "optimisers.generator.warmup=0"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, *arguments, *settings]
    run = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    if what == "kill":
        deadline = time.monotonic() + 120
        while not list((tmp_path / "run" / "state").glob("step-*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        os.kill(int(children[-1]), signal.SIGKILL)
    said = run.communicate(timeout=120)[1]
    assert run.returncode != 0
    if what == "nan":
        assert "srzoo: error: step" in said
        return
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("done:") == 1
    assert "going on from step" in again.stderr
    whole = [*command[:-1], str(tmp_path / "whole")]
    subprocess.run(whole, env=environment, check=True, capture_output=True, timeout=300)
    assert state_of(tmp_path / "run", 400) == state_of(tmp_path / "whole", 400)
