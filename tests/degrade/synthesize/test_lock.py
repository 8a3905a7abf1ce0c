"""One coordinator per folder; the dead hold nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from degrade.errors import ResourceError
from degrade.synthesize.lock import NAME, folder_lock

HOLD = "import sys; from pathlib import Path; from degrade.synthesize.lock import folder_lock\n" + (
    "with folder_lock(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
)


def started_holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def write_owner(folder: Path, **owner: object) -> None:
    (folder / NAME).write_text(json.dumps({"host": socket.gethostname(), "pid": 1, "started": "", **owner}))


def test_a_second_run_is_refused_with_pid_and_host_until_the_first_is_gone(tmp_path: Path) -> None:
    with started_holder(tmp_path) as holder:
        with pytest.raises(ResourceError, match=f"in use by process {holder.pid} on {socket.gethostname()}") as refused:
            folder_lock(tmp_path).__enter__()
        assert refused.value.exit_code == 5
        assert (tmp_path / NAME).exists()
        holder.kill()
    with folder_lock(tmp_path):  # kill -9 left the file behind
        assert json.loads((tmp_path / NAME).read_text())["pid"] == os.getpid()
    assert not (tmp_path / NAME).exists()


def test_a_lock_within_one_process_holds_too(tmp_path: Path) -> None:
    with folder_lock(tmp_path), pytest.raises(ResourceError, match=f"process {os.getpid()} on"):
        folder_lock(tmp_path).__enter__()


@pytest.mark.parametrize("text", ["", "garbage", "[]", '{"host": 3}'])
def test_a_lock_file_nobody_can_read_is_taken_over(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with folder_lock(tmp_path):
        pass


def test_a_process_that_took_over_the_number_is_not_the_owner(tmp_path: Path) -> None:
    write_owner(tmp_path, pid=os.getppid(), started="1")  # alive, but it began at another time
    with folder_lock(tmp_path):
        pass


def test_another_machine_cannot_be_asked_and_is_believed(tmp_path: Path) -> None:
    write_owner(tmp_path, host="elsewhere", pid=77)
    with pytest.raises(ResourceError, match=r"process 77 on elsewhere.* - .*delete \.lock"):
        folder_lock(tmp_path).__enter__()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="folder is not there"):
        folder_lock(tmp_path / "gone").__enter__()
