"""The last lock: TorchScript that the gate would refuse is run without it, and still cannot write."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from degrade.ops.learned.lock import landlock_version, write_nothing
from degrade.ops.learned.model import result_of

pytestmark = pytest.mark.skipif(not landlock_version(), reason="no Landlock on this system")

IMAGE = np.full((3, 4, 4), 0.5, np.float32)


class MapsAFile(nn.Module):
    """`from_file` with shared memory makes the file, or changes one that is there."""

    def __init__(self, canary: str) -> None:
        super().__init__()
        self.canary = canary

    def forward(self, image: Tensor) -> Tensor:
        mapped = torch.from_file(self.canary, True, image.numel(), dtype=torch.float32)
        mapped.fill_(7)
        return image + mapped[0]


class Saves(MapsAFile):
    def forward(self, image: Tensor) -> Tensor:
        torch.save(image, self.canary)
        return image


class SavesWhenLoaded(MapsAFile):
    @torch.jit.export
    def __getstate__(self) -> tuple[str, bool]:  # pyright: ignore[reportIncompatibleMethodOverride]  TorchScript's own
        return self.canary, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]) -> None:
        self.canary = state[0]
        self.training = state[1]
        torch.save(self.training, self.canary)

    def forward(self, image: Tensor) -> Tensor:
        return image


def unlocked(call: Callable[[], object]) -> object:
    return call()


def outcome(run: Callable[..., object], data: bytes) -> None:
    """Load and run it in this thread or in the locked one."""

    def call() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.jit.load(io.BytesIO(data))(torch.from_numpy(IMAGE[None]))

    run(call)


@pytest.mark.parametrize("hostile", [MapsAFile, Saves, SavesWhenLoaded])
def test_hostile_code_writes_no_file_though_nothing_checked_it(
    hostile: type[MapsAFile], torchscript: Callable[..., bytes], tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    data = torchscript(hostile(str(canary)), freeze=False)
    canary.unlink(missing_ok=True)
    outcome(unlocked, data)
    assert canary.exists()  # it is hostile
    canary.unlink()
    for run in (partial(outcome, write_nothing, data), partial(result_of, data, IMAGE)):
        with contextlib.suppress(RuntimeError):  # torch.save does not notice
            run()
        assert not canary.exists()


def test_hostile_code_changes_no_file_that_is_there(torchscript: Callable[..., bytes], tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_bytes(bytes(192))
    data = torchscript(MapsAFile(str(canary)), freeze=False)
    with pytest.raises(RuntimeError, match="Permission denied"):
        result_of(data, IMAGE)
    assert canary.read_bytes() == bytes(192)
    outcome(unlocked, data)
    assert canary.read_bytes() != bytes(192)


def test_the_thread_reads_but_neither_writes_nor_removes_nor_starts_anything(tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_text("as it was")
    assert write_nothing(file.read_text) == "as it was"
    changes: list[Callable[[], object]] = [
        partial(file.write_text, "changed"),
        (tmp_path / "new").touch,
        file.unlink,
        folder.mkdir,
        partial(file.rename, tmp_path / "moved"),
        partial(os.truncate, file, 0),
        partial((tmp_path / "link").symlink_to, file),
        partial(subprocess.run, ["/bin/true"], check=True),
    ]
    if landlock_version() < 3:
        changes.pop(5)
    for change in changes:
        with pytest.raises(PermissionError):
            write_nothing(change)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    file.write_text("changed")  # other threads may
    assert write_nothing(file.read_text) == "changed"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_a_locked_thread_of_its_own(tmp_path: Path) -> None:
    """As the loaders of other programs do; its parent's thread would never answer."""
    assert write_nothing(lambda: 1) == 1
    child = os.fork()
    if not child:
        try:
            write_nothing((tmp_path / "new").touch)
        except PermissionError:
            os._exit(5)
        os._exit(1)
    for _ in range(600):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.1)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("it waits for a thread that is not there")
    assert os.waitstatus_to_exitcode(status) == 5
    assert not (tmp_path / "new").exists()
