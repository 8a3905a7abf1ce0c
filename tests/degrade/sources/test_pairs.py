"""Which LR file belongs to which HR file, what scale they are of, and what is said where they do not fit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from degrade import codecs
from degrade.errors import ImageError, UsageError
from degrade.sources.folder import listed
from degrade.sources.pairs import load_pair, scan_pairs
from degrade.synthesize.plan import PlannedSource

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A picture of noise below `tmp_path`, another for each name; `size` is (height, width)."""

    def write(name: str, size: tuple[int, int] = (6, 9), seed: int | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(hash(name) % 2**32 if seed is None else seed)
        codecs.write(path, codecs.Photo(rng.integers(0, 256, (*size, 3), dtype=np.uint8)), overwrite=True)
        return path

    return write


def matched(tmp_path: Path) -> set[tuple[str, str]]:
    return {(pair.lr_path, pair.path) for pair in scan_pairs(tmp_path / "lr", tmp_path / "hr").pairs}


def test_the_same_path_belongs_together_below_the_folders(make: Make, tmp_path: Path) -> None:
    for name in ("a.png", "day/a.png", "day/b.png"):
        make(f"lr/{name}"), make(f"hr/{name}", (24, 36))
    assert matched(tmp_path) == {("a.png", "a.png"), ("day/a.png", "day/a.png"), ("day/b.png", "day/b.png")}
    found = scan_pairs(tmp_path / "lr", tmp_path / "hr")
    assert (found.scale, found.skipped) == (4, [])


@pytest.mark.parametrize(
    ("lr", "hr"),
    [
        ("a.bmp", "a.png"),
        ("0001x4.png", "0001.png"),  # DIV2K
        ("0001x4m.png", "0001.png"),  # its mild track
        ("0001_x2.png", "0001.png"),
        ("Canon_001_LR4.png", "Canon_001_HR.png"),  # RealSR
        ("img_001_SRF_4_LR.png", "img_001_SRF_4_HR.png"),  # Set5 of SelfExSR
        ("x4.png", "x4.png"),
    ],
)
def test_suffixes_and_what_data_sets_append_may_differ(make: Make, tmp_path: Path, lr: str, hr: str) -> None:
    make(f"lr/{lr}"), make(f"hr/{hr}", (12, 18))
    assert matched(tmp_path) == {(lr, hr)}


def test_the_surest_name_wins(make: Make, tmp_path: Path) -> None:
    make("lr/a.png"), make("lr/ax4.png"), make("hr/a.png", (12, 18)), make("hr/a.bmp", (12, 18))
    make("lr/bx2.png"), make("hr/bx2.png", (12, 18)), make("hr/b.png", (12, 18))
    found = scan_pairs(tmp_path / "lr", tmp_path / "hr")
    assert matched(tmp_path) == {("a.png", "a.png"), ("bx2.png", "bx2.png")}
    told = {Path(entry.path).name: (entry.kind, entry.message) for entry in found.skipped}
    assert told["ax4.png"] == ("unmatched", f"fits a.bmp and a.png in {tmp_path / 'hr'}")
    assert set(told) == {"ax4.png", "a.bmp", "b.png"}


def test_files_without_a_partner_are_listed(make: Make, tmp_path: Path) -> None:
    make("lr/a.png"), make("hr/a.png"), make("lr/b.png"), make("hr/c.png"), make("hr/d/a.png")
    found = scan_pairs(tmp_path / "lr", tmp_path / "hr")
    assert [(str(Path(s.path).relative_to(tmp_path)), s.kind) for s in found.skipped] == [
        ("hr/c.png", "unmatched"),
        ("hr/d/a.png", "unmatched"),
        ("lr/b.png", "unmatched"),
    ]


def test_identity_is_that_of_both_files(make: Make, tmp_path: Path) -> None:
    lr, hr = make("lr/a.png"), make("hr/a.png", (18, 27))
    (pair,) = scan_pairs(tmp_path / "lr", tmp_path / "hr").pairs
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (hr, lr)]
    assert (pair.hr_sha256, pair.lr_sha256) == tuple(digests)
    assert pair.sha256 == hashlib.sha256("".join(digests).encode()).hexdigest()
    assert (pair.height, pair.width, pair.num_bytes) == (18, 27, lr.stat().st_size + hr.stat().st_size)
    assert PlannedSource(pair, "0" * 16, 3).as_dict()["lr_path"] == "a.png"  # plans hold all of it


