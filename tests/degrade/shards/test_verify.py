"""Faults put into shards one at a time: each is found by `verify`, and none reaches a reader's pixels."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from degrade.atomic import sweep
from degrade.errors import DegradeError, IntegrityError, UsageError
from degrade.shards.manifest import read_manifest, shard_files
from degrade.shards.reader import open_shards
from degrade.shards.verify import examine, verify

NUM_FLIPS = 150


@pytest.fixture
def folder(folder_maker, tmp_path: Path) -> Path:
    """Two shards of about 100 kB."""
    (tmp_path / "plan.json").write_bytes(b"{}")
    folder_maker(tmp_path, 2, num_pairs=24, size=48)
    return tmp_path


def served(folder: Path) -> list[tuple[bytes, bytes, str]] | None:
    """All that a reader hands out, or None where it refuses."""
    try:
        pairs = open_shards(folder)
        known = [f"{pair.trace} {pair.source} {pairs.origin(i)}" for i, pair in enumerate(pairs)]
        return [(pair.lr.tobytes(), pair.hr.tobytes(), text) for pair, text in zip(pairs, known, strict=True)]
    except IntegrityError:
        return None


def flips(data: bytes, *, until: int | None = None, seed: int = 0) -> Iterator[tuple[int, bytes]]:
    random = np.random.Generator(np.random.Philox(seed))
    for place in random.integers(0, until or len(data), NUM_FLIPS):
        yield int(place), data[:place] + bytes([data[place] ^ (1 << int(random.integers(8)))]) + data[place + 1 :]


def test_a_whole_set_has_no_faults(folder: Path) -> None:
    assert verify(folder) == []
    with pytest.raises(UsageError, match="is not there"):
        verify(folder / "none")


@pytest.mark.slow
def test_no_single_bit_flip_is_silent(folder: Path) -> None:
    """150 over the whole shard and 150 in its structure and index: refused when read, and named by verify."""
    path = sorted(folder.glob("*.h5"))[0]
    data = path.read_bytes()
    truth = served(folder)
    found = {"reader": 0, "verify": 0, "wrong": 0}
    for until, seed in ((None, 0), (4096, 1)):
        for _, flipped in flips(data, until=until, seed=seed):
            path.write_bytes(flipped)
            result = served(folder)
            found["reader"] += result is None
            found["wrong"] += result is not None and result != truth
            found["verify"] += any(path.name in str(fault) for fault in verify(folder))
    assert found == {"reader": 2 * NUM_FLIPS, "verify": 2 * NUM_FLIPS, "wrong": 0}


def test_a_few_bit_flips_of_each_kind_are_found(folder: Path) -> None:
    path = sorted(folder.glob("*.h5"))[1]
    data = path.read_bytes()
    for place in (8, 20, 100, 600, 5000, len(data) // 2, len(data) - 1000, len(data) - 1):
        path.write_bytes(data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :])
        assert served(folder) is None
        (fault,) = verify(folder)
        assert str(fault).startswith(f"{path}: ")
        assert "run the same `degrade synth` command again" in str(fault)


def test_cuts_and_zeroed_pages_are_found(folder: Path) -> None:
    path = sorted(folder.glob("*.h5"))[0]
    data = path.read_bytes()
    random = np.random.Generator(np.random.Philox(3))
    for place in random.integers(0, len(data), 25):
        page = int(place) // 4096 * 4096
        zeroed = data[:page] + bytes(len(data[page : page + 4096])) + data[page + 4096 :]
        for broken in (data[:place], zeroed, data + b"\0"):
            path.write_bytes(broken)
            assert served(folder) is None
            assert any(path.name in str(fault) for fault in verify(folder))
    path.write_bytes(data)
    assert verify(folder) == []


def test_damaged_rows_are_named(folder: Path) -> None:
    path = sorted(folder.glob("*.h5"))[0]
    data = bytearray(path.read_bytes())
    start = examine(path).pixels[0][0]
    row = 48 * 56 * 3
    for patch in range(1, 9):
        data[start + patch * row] ^= 1
    path.write_bytes(data)
    (fault,) = verify(folder)
    assert f"{path}: damaged: hr[1], hr[2], hr[3], hr[4], hr[5] and 3 more" in str(fault)
    with pytest.raises(IntegrityError, match=r"hr\[1\]"):
        examine(path)


def test_exchanged_missing_and_strange_shards_are_found(folder: Path) -> None:
    first, second = sorted(folder.glob("*.h5"))
    data = first.read_bytes(), second.read_bytes()
    first.write_bytes(data[1])
    second.write_bytes(data[0])
    assert sorted(Path(fault.subject).name for fault in verify(folder)) == [first.name, second.name]
    assert served(folder) is None
    first.write_bytes(data[0])
    second.unlink()
    assert [fault.problem for fault in verify(folder)] == ["the shard is missing"]
    second.write_bytes(data[1])
    (folder / "more.h5").write_bytes(data[0])
    assert [fault.problem for fault in verify(folder)] == ["not listed in the manifest"]


def test_plan_and_manifest_are_checked(folder: Path) -> None:
    (folder / "plan.json").write_bytes(b"{ }")
    assert [str(fault).split(" - ")[0] for fault in verify(folder)] == [
        f"{folder / 'plan.json'}: not the plan that the manifest was made from"
    ]
    (folder / "manifest.json").write_bytes(b"{")
    path = sorted(folder.glob("*.h5"))[0]
    path.write_bytes(path.read_bytes()[:-100])
    problems = [fault.problem for fault in verify(folder)]
    assert len(problems) == 2
    assert "not valid JSON" in problems[0]
    (folder / "manifest.json").unlink()
    assert verify(folder)[0].problem == "not finished: no manifest"


def test_examine_gives_the_record_that_the_writer_gave(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert manifest is not None
    assert tuple(examine(path) for path in sorted(folder.glob("*.h5"))) == manifest.shards


def test_faults_are_errors_with_a_cure(folder: Path) -> None:
    next(folder.glob("*.h5")).unlink()
    for fault in verify(folder):
        assert isinstance(fault, DegradeError)
        assert fault.exit_code == 4
        assert fault.cure


FUZZ = """
import sys
from pathlib import Path
import numpy as np
from degrade.errors import IntegrityError
from degrade.shards.shard import Shard
path, data = Path(sys.argv[1]), Path(sys.argv[1]).read_bytes()
random = np.random.Generator(np.random.Philox(5))
refused = 0
for _ in range(600):
    place, length = int(random.integers(len(data))), int(random.integers(1, 65))
    edited = data[:place] + random.bytes(length) + data[place + length :]
    path.write_bytes(edited[: len(data)])
    try:
        shard = Shard(path)  # no record: HDF5 itself sees the damage
        shard.sources, [shard.trace(row) for row in range(len(shard))], shard.damaged_rows()
    except IntegrityError:
        refused += 1
print(refused)
"""


@pytest.mark.slow
def test_random_edits_without_a_manifest_never_crash_or_hang(folder: Path) -> None:
    path = sorted(folder.glob("*.h5"))[0]
    run = subprocess.run(
        [sys.executable, "-c", FUZZ, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert int(run.stdout) > 20


WRITE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import make_shard
from degrade.shards.writer import write_shard
header, rows = make_shard(48, size=96)
print("ready", flush=True)
while True:
    write_shard(Path(sys.argv[2]) / "a.h5", header, rows)
"""


@pytest.mark.slow
def test_kill_9_while_writing_leaves_whole_shards(tmp_path: Path) -> None:
    for delay in np.random.Generator(np.random.Philox(2)).uniform(0, 0.03, 20):
        command = [sys.executable, "-c", WRITE, str(Path(__file__).parent), str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay)
            process.kill()
        for path in shard_files(tmp_path):
            assert examine(path).num_pairs == 48
        assert [fault for fault in verify(tmp_path) if ".h5" in str(fault)] == []  # half a temporary file is none
    assert (tmp_path / "a.h5").exists()
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]
