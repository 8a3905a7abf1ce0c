"""Which shards of an unfinished run are done: a line for each, durable before the next is counted.

A line carries the SHA-256 of its shard, so a run that goes on believes no file it has not checked in full.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from degrade.atomic import resource_error, write_bytes
from degrade.shards.manifest import ShardRecord
from degrade.sources.folder import Skipped
from degrade.synthesize.task import Outcome

JOURNAL_NAME = "progress.jsonl"


class Journal:
    """The journal of a folder, open for appending."""

    def __init__(self, folder: Path, done: Mapping[int, Outcome], skipped: Sequence[Skipped] = ()) -> None:
        """Start it anew with what is already done, and inputs known to be left out."""
        self.path = folder / JOURNAL_NAME
        lines = [_line(None, Outcome(None, tuple(skipped)))] if skipped else []
        lines += [_line(index, outcome) for index, outcome in sorted(done.items())]
        write_bytes(self.path, "".join(lines).encode())

    def add(self, index: int, outcome: Outcome) -> None:
        """Note that shard `index` is done.

        Raises:
            ResourceError: the line cannot be written.
        """
        data = memoryview(_line(index, outcome).encode())
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                while data:
                    data = data[os.write(descriptor, data) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise resource_error(self.path, error, needed=len(data)) from None


def read_journal(folder: Path) -> tuple[dict[int, Outcome], tuple[Skipped, ...]]:
    """Shards noted as done, and inputs left out beside theirs. A line cut short by a crash counts for nothing."""
    done: dict[int, Outcome] = {}
    skipped: tuple[Skipped, ...] = ()
    try:
        text = (folder / JOURNAL_NAME).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return done, skipped
    except OSError as error:
        raise resource_error(folder / JOURNAL_NAME, error) from None
    for line in text.splitlines():
        try:
            table = json.loads(line)
            outcome, index = outcome_from(table), table["shard"]
        except (ValueError, KeyError, TypeError):
            continue
        if index is None:
            skipped += outcome.skipped
        else:
            done[int(index)] = outcome
    return done, skipped


def outcome_from(table: Mapping[str, Any]) -> Outcome:
    """The outcome that `dataclasses.asdict` and JSON made `table` of."""
    record, skipped = table["record"], tuple(Skipped(**entry) for entry in table["skipped"])
    if record is None:
        return Outcome(None, skipped)
    hr, lr = record["pixels"]
    return Outcome(ShardRecord(**{**record, "pixels": (tuple(hr), tuple(lr))}), skipped)


def _line(index: int | None, outcome: Outcome) -> str:
    return json.dumps({"shard": index, **asdict(outcome)}, separators=(",", ":")) + "\n"
