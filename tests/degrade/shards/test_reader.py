"""Pairs come back as written, from any process, and a set that is not whole says so."""

from __future__ import annotations

import json
import multiprocessing
import operator
import os
import pickle
import re
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from degrade.errors import IntegrityError, UsageError
from degrade.shards import reader
from degrade.shards.manifest import read_manifest
from degrade.shards.reader import Shard, ShardSet, open_shards
from degrade.shards.writer import write_shard


def expected(contents: list) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(rows.lr[i], rows.hr[rows.hr_index[i]]) for rows in contents for i in range(len(rows.lr))]


@pytest.mark.parametrize("settings", [{}, {"dtype": np.uint16, "channels": 1, "variants": 3}])
def test_every_pair_comes_back_as_written(folder_maker, tmp_path: Path, settings) -> None:
    contents = folder_maker(tmp_path, **settings)
    pairs = open_shards(tmp_path)
    truth = expected(contents)
    assert len(pairs) == len(truth) == 36
    for i, (lr, hr) in enumerate(truth):
        pair = pairs[i]
        assert pair.lr.dtype == lr.dtype == pairs.dtype
        np.testing.assert_array_equal(pair.lr, lr)
        np.testing.assert_array_equal(pair.hr, hr)
        np.testing.assert_array_equal(pairs.read(i)[0], lr)
    many = np.array([35, 0, 17, 17, 4])
    lr, hr = pairs.read_many(many)
    np.testing.assert_array_equal(lr, [truth[i][0] for i in many])
    np.testing.assert_array_equal(hr, [truth[i][1] for i in many])


def test_what_is_known_of_a_pair(folder_maker, tmp_path: Path) -> None:
    contents = folder_maker(tmp_path)
    pairs, rows = open_shards(tmp_path), contents[1]
    i, row = 12 + 7, 7
    patch = rows.hr_index[row]
    pair = pairs[i]
    assert pair.id == "generic-x4-00001:7"
    assert pair.trace == pairs.trace(i) == json.loads(rows.traces[row])
    assert pair.source == pairs.source(i) == rows.sources[rows.source_index[patch]]["sha256"]
    assert pairs.source_row(i) == rows.sources[rows.source_index[patch]]
    assert pairs.origin(i) == tuple(rows.origin[patch])
    assert pairs.hr_row(i) == patch
    assert pairs.recipe_text(i) == rows.recipe
    assert pairs.header(i).first_pair == 12
    assert (pairs.scale, pairs.zoom, pairs.colour) == (4, 1, "rgb")
    assert (pairs.hr_size, pairs.lr_size) == ((24, 32), (6, 8))
    assert pairs.libraries == ("numpy 2.0, opencv 5.0",)
    assert pairs.sizes == (12, 12, 12)
    assert pairs.num_planned == 36


def test_indices_behave_as_those_of_a_list(folder_maker, tmp_path: Path) -> None:
    truth = expected(folder_maker(tmp_path))
    pairs = open_shards(str(tmp_path))
    np.testing.assert_array_equal(pairs[-1].lr, truth[-1][0])
    np.testing.assert_array_equal(pairs.read(np.int32(3))[1], truth[3][1])
    for outside in (36, -37):
        with pytest.raises(IndexError, match="of 36"):
            pairs.read(outside)
    with pytest.raises(TypeError):
        pairs.read(1.0)  # type: ignore[arg-type]  # what is tested
    assert sum(1 for _ in pairs) == 36


def test_folders_follow_each_other_and_sources_are_numbered_through(folder_maker, tmp_path: Path) -> None:
    first, second = folder_maker(tmp_path / "a", 2), folder_maker(tmp_path / "b", 1, num_pairs=6)
    pairs = open_shards([tmp_path / "a", tmp_path / "b"])
    truth = expected(first + second)
    assert len(pairs) == len(truth) == 30
    for i in (0, 23, 24, 29):
        np.testing.assert_array_equal(pairs[i].hr, truth[i][1])
    numbers, rows = pairs.source_numbers(), pairs.sources()
    assert len({row["sha256"] for row in rows}) == len(rows) == 3
    assert [rows[n]["sha256"] for n in numbers] == [pairs.source(i) for i in range(30)]


