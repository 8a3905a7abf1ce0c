"""Captured pairs as sources: the same scene taken twice, aligned, as files of one name in two folders."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from degrade.codecs import sha256
from degrade.errors import ImageError, UsageError
from degrade.image import Pixels
from degrade.sources.folder import Skipped, listed
from degrade.sources.load import load, where
from degrade.sources.source import Source

# What data sets add to the name of one side: 0001x4 and 0001x4m (DIV2K), Canon_001_LR4 and Canon_001_HR (RealSR).
_MARK = re.compile(r"(?<=.)(?:[-_]?x\d{1,2}[mwd]?|[-_](?:lr|hr)\d{0,2})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CapturedPair(Source):
    """Two pictures of one scene. The fields of `Source` are the HR file's, but for `sha256` and `num_bytes`.

    `sha256` is that of both digests (HR's first, in hex), and `num_bytes` the sum.
    """

    hr_sha256: str
    lr_root: str
    lr_path: str
    lr_sha256: str

    @property
    def hr(self) -> Source:
        return Source("file", self.root, self.path, self.hr_sha256, 0, self.height, self.width)

    @property
    def lr(self) -> Source:
        """Without its size: the HR's over the scale."""
        return Source("file", self.lr_root, self.lr_path, self.lr_sha256, 0, 0, 0)


@dataclass(frozen=True)
class PairScan:
    """Pairs in the order of their SHA-256; `scale` is HR size over LR size; skipped in the order of their path."""

    pairs: list[CapturedPair]
    scale: int
    skipped: list[Skipped]


def scan_pairs(lr: Path, hr: Path) -> PairScan:
    """The pairs in two folders: files with the same path below them.

    The suffix may differ, and so may what data sets append (`0001x4.png` and `0001.png`, `a_LR4.png` and `a_HR.png`);
    the same path goes before the same stem, and that before a stem without such a mark. Files without a partner, or
    with several that fit alike, are skipped. A pair of which a header is damaged stays: reading it will fail.

    Raises:
        UsageError: not a folder, no pair at all, or sizes of which HR is not one whole multiple of LR.
    """
    for folder in (lr, hr):
        if not folder.is_dir():
            raise UsageError(folder, "no such folder", "give the folder of the LR pictures, then that of the HR ones")
    lr_files, hr_files = listed([lr]), listed([hr])
    matched, skipped = _matched(lr_files.sources, hr_files.sources, hr)
    used = {source.path for _, source in matched}
    skipped += [_unmatched(s, f"no LR of that name in {lr}") for s in hr_files.sources if s.path not in used]
    if not matched:
        seen = f"{len(lr_files.sources)} pictures in {lr}, {len(hr_files.sources)} in {hr}, and no name in both"
        raise UsageError(lr, seen, "give the two pictures of a pair the same name")
    pairs = {pair.sha256: pair for pair in (_pair(*files) for files in reversed(matched))}  # the first of equal ones
    return PairScan(
        pairs=[pairs[key] for key in sorted(pairs)],
        scale=_scale(matched),
        skipped=sorted([*lr_files.skipped, *hr_files.skipped, *skipped], key=lambda s: (s.path, s.sha256, s.kind)),
    )


def load_pair(pair: CapturedPair, scale: int) -> tuple[Pixels, Pixels]:
    """LR (h, w, 3) and HR (scale * h, scale * w, 3), uint8 sRGB, upright.

    Raises:
        ImageError: one of them cannot be read, is no longer what was listed, or the sizes do not fit.
    """
    hr, lr = load(pair.hr), load(pair.lr)
    if hr.shape[:2] != (scale * lr.shape[0], scale * lr.shape[1]):
        raise ImageError(where(pair.lr), _sizes(lr.shape, hr.shape), f"crop them to a ratio of {scale}")
    return lr, hr


def _matched(
    lr: Sequence[Source], hr: Sequence[Source], hr_folder: Path
) -> tuple[list[tuple[Source, Source]], list[Skipped]]:
    """(LR, HR) of each pair, in the order of LR's path, and the LR files left over."""
    by_name: dict[tuple[int, str], list[Source]] = defaultdict(list)
    for source in hr:
        for name in _names(source.path):
            by_name[name].append(source)
    matched, skipped = [], []
    for source in lr:
        found = next((by_name[name] for name in _names(source.path) if name in by_name), [])
        if len(found) == 1:
            matched.append((source, found[0]))
        elif found:
            names = " and ".join(candidate.path for candidate in found[:2])
            skipped.append(_unmatched(source, f"fits {names} in {hr_folder}"))
        else:
            skipped.append(_unmatched(source, f"no HR of that name in {hr_folder}"))
    return matched, skipped


def _names(path: str) -> list[tuple[int, str]]:
    """What a file may be known by, the surest first."""
    place = Path(path)
    return list(enumerate((path, str(place.with_suffix("")), str(place.parent / _MARK.sub("", place.stem)))))


def _scale(matched: Iterable[tuple[Source, Source]]) -> int:
    """HR size over LR size, the same for all whose headers could be read."""
    known: dict[int, Source] = {}
    for lr, hr in matched:
        if not (lr.height and hr.height):
            continue
        scale = hr.height // lr.height
        if not scale or (hr.height, hr.width) != (scale * lr.height, scale * lr.width):
            sizes = _sizes((lr.height, lr.width), (hr.height, hr.width))
            raise UsageError(where(lr), sizes, "HR must be a whole multiple of it: crop them, or take them out")
        known.setdefault(scale, lr)
        if len(known) > 1:
            (usual, first), (other, _) = known.items()
            problem = f"its HR is {other} times its size, that of {first.path} {usual} times"
            raise UsageError(where(lr), problem, "pack pairs of one scale at a time")
    if not known:
        raise UsageError("pairs", "of none both headers can be read", "give whole pictures")
    return next(iter(known))


def _sizes(lr: Sequence[int], hr: Sequence[int]) -> str:
    return f"LR of {lr[1]} x {lr[0]} pixels, its HR of {hr[1]} x {hr[0]}"


def _pair(lr: Source, hr: Source) -> CapturedPair:
    return CapturedPair(
        kind="pair",
        root=hr.root,
        path=hr.path,
        sha256=sha256(f"{hr.sha256}{lr.sha256}".encode()),
        num_bytes=hr.num_bytes + lr.num_bytes,
        height=hr.height,
        width=hr.width,
        hr_sha256=hr.sha256,
        lr_root=lr.root,
        lr_path=lr.path,
        lr_sha256=lr.sha256,
    )


def _unmatched(source: Source, message: str) -> Skipped:
    return Skipped(str(where(source)), source.sha256, "unmatched", message)
