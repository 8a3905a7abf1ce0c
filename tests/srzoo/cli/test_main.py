import importlib.util
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import torch

import srzoo
from srzoo.cli import main as entry


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_every_listed_command_has_a_file() -> None:
    for module, text in entry.COMMANDS.values():
        assert importlib.util.find_spec(module) is not None, module
        assert text.endswith(".")


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in entry.COMMANDS)
    assert "Examples:" in shown
    assert entry.run(["--version"]) == 0
    assert srzoo.__version__ in capsys.readouterr().out
    assert entry.run([]) == 0


def test_help_of_train_shows_examples_and_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["train", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Examples:" in shown
    assert "compact-x4" in shown


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["trian"], "srzoo: error: trian: no such command - did you mean 'train'?"),
        (["train", "--step", "3"], "srzoo: error: srzoo train: no such option --step - did you mean '--"),
        (["train", "--steps", "x"], "srzoo: error: srzoo train: Invalid value for '--steps'"),
        (["train", "demoo"], "srzoo: error: demoo: no such preset - did you mean 'demo'?"),
        (["train", "demo", "-opt", "demo"], "srzoo: error: srzoo train: two presets, demo and demo - give one"),
        (
            ["train"],
            "srzoo: error: shards: no shards here - make some: degrade synth --recipe generic --out shards\n",
        ),
        (["train", "--device", "tpu"], "srzoo: error: --device tpu: unknown - use auto, cpu, cuda, cuda:N or mps"),
        (["train", "--set", "data.batsh=3"], "did you mean 'batch'?"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert entry.run(arguments) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr("srzoo.cli.train.command", command)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (MemoryError(), 5, "srzoo: error: memory: not enough - use a smaller"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), 5, "srzoo: error: memory: Default"),
        (PermissionError(13, "denied", "runs"), 5, "srzoo: error: runs: permission denied"),
        (ZeroDivisionError("a bug"), 1, "srzoo: bug: ZeroDivisionError: a bug - please report it"),
        (KeyboardInterrupt(), 130, "srzoo: stopped"),
        (entry.Terminated(), 143, "srzoo: stopped"),
    ],
)
def test_failures_are_one_line_without_a_traceback(
    error: BaseException,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing(monkeypatch, error)
    assert entry.run(["train"]) == code
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failing(monkeypatch, ZeroDivisionError("a bug"))
    assert entry.run(["train", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err
