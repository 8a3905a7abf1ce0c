"""A set of shards: the same bytes whatever happens, nothing half done, and what is said when it cannot be."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import degrade
from degrade import atomic, codecs
from degrade.errors import PlanChangedError, ResourceError, UsageError
from degrade.image import window
from degrade.pipeline import replay
from degrade.shards.manifest import read_manifest
from degrade.shards.reader import open_shards
from degrade.synthesize import Summary, synthesize, task
from degrade.synthesize.lock import folder_lock
from degrade.synthesize.plan import parse_plan
from degrade.synthesize.task import fill_shard

Make = Callable[..., Summary]
Files = Callable[[Path], dict[str, bytes]]


def pairs_by_place(folder: Path) -> dict[tuple[str, int, int], tuple[bytes, bytes]]:
    """(photo, patch, variant) -> LR and HR bytes."""
    stored = open_shards(folder)
    result = {}
    for index in range(len(stored)):
        pair = stored[index]
        result[pair.source, pair.trace["patch"], pair.trace["variant"]] = pair.lr.tobytes(), pair.hr.tobytes()
    return result


def test_the_summary_and_the_set_agree(make: Make, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    summary = make(progress=lambda *counts: told.append(counts))
    assert (summary.num_pairs, summary.num_planned, summary.num_made, summary.num_photos) == (48, 48, 48, 8)
    assert len(open_shards(tmp_path / "out")) == 48
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None
    assert manifest.complete
    plan = parse_plan((tmp_path / "out/plan.json").read_text(), origin="plan")
    assert manifest.plan_sha256 == plan.digest()
    assert summary.num_shards == plan.num_shards == 3
    assert summary.num_bytes == sum(path.stat().st_size for path in (tmp_path / "out").glob("*.h5"))
    assert told[-1] == (48, 48)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.suffix != ".h5") == [
        "manifest.json",
        "plan.json",
    ]


def test_every_pair_replays_from_its_photo_and_trace(make: Make, photos: Path, tmp_path: Path) -> None:
    make(per_image=4)
    by_sha = {codecs.sha256(path.read_bytes()): codecs.rgb8(codecs.read(path)) for path in photos.iterdir()}
    plan = parse_plan((tmp_path / "out/plan.json").read_text(), origin="plan")
    places = set()
    with_shards = open_shards(tmp_path / "out")
    for index in range(len(with_shards)):
        pair = with_shards[index]
        y, x = (int(v) for v in pair.shard.origin(pair.row))
        places.add((pair.source, y, x))
        photo = by_sha[pair.source]
        assert np.array_equal(pair.hr, photo[y : y + 16, x : x + 16])
        around = window(photo, y, x, 16, 16, plan.margin)
        assert np.array_equal(replay(around, json.dumps(pair.trace), scale=4, margin=plan.margin), pair.lr)
    assert len(places) > 28  # drawn, not laid out on a grid


def test_positions_are_uniform_over_all_that_fit(make: Make, photos: Path, tmp_path: Path) -> None:
    make(hr=[photos / "p0.png"], per_image=600, recipe="bicubic")
    pairs = open_shards(tmp_path / "out")
    origins = np.array([pairs[i].shard.origin(pairs[i].row) for i in range(len(pairs))])
    for axis, count in ((0, 60 - 16 + 1), (1, 72 - 16 + 1)):
        seen = np.bincount(origins[:, axis], minlength=count)
        assert len(seen) == count
        chi_square = ((seen - 600 / count) ** 2 / (600 / count)).sum()
        assert chi_square < count + 4 * np.sqrt(2 * count)  # 4 standard deviations of that distribution


def test_the_same_bytes_in_any_listing_order(make: Make, photos: Path, tmp_path: Path, files: Files) -> None:
    make("a")
    listed = sorted(photos.iterdir())
    random.Random(1).shuffle(listed)
    make("b", hr=[*listed, listed[0]])
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_the_same_bytes_on_any_executor(make: Make, tmp_path: Path, files: Files) -> None:
    make("a")
    with ThreadPoolExecutor(3) as executor:
        make("b", workers=executor)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_broken_photos_leave_all_other_pairs_as_they_were(make: Make, photos: Path, tmp_path: Path) -> None:
    make("whole", pairs=48, per_image=None)
    broken = [photos / f"p{number}.png" for number in (1, 4, 6)]
    gone = {codecs.sha256(path.read_bytes()) for path in broken}
    broken[0].write_bytes(b"")
    broken[1].write_bytes(broken[1].read_bytes()[:-200])
    broken[2].write_bytes(b"<html>not found</html>")
    summary = make("rest", pairs=48, per_image=None)
    before, after = pairs_by_place(tmp_path / "whole"), pairs_by_place(tmp_path / "rest")
    kept = {place: pair for place, pair in before.items() if place[0] not in gone}
    assert len(kept) == 30
    assert kept.items() <= after.items()
    listed = [json.loads(line) for line in (tmp_path / "rest/skipped.jsonl").read_text().splitlines()]
    assert [Path(entry["path"]).name for entry in listed] == ["p1.png", "p4.png", "p6.png"]
    assert all(set(entry) == {"path", "sha256", "kind", "message"} for entry in listed)
    assert len(summary.skipped) == 3


def test_a_photo_that_changes_after_it_was_listed_is_left_out(
    make: Make, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("whole")

    def meddling(*arguments: Any, **options: Any) -> Any:
        (photos / "p3.png").write_bytes(b"other")
        return fill_shard(*arguments, **options)

    monkeypatch.setattr(task, "fill_shard", meddling)
    summary = make("rest")
    before, after = pairs_by_place(tmp_path / "whole"), pairs_by_place(tmp_path / "rest")
    assert after.items() <= before.items()
    assert summary.num_pairs == len(after) == 48 - 6
    assert [Path(entry.path).name for entry in summary.skipped] == ["p3.png"]
    assert "changed" in summary.skipped[0].message


def test_photos_smaller_than_a_patch_are_left_out_with_the_least_size(
    make: Make, photos: Path, photo_writer: Callable[..., None]
) -> None:
    photo_writer(photos / "small.png", 77, 15, 90)
    summary = make()
    assert [(Path(entry.path).name, entry.kind, entry.message) for entry in summary.skipped] == [
        ("small.png", "too small", "15 x 90 pixels; patches need at least 16 x 16")
    ]
    assert summary.num_pairs == 48


def test_all_variants_of_a_patch_share_its_hr(make: Make, tmp_path: Path) -> None:
    make(variants=3, per_image=2)
    pairs = open_shards(tmp_path / "out")
    assert len(pairs) == 48
    places = pairs_by_place(tmp_path / "out")
    for source, patch, _ in places:
        variants = [places[source, patch, v] for v in range(3)]
        assert len({hr for _, hr in variants}) == 1
        assert len({lr for lr, _ in variants}) == 3
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None
    assert sum(record.num_hr for record in manifest.shards) == 16


def test_least_detail_avoids_flat_patches_and_still_meets_the_quota(make: Make, photos: Path, tmp_path: Path) -> None:
    half_flat = np.full((80, 160, 3), 128, np.uint8)
    half_flat[:, 100:] = np.random.default_rng(0).integers(0, 256, (80, 60, 3))
    codecs.write(tmp_path / "half.png", codecs.Photo(half_flat))
    flat = np.full((40, 40, 3), 90, np.uint8)
    codecs.write(tmp_path / "flat.png", codecs.Photo(flat))
    shares = {}
    for least in (0.0, 30.0):
        make(f"d{least}", hr=[tmp_path / "half.png", tmp_path / "flat.png"], per_image=60, min_detail=least)
        hr = [hr for (_, hr) in pairs_by_place(tmp_path / f"d{least}").values()]
        assert len(hr) == 120
        shares[least] = sum(len(set(patch)) > 2 for patch in hr) / 60
    assert shares[0.0] < 0.75
    assert shares[30.0] > 0.95  # eight tries, each with more than a third of a chance


def test_an_unfinished_run_goes_on_and_ends_the_same(
    make: Make, tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("whole")
    filled: list[int] = []

    def dying(plan: Any, recipe: Any, index: int, **options: Any) -> Any:
        if index == 2:
            raise KeyboardInterrupt
        filled.append(index)
        return fill_shard(plan, recipe, index, **options)

    with monkeypatch.context() as patched:
        patched.setattr(task, "fill_shard", dying)
        with pytest.raises(KeyboardInterrupt):
            make("out")
    assert not (tmp_path / "out/manifest.json").exists()
    assert not (tmp_path / "out/.lock").exists()
    summary = make("out")
    assert filled == [0, 1]
    assert summary.num_made == 48 - 16  # the second was still being written
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_a_shard_of_an_unfinished_run_is_believed_only_byte_for_byte(make: Make, tmp_path: Path, files: Files) -> None:
    make("whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "out")
    (tmp_path / "out/manifest.json").unlink()  # shards nobody vouches for
    assert make("out").num_made == 48
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_a_finished_set_is_checked_and_left_alone(make: Make, tmp_path: Path) -> None:
    make()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    summary = make()
    assert (summary.num_made, summary.num_pairs) == (0, 48)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize("harm", ["flip", "cut", "remove", "manifest"])
def test_what_is_damaged_is_made_again_and_nothing_else(make: Make, tmp_path: Path, files: Files, harm: str) -> None:
    make()
    good = files(tmp_path / "out")
    shards = sorted((tmp_path / "out").glob("*.h5"))
    data = bytearray(shards[1].read_bytes())
    if harm == "flip":
        data[len(data) // 2] ^= 1
        shards[1].write_bytes(data)
    elif harm == "cut":
        shards[1].write_bytes(data[:-1])
    elif harm == "remove":
        shards[1].unlink()
    else:
        (tmp_path / "out/manifest.json").write_text("{}")
    summary = make()
    assert summary.num_made == (48 if harm == "manifest" else 16)
    assert files(tmp_path / "out") == good


def test_skipped_inputs_are_remembered_when_a_set_is_repaired(
    make: Make, photos: Path, tmp_path: Path, files: Files
) -> None:
    (photos / "p2.png").write_bytes((photos / "p2.png").read_bytes()[:-100])
    make()
    good = files(tmp_path / "out")
    assert len(make().skipped) == 1
    (tmp_path / "out/generic-x4-00002.h5").unlink()
    assert len(make().skipped) == 1
    assert files(tmp_path / "out") == good


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 1}, "seed was 0, now 1"),
        ({"patch": 32}, "patch was 16, now 32"),
        ({"variants": 2}, "variants was 1, now 2"),
        ({"recipe": "bicubic"}, "recipe was generic, now bicubic"),
        ({"overrides": ["lr.0.sigma_range=[0.2, 1.0]"]}, "the recipe changed"),
        ({"per_image": 9}, "pairs were 48, now 72"),
    ],
)
def test_another_run_is_refused_and_nothing_touched(
    make: Make, tmp_path: Path, files: Files, change: dict[str, Any], said: str
) -> None:
    make()
    before = files(tmp_path / "out")
    for dry_run in (True, False):
        with pytest.raises(PlanChangedError, match=said) as refused:
            make(**change, dry_run=dry_run)
        assert refused.value.exit_code == 2
        assert "--overwrite" in refused.value.cure
    assert files(tmp_path / "out") == before


def test_overwrite_starts_over_and_leaves_no_old_shard(make: Make, tmp_path: Path, files: Files) -> None:
    make("fresh", per_image=4, seed=3)
    make()
    (tmp_path / "out/report.html").write_text("mine")
    make(per_image=4, seed=3, overwrite=True)
    after = files(tmp_path / "out")
    assert after.pop("report.html") == b"mine"
    assert after == files(tmp_path / "fresh")


def test_shards_without_a_plan_are_not_mixed_with(make: Make, tmp_path: Path) -> None:
    make()
    (tmp_path / "out/plan.json").unlink()
    with pytest.raises(UsageError, match="holds shards but no plan"):
        make()


def test_a_dry_run_writes_nothing(make: Make, tmp_path: Path) -> None:
    summary = make(dry_run=True)
    assert (summary.num_planned, summary.num_shards, summary.is_dry_run) == (48, 3, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("contents", [{}, {"notes.txt": b"text"}, {".hidden.png": b"x"}])
def test_a_folder_without_pictures_is_refused(make: Make, tmp_path: Path, contents: dict[str, bytes]) -> None:
    (tmp_path / "empty").mkdir()
    for name, data in contents.items():
        (tmp_path / "empty" / name).write_bytes(data)
    with pytest.raises(UsageError, match="no pictures seen") as refused:
        make(hr=[tmp_path / "empty"])
    assert refused.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_only_broken_pictures_are_refused_with_counts(make: Make, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    for number in range(3):
        (tmp_path / "bad" / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes([number]))
    with pytest.raises(UsageError, match=r"3 inputs seen, none usable \(3 unreadable") as refused:
        make(hr=[tmp_path / "bad"])
    assert refused.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_not_there_is_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        make(hr=[tmp_path / "nowhere"])


def test_scenes_can_be_asked_for(make: Make, tmp_path: Path) -> None:
    summary = make(hr=["dead-leaves:3@40x48"], per_image=2)
    assert (summary.num_photos, summary.num_pairs) == (3, 6)
    sources = open_shards(tmp_path / "out").sources()
    assert {(source["height"], source["width"]) for source in sources} == {(40, 48)}
    make("more", hr=["dead-leaves:4@40x48"], per_image=2)
    assert pairs_by_place(tmp_path / "out").items() <= pairs_by_place(tmp_path / "more").items()


@pytest.mark.parametrize("wrong", ["dead-leaves:x", "dead-leaves:0", "dead-leaves:3@9x9", "dead-leaves:1@99999x64"])
def test_scenes_asked_for_wrongly_say_how(make: Make, wrong: str) -> None:
    with pytest.raises(UsageError, match=f"^{wrong}: .* - "):
        make(hr=[wrong])


def test_without_photos_sample_pictures_are_used_and_said(tmp_path: Path) -> None:
    lines: list[str] = []
    summary = synthesize([], "bicubic", tmp_path / "out", patch=16, dry_run=True, notice=lines.append)
    assert (summary.num_planned, summary.num_photos) == (2000, 32)
    assert len(lines) == 1
    assert "no HR given" in lines[0]
    assert "degrade synth PHOTOS/" in lines[0]


def test_names_that_are_no_text_are_carried(make: Make, photos: Path, tmp_path: Path) -> None:
    odd = os.fsencode(photos) + b"/\xff\n\x1b[2J.png"
    os.rename(photos / "p0.png", odd)  # noqa: PTH104  bytes
    summary = make()
    assert not summary.skipped
    paths = [source["path"] for source in open_shards(tmp_path / "out").sources()]
    assert os.fsdecode(b"\xff\n\x1b[2J.png") in paths
    assert make().num_made == 0


def test_what_a_dead_run_left_is_swept_and_a_live_one_kept(make: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    dead = out / f".tmp.{socket.gethostname()}.{2**22 + 1}.generic-x4-00000.h5"  # beyond the largest pid
    alive = out / f".tmp.{socket.gethostname()}.{os.getppid()}.generic-x4-00000.h5"
    dead.write_bytes(b"half")
    alive.write_bytes(b"half")
    make()
    assert not dead.exists()
    assert alive.exists()


def test_a_second_run_on_the_folder_is_refused(make: Make, tmp_path: Path, files: Files) -> None:
    make()
    before = files(tmp_path / "out")
    with folder_lock(tmp_path / "out"), pytest.raises(ResourceError, match=f"in use by process {os.getpid()}"):
        make()
    assert files(tmp_path / "out") == before


def test_out_must_be_a_folder(make: Make, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"x")
    with pytest.raises(ResourceError, match="is a file, not a folder"):
        make()
    with pytest.raises(ResourceError):
        make("out/below")


def test_a_folder_removed_on_the_way_is_one_line(make: Make, tmp_path: Path) -> None:
    def remove(done: int, planned: int) -> None:
        shutil.rmtree(tmp_path / "out", ignore_errors=True)

    with pytest.raises(ResourceError) as failed:
        make(progress=remove)
    assert failed.value.exit_code == 5


class Faults:
    """Makes the k-th call of the system's write, fsync, open, replace or unlink fail; counts the calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail_at: int, code: int) -> None:
        self.calls, self.fail_at, self.code = 0, fail_at, code
        for name in ("write", "fsync", "open"):
            monkeypatch.setattr(atomic.os, name, self.wrapped(getattr(os, name)))
        monkeypatch.setattr(Path, "replace", self.wrapped(Path.replace))

    def wrapped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls == self.fail_at:
                raise OSError(self.code, os.strerror(self.code), str(arguments[0]))
            return real(*arguments, **options)

        return call


