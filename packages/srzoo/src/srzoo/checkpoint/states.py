"""Training state: folders `step-000123/` that exist whole or not at all, each file under its SHA-256.

state.safetensors   every tensor: weights, averages, optimisers, random number generators
facts.json          everything else: step, stage, settings, digests of the shard sets
meta.json           format, step, SHA-256 of the other two
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from degrade.atomic import PREFIX, process_is_alive, resource_error, sync_folder

FORMAT = "srzoo-state"
FORMAT_VERSION = 1
_NAME = "step-{:06d}"


@dataclass(frozen=True)
class State:
    """One saved moment of a run."""

    step: int
    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def save_state(root: Path, state: State) -> Path:
    """Write `state` as a folder in `root`, renamed into place last; returns it.

    Raises:
        ResourceError: no room or no permission; older states stay as they are.
    """
    final = root / _NAME.format(state.step)
    temporary = root / f"{PREFIX}{socket.gethostname()}.{os.getpid()}.{final.name}"
    files = {
        "state.safetensors": safetensors.torch.save(
            {key: value.detach().cpu().contiguous() for key, value in state.tensors.items()}
        ),
        "facts.json": json.dumps(state.facts, indent=1, sort_keys=True).encode(),
    }
    meta = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "step": state.step,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    try:
        root.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        for name, data in {**files, "meta.json": json.dumps(meta, indent=1).encode()}.items():
            _write(temporary / name, data)
        sync_folder(temporary)
        if final.exists():  # the same step again, after going on from an older state
            shutil.rmtree(final)
        temporary.rename(final)
        sync_folder(root)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise resource_error(final, error, needed=sum(map(len, files.values()))) from None
    return final


def newest_state(root: Path, *, put_aside: bool = True) -> tuple[State | None, list[str]]:
    """The newest state in `root` that verifies, and one line for each broken one that was passed over.

    Args:
        put_aside: rename the broken ones to `broken-...`, so that they are kept but not tried again.
    """
    notes: list[str] = []
    if put_aside:
        _sweep(root)
    for folder in sorted(root.glob("step-*"), key=_step_of, reverse=True):
        try:
            return _read(folder), notes
        except (OSError, ValueError, KeyError, TypeError) as error:
            kept = folder
            if put_aside:
                kept = _free_name(root / f"broken-{folder.name}")
                folder.rename(kept)
            notes.append(f"{folder}: broken ({' '.join(str(error).split())[:80]}), kept as {kept.name}")
    return None, notes


def prune_states(root: Path, *, keep: int, best: int | None) -> None:
    """Delete all but the newest `keep` states and the one of step `best`."""
    folders = sorted(root.glob("step-*"), key=_step_of)
    for folder in folders[:-keep]:
        if _step_of(folder) != best:
            shutil.rmtree(folder, ignore_errors=True)


def _step_of(folder: Path) -> int:
    number = folder.name.removeprefix("step-")
    return int(number) if number.isdigit() else -1


def _read(folder: Path) -> State:
    meta = json.loads((folder / "meta.json").read_bytes())
    if meta["format"] != FORMAT or meta["format_version"] != FORMAT_VERSION:
        raise ValueError(f"format {meta['format']} {meta['format_version']}, known is {FORMAT} {FORMAT_VERSION}")
    files: Mapping[str, str] = meta["files"]
    data = {name: (folder / name).read_bytes() for name in ("state.safetensors", "facts.json")}
    for name, content in data.items():
        if hashlib.sha256(content).hexdigest() != files[name]:
            raise ValueError(f"{name} is not what was written")
    facts = json.loads(data["facts.json"])
    return State(int(meta["step"]), safetensors.torch.load(data["state.safetensors"]), facts)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _free_name(path: Path) -> Path:
    number, candidate = 1, path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate


def _sweep(root: Path) -> None:
    """Remove half-written folders that dead processes of this machine left."""
    mine = f"{PREFIX}{socket.gethostname()}."
    for stale in root.glob(f"{mine}*"):
        process = stale.name.removeprefix(mine).split(".")[0]
        if process.isdigit() and (int(process) == os.getpid() or not process_is_alive(int(process))):
            shutil.rmtree(stale, ignore_errors=True)
