import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from srzoo.cli import main as entry
from srzoo.cli.watching import duration

Writer = Callable[..., Path]


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


JPEG = [{"steps": [{"op": "jpeg", "id": "jpeg0", "quality": quality}]} for quality in (30, 50, 90)]


def test_sets_weights_conditions_and_parts_are_options(
    tiny_preset: Path, shard_writer: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (shard_writer(tmp_path / str(k), seed=k, traces=JPEG, num_sources=4) for k in range(2))
    kept = shard_writer(tmp_path / "kept", seed=2, num_pairs=4)
    arguments = ["train", str(tiny_preset), "--shards", f"{one}:3", "--shards", str(other), "--validate", str(kept)]
    arguments += ["--where", "jpeg.quality < 60", "--where", "not jpeg0.quality == 50", "--accumulate", "2"]
    arguments += ["--steps", "3", "--device", "cpu", "--out", str(tmp_path / "run")]
    assert entry.run(arguments) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "tiny, 3 steps of 4 x 4 px LR in 2 parts"
    assert lines[1] == f"16 pairs; 4 of {kept} validate"
    assert lines[2] == "16 of 48 pairs fulfil `(jpeg.quality < 60) and (not jpeg0.quality == 50)`"
    assert lines[3] == f"samples: 75 % from {one} (8 pairs), 25 % from {other} (8 pairs)"
    stated = tomllib.loads((tmp_path / "run" / "preset.toml").read_text())
    assert stated["data"]["accumulate"] == 2


def test_check_takes_no_step_and_says_all_faults_one_a_line(
    tiny_preset: Path, tiny_shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", str(tiny_preset), "--shards", str(tiny_shards), "--out", str(tmp_path / "run"), "--check"]
    assert entry.run([*arguments, "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err.splitlines()[-1] == "nothing is wrong"
    assert json.loads(shown.out) == {"check": "passed"}
    bad = [*arguments, "--shards", str(tmp_path / "nowhere"), "--batch", "3", "--accumulate", "2", "--patch", "64"]
    assert entry.run(bad) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert all(line.startswith("srzoo: error: ") for line in said)
    for part, line in zip(("data.batch: 3", "nowhere: no shards", "data.patch: 64"), said, strict=True):
        assert part in line
    assert entry.run([word for word in bad if word != "--check"]) == 2  # and without it, before the first step
    assert capsys.readouterr().err.splitlines() == said
    assert not (tmp_path / "run").exists()


def test_compile_reaches_every_network_and_changes_no_file(
    tiny_preset: Path, tiny_shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compiled.append(type(self).__name__))
    arguments = ["train", str(tiny_preset), "--shards", str(tiny_shards), "--steps", "2", "--device", "cpu"]
    assert entry.run([*arguments, "--out", str(tmp_path / "plain")]) == 0
    assert not compiled
    assert entry.run([*arguments, "--out", str(tmp_path / "compiled"), "--compile"]) == 0
    assert compiled == ["SkipRes"]


@pytest.mark.slow
def test_a_compiled_run_learns_what_a_plain_one_learns(tiny_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    weights = []
    for name, more in (("plain", []), ("compiled", ["--compile"])):
        arguments = ["train", str(tiny_preset), "--shards", str(tiny_shards), "--steps", "6", "--device", "cpu"]
        command = [sys.executable, "-m", "srzoo", *arguments, "--out", str(tmp_path / name), *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
        assert done.returncode == 0, done.stderr
        weights.append(load_file(tmp_path / name / "generator.safetensors"))
    assert weights[0].keys() == weights[1].keys()  # no trace of the compiler in the names
    for key, value in weights[0].items():  # other kernels, other rounding, six steps of Adam
        torch.testing.assert_close(weights[1][key], value, rtol=0, atol=1e-4)


BROKEN_PRESETS = {
    "unknown key": ("stepps = 3", r"stepps: unknown key - did you mean 'steps'\?"),
    "unknown key in a table": ("[data]\npach = 8", r"data.pach: unknown key - did you mean 'patch'\?"),
    "unknown network": (
        '[networks.generator]\ntype = "skipress"',
        r"type: unknown 'skipress' - did you mean 'skipres'",
    ),
    "unknown objective": ('objective = "supervise"', "did you mean 'supervised'"),
    "wrong type": ('steps = "many"', "steps: .*integer"),
    "a float for a whole number": ("steps = 2.5", "steps: .*integer"),
    "a boolean for a number": ("steps = true", "steps: .*integer"),
    "a table for a number": ("[steps]\nx = 1", "steps: "),
    "a date": ("steps = 2026-01-01", "of a kind not used here"),
    "not a number": ("[optimisers.generator]\nlearning_rate = nan", "learning_rate"),
    "twice": ("steps = 3\nsteps = 4", r"not valid TOML: .*\(at line \d+, column \d+\)"),
    "not closed": ('name = "x', r"not valid TOML: .*\(at line \d+, column \d+\)"),
    "5,000 digits": ("steps = " + "9" * 5000, "a number that cannot be read"),
    "20,000 deep": ("steps = " + "[" * 20000 + "]" * 20000, "nested too deep"),
    "2 MB": ("# " + "x" * 2_000_000, "characters of configuration"),
    "missing file": (None, "cannot be read: No such file"),
}


@pytest.mark.parametrize("case", BROKEN_PRESETS)
def test_a_preset_that_cannot_be_meant_ends_with_2_and_one_line(
    case: str, tiny_preset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, message = BROKEN_PRESETS[case]
    path = tmp_path / "broken.toml"
    if text is not None:
        path.write_text(f'extends = "{tiny_preset}"\n{text}\n')
    assert entry.run(["train", str(path), "--check"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("srzoo: error: ")
    assert "broken.toml" in line
    assert re.search(message, line), line
    assert len(line) < 400


YAMLS = {
    "floats as words": "lr: 1e-4\n",
    "norway": "net: no\n",
    "octal": "steps: 0123\n",
    "sexagesimal": "steps: 12:30:45\n",
    "a call": "!!python/object/apply:os.mkdir ['{canary}']\n",
    "a name": "a: !!python/name:os.system\n",
    "billion laughs": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "twice": "a: 1\na: 2\n",
}


@pytest.mark.parametrize("case", YAMLS)
def test_other_programs_yaml_is_refused_and_runs_nothing(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, canary = tmp_path / "options.yml", tmp_path / "canary"
    path.write_text(YAMLS[case].replace("{canary}", str(canary)))
    for arguments in (["train", str(path)], ["train", "-opt", str(path)]):
        assert entry.run(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "options.yml: not valid TOML" in line
    assert not canary.exists()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 143)])
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
