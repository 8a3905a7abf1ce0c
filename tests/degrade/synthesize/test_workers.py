"""Workers may die at any time: it costs time, never bytes. Signals end a run quickly and cleanly."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from degrade import codecs
from degrade.errors import ResourceError
from degrade.shards.reader import open_shards
from degrade.synthesize import Summary, workers

Make = Callable[..., Summary]
Files = Callable[[Path], dict[str, bytes]]

# Runs in each worker before its first task: reading the photo with this SHA-256 ends the process.
POISON = """
import os, signal
import degrade.synthesize.picture as task
real = task.load
def load(source):
    if source.sha256 in {bad!r}:
        os.kill(os.getpid(), signal.{signal})
    return real(source)
task.load = load
from degrade.synthesize.worker import serve
serve(int(sys.argv[1]))
"""

# A run as a command, on many small shards, that says when pairs begin to come.
COMMAND = """
import sys
from degrade.synthesize import plan, run
plan.LEAST_PAIRS = 16
told = run._Run._tell
def tell(self):
    if self._finished:
        print(self._finished, flush=True)
    told(self)
run._Run._tell = tell
from degrade.cli import main as entry
entry.main()
"""


def poisoned(monkeypatch: pytest.MonkeyPatch, *bad: str, signal: str = "SIGSEGV") -> None:
    code = "import sys; sys.path[:] = sys.argv[2:]\n" + POISON.format(bad=set(bad), signal=signal)
    monkeypatch.setattr(workers, "_START", code)


@contextlib.contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[workers._Worker]]:
    """Every worker that a pool starts, in order."""
    started: list[workers._Worker] = []
    real = workers._Pool.start

    def start(pool: workers._Pool) -> None:
        real(pool)
        started.append(pool.workers[-1])

    with monkeypatch.context() as patched:
        patched.setattr(workers._Pool, "start", start)
        yield started
    for worker in started:
        assert worker.process.poll() is not None, "a worker outlived its pool"


def test_two_processes_make_the_bytes_of_one_and_a_killed_worker_changes_nothing(
    make: Make, tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("one")
    killed: list[int] = []
    with watched(monkeypatch) as started:

        def kill_once(done: int, planned: int) -> None:
            busy = [worker for worker in started if worker.source is not None]
            if busy and not killed:
                killed.append(busy[0].process.pid)
                busy[0].process.kill()

        make("two", workers=2, progress=kill_once)
        assert len(started) == 3
    assert killed
    assert files(tmp_path / "one") == files(tmp_path / "two")


@pytest.mark.slow
def test_a_photo_that_ends_two_workers_is_left_out_by_name(
    make: Make, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = photos / "p5.png"
    poisoned(monkeypatch, codecs.sha256(bad.read_bytes()))
    with watched(monkeypatch) as started:
        summary = make(workers=2)
        assert len(started) == 4
    assert [(entry.path, entry.kind, entry.message) for entry in summary.skipped] == [
        (str(bad), "crash", "ended 2 workers (killed by SIGSEGV)")
    ]
    assert summary.num_pairs == len(open_shards(tmp_path / "out")) == 48 - 6
    listed = [json.loads(line) for line in (tmp_path / "out/skipped.jsonl").read_text().splitlines()]
    assert [entry["path"] for entry in listed] == [str(bad)]


def test_workers_that_cannot_begin_end_the_run(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_START", "raise SystemExit(3)")
    with pytest.raises(ResourceError, match=r"workers: ended with code 3, again and again - ") as failed:
        make(workers=2)
    assert failed.value.exit_code == 5


@pytest.mark.slow
def test_an_error_in_a_worker_comes_back_as_it_was(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys; sys.path[:] = sys.argv[2:]\nimport errno, degrade.atomic as atomic\n"
        "def full(*_): raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "atomic._write_all = full\nfrom degrade.synthesize.worker import serve; serve(int(sys.argv[1]))"
    )
    monkeypatch.setattr(workers, "_START", code)
    with watched(monkeypatch), pytest.raises(ResourceError, match=r"generic-x4-\d+\.h5: no room left on the disk"):
        make(workers=2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["plan.json", "progress.jsonl"]


@pytest.mark.slow
def test_a_worker_that_says_nothing_is_given_up(
    make: Make, tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("one")
    died = workers._Pool._died

    def patient_again(pool: workers._Pool, worker: workers._Worker) -> None:
        died(pool, worker)
        monkeypatch.setattr(workers, "SILENCE", 600)

    monkeypatch.setattr(workers._Pool, "_died", patient_again)
    with watched(monkeypatch) as started:

        def stop_once(done: int, planned: int) -> None:
            if len(started) == 2 and started[0].source is not None:
                started[0].process.send_signal(signal.SIGSTOP)
                monkeypatch.setattr(workers, "SILENCE", 3)

        make("two", workers=2, progress=stop_once)
        assert len(started) >= 3
    assert files(tmp_path / "one") == files(tmp_path / "two")


def started_command(photos: Path, out: Path, *, num_workers: int = 2) -> subprocess.Popen[str]:
    arguments = ["synth", str(photos), "--out", str(out), "--patch", "16", "--per-image", "200"]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments, "--workers", str(num_workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_soon_and_cleanly(
    photos: Path, tmp_path: Path, files: Files, number: signal.Signals, code: int
) -> None:
    out = tmp_path / "out"
    with started_command(photos, out) as process:
        assert process.stdout is not None
        assert process.stdout.readline() != "", "it ended before it made a shard"
        offspring = children(process.pid)
        assert len(offspring) == 2
        began = time.monotonic()
        process.send_signal(number)
        _, shown = process.communicate(timeout=20)
        assert time.monotonic() - began < 5
    assert process.returncode == code
    assert shown.endswith("degrade: stopped - finished shards are kept; run the same command again to make the rest\n")
    assert "Traceback" not in shown
    assert not any(Path(f"/proc/{pid}").exists() for pid in offspring)
    left = files(out)
    assert not any(name.startswith(".") for name in left)
    assert "manifest.json" not in left
    assert sum(name.endswith(".h5") for name in left) > 0


@pytest.mark.slow
def test_kill_9_at_any_time_and_running_again_gives_the_same_bytes(photos: Path, tmp_path: Path, files: Files) -> None:
    with started_command(photos, tmp_path / "whole") as process:
        process.communicate(timeout=120)
    assert process.returncode == 0
    rng, num_kills, done = random.Random(0), 0, False
    while not done:
        with started_command(photos, tmp_path / "out") as process:
            assert process.stdout is not None
            for _ in range(rng.randrange(1, 36)):  # steps of progress, shards found intact among them
                process.stdout.readline()
            time.sleep(rng.uniform(0, 0.05))
            done = process.poll() == 0
            process.kill()
            process.communicate()
            num_kills += not done
        assert num_kills < 60
    assert num_kills > 0
    deadline = time.monotonic() + 10
    while any(name.startswith(".tmp") for name in files(tmp_path / "out")) and time.monotonic() < deadline:
        time.sleep(0.1)  # a worker of a killed run may still be on its way out
    assert files(tmp_path / "out") == files(tmp_path / "whole")


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_code_5_and_then_the_run_goes_on(
    photos: Path, tmp_path: Path, files: Files
) -> None:
    arguments = ["synth", str(photos), "--patch", "32", "--per-image", "20", "--out"]
    code = "from degrade.cli.main import main; main()"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    def run(out: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, *arguments, str(tmp_path / out)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)

    assert run("whole").returncode == 0
    full = run("out", preexec_fn=limit)
    assert full.returncode == 5
    failure = [line for line in full.stderr.splitlines() if " pairs" not in line]  # progress of a slow machine
    assert len(failure) == 1
    assert "no room left on the disk" in failure[0]
    assert not any(name.endswith(".h5") or name.startswith(".") for name in files(tmp_path / "out"))
    assert run("out").returncode == 0
    assert files(tmp_path / "out") == files(tmp_path / "whole")


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed(photos: Path, tmp_path: Path) -> None:
    with started_command(photos, tmp_path / "out") as process:
        assert process.stdout is not None
        assert process.stdout.readline() != "", "it ended before it made a shard"
        offspring = children(process.pid)
        process.kill()
        process.communicate()
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in offspring):
        assert time.monotonic() < deadline, "workers go on alone"
        time.sleep(0.05)
    assert len(offspring) == 2