def runs_with_faults(
    make: Make, tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch, code: int, step: int
) -> int:
    """Let every `step`-th call fail, one a run; how many there are."""
    small = {"hr": ["dead-leaves:2@40x40"], "per_image": 16, "recipe": "bicubic"}
    make("good", **small)
    good = files(tmp_path / "good")
    fail_at = 1
    while True:
        with monkeypatch.context() as patched:
            faults = Faults(patched, fail_at, code)
            if make_or_fail(make, **small) is None:
                return faults.calls
        if (tmp_path / "out").exists():
            left = files(tmp_path / "out")
            assert not any(name.startswith(".tmp") for name in left), fail_at
            assert all(data == good[name] for name, data in left.items() if name.endswith(".h5")), fail_at
        make("out", **small)
        assert files(tmp_path / "out") == good, fail_at
        shutil.rmtree(tmp_path / "out")
        fail_at += step


def make_or_fail(make: Make, **settings: Any) -> ResourceError | None:
    try:
        make("out", **settings)
    except ResourceError as error:
        return error
    return None


def test_a_failure_of_the_disk_is_one_line_and_can_be_gone_on_from(
    make: Make, tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runs_with_faults(make, tmp_path, files, monkeypatch, errno.ENOSPC, step=7) > 20


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_any_single_failure_of_the_disk_is_one_line_and_can_be_gone_on_from(
    make: Make, tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    assert runs_with_faults(make, tmp_path, files, monkeypatch, code, step=1) > 20


def test_the_package_offers_it_as_a_function(photos: Path, tmp_path: Path) -> None:
    summary = degrade.synthesize([photos], "bicubic", tmp_path / "out", patch=16, per_image=1, workers=1)
    assert summary.num_pairs == len(degrade.open_shards(tmp_path / "out")) == 8