def test_one_lr_may_stand_under_two_names_and_a_pair_counts_once(make: Make, tmp_path: Path) -> None:
    make("lr/a.png", seed=1), make("lr/b.png", seed=1), make("lr/c.png", seed=1)
    make("hr/a.png", seed=2), make("hr/b.png", seed=3), make("hr/c.png", seed=2)
    found = scan_pairs(tmp_path / "lr", tmp_path / "hr")
    assert {pair.path for pair in found.pairs} == {"a.png", "b.png"}
    assert [pair.sha256 for pair in found.pairs] == sorted(pair.sha256 for pair in found.pairs)
    assert len(listed([tmp_path / "lr"]).sources) == 3


def test_pairs_are_read_upright_and_checked(make: Make, tmp_path: Path) -> None:
    lr, hr = make("lr/a.png"), make("hr/a.png", (12, 18))
    (pair,) = scan_pairs(tmp_path / "lr", tmp_path / "hr").pairs
    lr_pixels, hr_pixels = load_pair(pair, 2)
    assert np.array_equal(lr_pixels, codecs.read(lr).pixels)
    assert np.array_equal(hr_pixels, codecs.read(hr).pixels)
    with pytest.raises(ImageError, match=r"lr/a\.png: LR of 9 x 6 pixels, its HR of 18 x 12 - crop"):
        load_pair(pair, 3)
    make("lr/a.png", seed=77)
    with pytest.raises(ImageError, match=r"lr/a\.png: the file changed"):
        load_pair(pair, 2)


def test_a_damaged_header_leaves_the_scale_to_the_others(make: Make, tmp_path: Path) -> None:
    make("lr/a.png"), make("hr/a.png", (12, 18)), make("hr/b.png", (12, 18))
    make("lr/b.png").write_bytes(b"\x89PNG")
    found = scan_pairs(tmp_path / "lr", tmp_path / "hr")
    assert (found.scale, len(found.pairs)) == (2, 2)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"a": ((6, 9), (13, 18))}, r"lr/a\.png: LR of 9 x 6 pixels, its HR of 18 x 13 - HR must be a whole multiple"),
        ({"a": ((12, 18), (6, 9))}, r"lr/a\.png: LR of 18 x 12 pixels, its HR of 9 x 6 - "),
        ({"a": ((6, 9), (12, 27))}, r"lr/a\.png: .* - HR must be"),
        (
            {"a": ((6, 9), (12, 18)), "b": ((6, 9), (24, 36))},
            r"lr/b\.png: its HR is 4 times its size, that of a\.png 2",
        ),
    ],
)
def test_sizes_that_do_not_fit_name_the_file(
    make: Make, tmp_path: Path, sizes: dict[str, tuple[tuple[int, int], tuple[int, int]]], said: str
) -> None:
    for name, (lr, hr) in sizes.items():
        make(f"lr/{name}.png", lr), make(f"hr/{name}.png", hr)
    with pytest.raises(UsageError, match=said):
        scan_pairs(tmp_path / "lr", tmp_path / "hr")


def test_no_folder_and_no_pair_are_one_line(make: Make, tmp_path: Path) -> None:
    make("lr/a.png"), make("hr/b.png")
    with pytest.raises(UsageError, match=r"1 pictures in .*, 1 in .*, and no name in both - give the two"):
        scan_pairs(tmp_path / "lr", tmp_path / "hr")
    with pytest.raises(UsageError, match="none: no such folder"):
        scan_pairs(tmp_path / "lr", tmp_path / "none")
