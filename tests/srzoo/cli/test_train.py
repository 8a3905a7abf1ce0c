import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from srzoo.cli import main as entry
from srzoo.cli.watching import duration


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_run_says_its_steps_and_leaves_what_the_contract_names(
    tiny_preset: Path,
    tiny_shards: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["train", str(tiny_preset), "--shards", str(tiny_shards), "--steps", "20", "--device", "cpu", "--json"]
    assert entry.run(arguments) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"run": "runs/tiny", "step": 20, "steps": 20}
    lines = shown.err.splitlines()
    assert lines[0] == "tiny, 20 steps of 4 x 4 px LR"
    assert lines[1].startswith("24 pairs; 4 of them, all of 1 of the 6 sources, validate")
    assert "steps/s, about" in lines[2]
    assert lines[-1].startswith("done: runs/tiny")
    run = tmp_path / "runs" / "tiny"
    assert {"preset.toml", "log.jsonl", "generator.safetensors", "state", "samples", "tensorboard"} <= {
        path.name for path in run.iterdir()
    }
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [10, 20]
    assert set(records[0]) == {"step", "stage", "seconds", "it_per_s", "losses"}
    assert set(records[1]) == {*records[0], "psnr", "ssim", "psnr_bicubic"}
    assert list((run / "samples").iterdir()) == [run / "samples" / "step-000020.png"]
    assert list((run / "tensorboard").iterdir())
    assert entry.run(arguments) == 0  # again: nothing to do
    assert "going on from step 20 of 20" in capsys.readouterr().err


def test_a_stage_left_out_is_said_and_ends_well(
    tiny_preset: Path, tiny_shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = tmp_path / "two.toml"
    preset.write_text(
        f"""
        name = "two"
        source = "Our own, for tests."
        [[stages]]
        extends = "{tiny_preset}"
        steps = 2
        [[stages]]
        extends = "{tiny_preset}"
        name = "sharper"
        steps = 2
        loss = {{ perceptual = 1.0 }}
        """
    )
    arguments = ["train", str(preset), "--shards", str(tiny_shards), "--out", str(tmp_path / "run"), "--device", "cpu"]
    missing = ["--vgg-weights", str(tmp_path / "vgg19.pth")]
    assert entry.run([*arguments, *missing]) == 0
    said = capsys.readouterr().err
    assert "sharper is left out" in said
    assert "the same command runs that stage" in said
    assert (tmp_path / "run" / "generator.safetensors").is_file()
    assert entry.run([*arguments, *missing, "--set", "stages.0.loss.perceptual=1.0", "--overwrite"]) == 2
    assert (tmp_path / "run" / "generator.safetensors").is_file()  # nothing is removed before all is known to be there


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_the_same_command_goes_on(
    number: int, code: int, tiny_preset: Path, tiny_shards: Path, tmp_path: Path
) -> None:
    arguments = ["-m", "srzoo", "train", str(tiny_preset), "--shards", str(tiny_shards), "--device", "cpu"]
    command = [sys.executable, *arguments, "--steps", "100000"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    run = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    for line in run.stderr:
        if "steps/s" in line:
            break
    time.sleep(0.5)
    run.send_signal(number)
    said = run.communicate(timeout=60)[1]
    assert run.returncode == code, said
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    step = max(int(path.name.removeprefix("step-")) for path in (tmp_path / "runs" / "tiny" / "state").iterdir())
    run = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    lines = [line for line, _ in zip(run.stderr, range(3), strict=False)]
    run.kill()
    run.communicate()
    assert f"going on from step {step} of 100000\n" in lines


@pytest.mark.slow
def test_killed_again_and_again_a_run_ends_with_the_bits_of_an_unbroken_one(
    tiny_preset: Path, tiny_shards: Path, tmp_path: Path
) -> None:
    arguments = ["-m", "srzoo", "train", str(tiny_preset), "--shards", str(tiny_shards), "--device", "cpu"]
    command = [sys.executable, *arguments, "--steps", "1000", "--set", "watch.save_every=7"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([*command, "--out", "whole"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    broken = [*command, "--out", "broken"]
    for seconds in (0.31, 0.73, 1.17):
        run = subprocess.Popen(broken, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        assert run.stderr is not None
        for line in run.stderr:
            if "steps/s" in line:
                break
        time.sleep(seconds)
        run.kill()
        run.communicate()
    left = subprocess.run(broken, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert "going on from step" in left.stderr
    metas = [tmp_path / out / "state" / "step-001000" / "meta.json" for out in ("whole", "broken")]
    files = [json.loads(meta.read_text())["files"]["state.safetensors"] for meta in metas]
    assert files[0] == files[1]
    assert not list((tmp_path / "broken" / "state").glob("*.tmp*"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4, "4 s"), (89, "89 s"), (90, "2 min"), (3540, "59 min"), (3600, "1 h 00 min"), (9000, "2 h 30 min")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text
