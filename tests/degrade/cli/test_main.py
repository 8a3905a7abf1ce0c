"""The front door: one line for every failure, the right exit code, nothing heavy before it is needed."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import click
import pytest

from degrade import errors
from degrade.cli import main as entry


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., object]], None]:
    """Put a function in the place of `synth`."""

    def install(function: Callable[..., object]) -> None:
        made = click.command("synth")(click.option("--patch", type=click.IntRange(1), default=1)(function))
        real = importlib.import_module
        monkeypatch.setattr(
            entry.importlib,
            "import_module",
            lambda name: SimpleNamespace(command=made) if name == "degrade.cli.synth" else real(name),
        )

    return install


def failing(error: BaseException) -> Callable[..., object]:
    def function(patch: int) -> None:
        raise error

    return function


def test_help_lists_every_command_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in ("apply", "preview", "inspect", "recipes", "replay", "synth"))
    assert "degrade synth photos/ --recipe generic --out shards/" in shown


def test_bare_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["--version"]) == 0
    assert "0.1.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["synht"], "degrade: error: synht: no such command - did you mean 'synth'?"),
        (["--verson"], "degrade: error: degrade: no such option --verson - did you mean '--version'?"),
        (
            ["synth", "--patsch", "3"],
            "degrade: error: degrade synth: no such option --patsch - did you mean '--patch'?",
        ),
    ],
)
def test_a_wrong_name_is_one_line_with_the_nearest(
    arguments: list[str], line: str, command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(lambda patch: None)
    assert entry.run(arguments) == 2
    assert capsys.readouterr().err == line + "\n"


def test_a_wrong_value_is_one_line(command: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    command(lambda patch: None)
    assert entry.run(["synth", "--patch", "0"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("degrade: error: degrade synth: Invalid value for '--patch': 0")
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.RecipeError("r.toml", "bad", "mend it"), 2),
        (errors.ImageError("x.png", "bad", "mend it"), 3),
        (errors.IntegrityError("s.h5", "bad", "mend it"), 4),
        (errors.ResourceError("out", "full", "free some"), 5),
        (PermissionError(13, "Permission denied", "out"), 5),
        (MemoryError("Unable to allocate 9 GiB"), 5),
        (KeyboardInterrupt(), 130),
        (entry.Terminated(), 143),
        (ZeroDivisionError("division by zero"), 1),
    ],
)
def test_every_failure_is_one_line_with_its_code(
    error: BaseException, code: int, command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(failing(error))
    assert entry.run(["synth"]) == code
    shown = capsys.readouterr()
    assert shown.err.startswith("degrade: ")
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("arguments", [["--debug", "synth"], ["synth", "--debug"]])
def test_debug_adds_the_traceback(
    arguments: list[str], command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(failing(errors.ImageError("x.png", "bad", "mend it")))
    assert entry.run(arguments) == 3
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.endswith("degrade: error: x.png: bad - mend it\n")


def test_names_cannot_steer_the_terminal(command: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    command(failing(errors.ImageError("a\x1b[2J\nb\udcff.png", "bad", "mend it")))
    entry.run(["synth"])
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert shown.count("\n") == 1
    assert r"\x1b[2J\nb\udcff.png" in shown


def test_a_closed_pipe_is_silent() -> None:
    code = "import sys; from degrade.cli.main import run; sys.exit(run(['--help']))"
    shell = f'{sys.executable} -c "{code}" | true; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", f"sleep 0; {shell}"], capture_output=True, text=True, check=False, timeout=20)
    assert done.stderr == ""
    assert done.returncode in (0, 128 + signal.SIGPIPE)  # 0: all of it was written before the reader left


def test_sigterm_ends_the_command_with_143() -> None:
    code = (
        "import sys, time; from degrade.cli import main as m\n"
        "def wait(arguments):\n    print('ready', flush=True); time.sleep(20)\n"
        "m._invoke = wait; sys.argv = ['degrade']; m.main()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        _, shown = process.communicate(timeout=10)
    assert (process.returncode, shown) == (143, "degrade: stopped\n")