def test_sets_that_do_not_fit_are_refused(folder_maker, tmp_path: Path) -> None:
    folder_maker(tmp_path / "a")
    for name, settings, reason in (
        ("b", {"scale": 2}, r"b: pairs of x2 rgb 24x28, but .*a has x4 rgb 24x32"),
        ("c", {"channels": 1}, "gray"),
        ("d", {"size": 32}, "32x40"),
    ):
        folder_maker(tmp_path / name, **settings)
        with pytest.raises(UsageError, match=reason):
            open_shards([tmp_path / "a", tmp_path / name])
    folder_maker(tmp_path / "e", dtype=np.uint16)
    with pytest.raises(UsageError, match="pixels of uint16 in a set of uint8"):
        open_shards([tmp_path / "a", tmp_path / "e"]).read(36)


def test_an_unfinished_set_is_refused_with_the_counts(folder_maker, tmp_path: Path) -> None:
    truth = expected(folder_maker(tmp_path))
    (tmp_path / "plan.json").write_text('{"num_pairs": 60}')
    (tmp_path / "manifest.json").unlink()
    (tmp_path / ".tmp.host.1.generic-x4-00003.h5").write_bytes(b"being written")
    message = f"{tmp_path}: not finished: 36 of 60 pairs - run the same `degrade synth` command again"
    with pytest.raises(IntegrityError, match=re.escape(message)):
        open_shards(tmp_path)
    pairs = open_shards(tmp_path, allow_partial=True)
    assert (len(pairs), pairs.num_planned) == (36, 60)
    np.testing.assert_array_equal(pairs.read(30)[1], truth[30][1])
    (tmp_path / "plan.json").unlink()
    with pytest.raises(IntegrityError, match=r"36 pairs and no manifest\.json"):
        open_shards(tmp_path)


def test_an_unfinished_manifest_is_refused_with_the_counts(folder_maker, tmp_path: Path) -> None:
    folder_maker(tmp_path, complete=False)
    with pytest.raises(IntegrityError, match="not finished: 36 of 36 pairs"):
        open_shards(tmp_path)
    assert len(open_shards(tmp_path, allow_partial=True)) == 36


