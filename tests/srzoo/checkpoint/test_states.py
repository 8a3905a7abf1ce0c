import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
import torch

from srzoo.checkpoint import State, newest_state, prune_states, save_state
from srzoo.errors import ResourceError


def state(step: int) -> State:
    return State(step, {"a": torch.full((3,), float(step)), "b": torch.arange(step)}, {"stage": 0, "note": "é"})


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    folder = save_state(tmp_path / "state", state(7))
    assert folder.name == "step-000007"
    found, notes = newest_state(tmp_path / "state")
    assert found is not None
    assert not notes
    assert (found.step, found.facts) == (7, {"stage": 0, "note": "é"})
    assert all(torch.equal(found.tensors[key], value) for key, value in state(7).tensors.items())


def test_an_empty_or_missing_folder_has_no_state(tmp_path: Path) -> None:
    assert newest_state(tmp_path / "nowhere") == (None, [])
    assert newest_state(tmp_path) == (None, [])


def test_the_newest_counts_by_step_not_by_time(tmp_path: Path) -> None:
    for step in (1_000_000, 5, 999_999):
        save_state(tmp_path, state(step))
    found, _ = newest_state(tmp_path)
    assert found is not None
    assert found.step == 1_000_000


@pytest.mark.parametrize("file", ["state.safetensors", "facts.json", "meta.json"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "empty"])
def test_every_broken_file_is_seen(file: str, damage: str, tmp_path: Path) -> None:
    save_state(tmp_path, state(1))
    path = save_state(tmp_path, state(2)) / file
    data = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    else:
        path.write_bytes(data[:-3] if damage == "cut" else b"")
    found, notes = newest_state(tmp_path)
    assert found is not None
    assert found.step == 1
    assert len(notes) == 1
    assert "step-000002: broken" in notes[0]
    assert (tmp_path / "broken-step-000002").is_dir()
    save_state(tmp_path, state(2))
    (tmp_path / "step-000002" / "meta.json").unlink()
    newest_state(tmp_path)
    assert (tmp_path / "broken-step-000002-2").is_dir()


def test_only_the_first_rank_puts_aside(tmp_path: Path) -> None:
    (save_state(tmp_path, state(1)) / "meta.json").unlink()
    found, notes = newest_state(tmp_path, put_aside=False)
    assert found is None
    assert len(notes) == 1
    assert (tmp_path / "step-000001").is_dir()


def test_saving_a_step_again_replaces_it(tmp_path: Path) -> None:
    save_state(tmp_path, state(1))
    save_state(tmp_path, State(1, {"a": torch.ones(1)}, {"again": True}))
    found, _ = newest_state(tmp_path)
    assert found is not None
    assert found.facts == {"again": True}


def test_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    for step in range(1, 7):
        save_state(tmp_path, state(step))
    prune_states(tmp_path, keep=3, best=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"step-{step:06d}" for step in (2, 4, 5, 6)]


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    import socket

    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    stale = tmp_path / f".tmp.{socket.gethostname()}.{dead.pid}.step-000001"
    alive = tmp_path / f".tmp.{socket.gethostname()}.{os.getppid()}.step-000001"
    foreign = tmp_path / ".tmp.elsewhere.1.step-000001"
    for folder in (stale, alive, foreign):
        folder.mkdir()
    newest_state(tmp_path)
    assert not stale.exists()
    assert alive.exists()
    assert foreign.exists()


@pytest.mark.parametrize(("call", "number"), [*(("fsync", number) for number in range(1, 6)), ("rename", 1)])
def test_a_full_disk_at_any_call_is_said_and_leaves_older_states(
    call: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_state(tmp_path, state(1))
    home: object = os if call == "fsync" else Path
    real, calls = getattr(home, call), count(1)

    def full(*arguments: object) -> object:
        if next(calls) == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr(home, call, full)
    with pytest.raises(ResourceError, match="no room left") as caught:
        save_state(tmp_path, state(2))
    assert caught.value.exit_code == 5
    found, notes = newest_state(tmp_path)
    assert found is not None
    assert not notes
    assert found.step == (2 if (call, number) == ("fsync", 5) else 1)  # the last one comes after the rename
    assert not list(tmp_path.glob(".tmp*"))


SAVER = """
import sys, torch
from pathlib import Path
from srzoo.checkpoint import State, save_state
for step in range(1, 100000):
    save_state(Path(sys.argv[1]), State(step, {"a": torch.full((6_000_000,), float(step))}, {"step": step}))
    if step == 1:
        print("saved", flush=True)
"""


@pytest.mark.slow
def test_killed_while_saving_the_newest_whole_state_loads(tmp_path: Path) -> None:
    rng = random.Random(0)
    for attempt in range(100):
        root = tmp_path / str(attempt)
        saver = subprocess.Popen([sys.executable, "-c", SAVER, str(root)], stdout=subprocess.PIPE)
        assert saver.stdout is not None
        saver.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.4))  # a state of 24 MB takes about 0.1
        saver.send_signal(signal.SIGKILL)
        saver.wait()
        saver.stdout.close()
        found, notes = newest_state(root)
        assert found is not None
        assert not notes
        assert found.facts["step"] == found.step == int(found.tensors["a"][0])
        assert not list(root.glob(".tmp*"))
        shutil.rmtree(root)