def test_a_folder_without_shards_says_how_to_make_some(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no shards here - make some: degrade synth"):
        open_shards(tmp_path)
    with pytest.raises(UsageError, match="is not there"):
        open_shards(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        open_shards(tmp_path / "file")
    with pytest.raises(UsageError, match="no folder given"):
        open_shards([])
    (tmp_path / "plan.json").write_text('{"num_pairs": 60}')
    with pytest.raises(IntegrityError, match="0 of 60 pairs"):
        open_shards(tmp_path)
    with pytest.raises(IntegrityError, match="no pairs yet"):
        open_shards(tmp_path, allow_partial=True)


def test_missing_cut_and_exchanged_shards_are_named(folder_maker, tmp_path: Path) -> None:
    folder_maker(tmp_path)
    first, second, third = sorted(tmp_path.glob("*.h5"))
    pairs = open_shards(tmp_path)
    data = {path: path.read_bytes() for path in (first, second, third)}

    second.write_bytes(data[third])  # the same size, other content
    with pytest.raises(IntegrityError, match=r"00001\.h5: .* not the file that the manifest lists"):
        pairs.read(12)
    second.write_bytes(data[second][:-1])
    for folder in (tmp_path, tmp_path.as_posix()):
        with pytest.raises(IntegrityError, match=r"00001\.h5: \d+ bytes, the manifest says \d+"):
            open_shards(folder)
    with pytest.raises(IntegrityError, match=r"00001\.h5"):
        pairs.read(12)
    second.unlink()
    with pytest.raises(IntegrityError, match=r"00001\.h5: the shard is missing - run the same"):
        open_shards(tmp_path)
    with pytest.raises(IntegrityError, match="missing"):
        pairs.read(12)


def test_a_shard_cut_while_it_is_read_is_an_error_not_a_crash(folder_maker, tmp_path: Path) -> None:
    folder_maker(tmp_path, 1)
    pairs = open_shards(tmp_path)
    pairs.read(0)
    os.truncate(next(tmp_path.glob("*.h5")), 1200)
    with pytest.raises(IntegrityError, match=r"ends inside lr\[11\]"):
        pairs.read(11)


def test_a_damaged_row_is_named_and_the_others_are_served(folder_maker, tmp_path: Path) -> None:
    contents = folder_maker(tmp_path, 1, variants=1)
    path = next(tmp_path.glob("*.h5"))
    record = read_manifest(tmp_path).shards[0]  # type: ignore[union-attr]  # it is there
    (hr_start, _), (lr_start, _) = record.pixels
    with path.open("r+b") as file:
        for position in (hr_start + 5 * contents[0].hr[0].nbytes + 100, lr_start + 2 * contents[0].lr[0].nbytes):
            file.seek(position)
            byte = file.read(1)[0]
            file.seek(position)
            file.write(bytes([byte ^ 4]))
    pairs = open_shards(tmp_path)
    for i, (lr, hr) in enumerate(expected(contents)):
        if i in (2, 5):
            name = "hr[5]" if i == 5 else "lr[2]"
            with pytest.raises(IntegrityError, match=re.escape(f"{path}: {name} does not match its checksum")):
                pairs.read(i)
            continue
        np.testing.assert_array_equal(pairs.read(i)[0], lr)
        np.testing.assert_array_equal(pairs.read(i)[1], hr)


def _num_open() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_at_most_the_stated_number_of_files_is_open(folder_maker, tmp_path: Path, monkeypatch) -> None:
    truth = expected(folder_maker(tmp_path, 6, num_pairs=2))
    monkeypatch.setattr(reader, "MAX_OPEN_FILES", 3)
    before = _num_open()
    pairs = open_shards(tmp_path)
    for i in (0, 11, 4, 7, 2, 9, 0, 5, 11):
        np.testing.assert_array_equal(pairs.read(i)[1], truth[i][1])
        assert _num_open() <= before + 3
    pair = pairs[0]
    for i in range(12):
        pairs.read(i)
    assert pair.trace["patch"] == 0  # its file outlives the eviction
    del pair, pairs
    assert _num_open() == before


_SHARED: ShardSet | None = None


def _sum_of_inherited(index: int) -> int:
    assert _SHARED is not None
    return int(_SHARED.read(index)[1].sum())


def test_forked_processes_share_an_open_set(folder_maker, tmp_path: Path) -> None:
    global _SHARED
    truth = expected(folder_maker(tmp_path))
    _SHARED = open_shards(tmp_path)
    _SHARED.read(0)  # opened before the fork
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        sums = list(pool.map(_sum_of_inherited, range(36)))
    assert sums == [int(hr.sum()) for _, hr in truth]


def test_a_set_and_a_pair_survive_pickling(folder_maker, tmp_path: Path) -> None:
    truth = expected(folder_maker(tmp_path))
    pairs = open_shards(tmp_path)
    pairs.read(0)
    sent = pickle.loads(pickle.dumps((pairs, pairs[5])))
    np.testing.assert_array_equal(sent[0].read(20)[1], truth[20][1])
    np.testing.assert_array_equal(sent[1].hr, truth[5][1])
    assert sent[1].trace == pairs.trace(5)


@pytest.mark.slow
def test_spawned_processes_open_their_own(folder_maker, tmp_path: Path) -> None:
    truth = expected(folder_maker(tmp_path))
    pairs = open_shards(tmp_path)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        lr, hr = pool.submit(operator.methodcaller("read", 30), pairs).result()
    np.testing.assert_array_equal(lr, truth[30][0])
    np.testing.assert_array_equal(hr, truth[30][1])


def test_threads_may_share_a_set(folder_maker, tmp_path: Path, monkeypatch) -> None:
    truth = expected(folder_maker(tmp_path, 6))
    monkeypatch.setattr(reader, "MAX_OPEN_FILES", 2)
    pairs = open_shards(tmp_path)
    wrong: list[object] = []

    def work(seed: int) -> None:
        try:
            for i in np.random.Generator(np.random.Philox(seed)).integers(0, 72, 60):
                if not np.array_equal(pairs.read(i)[1], truth[i][1]):
                    wrong.append(i)
        except Exception as error:  # a thread's exception would be lost
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_digest_changes_with_the_content(folder_maker, tmp_path: Path) -> None:
    folder_maker(tmp_path / "a")
    folder_maker(tmp_path / "b")
    folder_maker(tmp_path / "c", num_pairs=10)
    digests = [open_shards(tmp_path / name).digest for name in "abc"]
    assert digests[0] == digests[1] != digests[2]
    assert open_shards([tmp_path / "a", tmp_path / "c"]).digest not in digests


def test_a_single_shard_opens_without_a_manifest(shard_maker, tmp_path: Path) -> None:
    header, rows = shard_maker()
    write_shard(tmp_path / "a.h5", header, rows)
    shard = Shard(tmp_path / "a.h5")
    lr = np.empty((6, 8, 3), np.uint8)
    shard.read_lr(11, lr)
    np.testing.assert_array_equal(lr, rows.lr[11])
    assert shard.header == header
    assert shard.sources == rows.sources
