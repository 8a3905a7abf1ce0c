"""How fast does one worker read pairs: our shards against h5py, LMDB, webdataset and folders of PNG?

    python benchmarks/shard_reads.py [--pairs 2000] [--quick]

The same pairs in every format, the page cache warm, order random (webdataset has none: it streams its tar in
order, which is its best case). Targets: at least 20,000 pairs/s of ours, and ahead of all others but raw h5py.
"""

from __future__ import annotations

import argparse
import io
import itertools
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np

import interleave
from degrade.image import Pixels
from degrade.shards import open_shards
from degrade.synthesize import synthesize

OURS = "degrade shard, preadv + CRC"
TARGET = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--quick", action="store_true", help="one short repeat: to see that it runs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesize(["dead-leaves:16"], "generic", folder / "shards", pairs=arguments.pairs)
        shards = open_shards(folder / "shards")
        pairs = [shards.read(i) for i in range(len(shards))]
        order = [int(i) for i in np.random.default_rng(0).permutation(len(pairs))]
        ways = {OURS: one_at_a_time(shards.read, order), "h5py, same file": from_h5py(folder / "shards", order)}
        ways["PNG folders, OpenCV"] = from_pngs(folder / "png", pairs, order)
        for maker, package in ((from_lmdb, "lmdb"), (from_webdataset, "webdataset")):
            try:
                ways[package] = maker(folder, pairs, order)
            except ImportError:
                print(f"left out: {package}: pip install {package}")
        timing = {"repeats": 1, "seconds": 0.1} if arguments.quick else {"repeats": 7, "seconds": 0.5}
        rates = interleave.rates(ways, **timing)
    interleave.print_rates("Random reads of one pair, one worker, warm", "pairs/s", rates, OURS)
    medians = interleave.medians(rates)
    others = max(rate for way, rate in medians.items() if way not in (OURS, "h5py, same file"))
    print("\nTargets")
    targets = [
        interleave.print_target("pairs/s of one worker", TARGET, medians[OURS]),
        interleave.print_target("ahead of LMDB, webdataset and PNG", 1, medians[OURS] / others),
    ]
    result: dict[str, Any] = {"machine": interleave.machine("degrade", "h5py", "lmdb", "webdataset")}
    result |= {"pairs_per_s": {way: round(rate) for way, rate in medians.items()}, "targets": targets}
    if not arguments.quick:
        print(f"\nwritten: {interleave.save('shard_reads', result)}")


def one_at_a_time(read: Callable[[int], object], order: Sequence[int]) -> Callable[[], int]:
    turn = itertools.cycle(order)
    return lambda: (read(next(turn)), 1)[1]


def from_h5py(folder: Path, order: Sequence[int]) -> Callable[[], int]:
    """One dataset access for each side; no check of the bytes."""
    files = [h5py.File(path, "r") for path in sorted(folder.glob("*.h5"))]
    places = [(file["lr"], file["hr"], row) for file in files for row in range(len(file["lr"]))]
    return one_at_a_time(lambda i: (places[i][0][places[i][2]], places[i][1][places[i][2]]), order)


def from_pngs(folder: Path, pairs: Sequence[tuple[Pixels, Pixels]], order: Sequence[int]) -> Callable[[], int]:
    folder.mkdir()
    for i, sides in enumerate(pairs):
        for side, pixels in zip(("lr", "hr"), sides, strict=True):
            (folder / f"{i}_{side}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())

    def read(i: int) -> None:
        for side in ("lr", "hr"):
            cv2.imdecode(np.frombuffer((folder / f"{i}_{side}.png").read_bytes(), np.uint8), cv2.IMREAD_COLOR)

    return one_at_a_time(read, order)


def from_lmdb(folder: Path, pairs: Sequence[tuple[Pixels, Pixels]], order: Sequence[int]) -> Callable[[], int]:
    """Raw bytes, both sides in one value, copied out as a training batch needs them."""
    import lmdb

    path = str(folder / "lmdb")
    with lmdb.open(path, map_size=1 << 33) as database, database.begin(write=True) as transaction:
        for i, (lr, hr) in enumerate(pairs):
            transaction.put(str(i).encode(), lr.tobytes() + hr.tobytes())
    transaction = lmdb.open(path, readonly=True, lock=False).begin(buffers=True)
    (lr, hr) = pairs[0]

    def read(i: int) -> tuple[Pixels, Pixels]:
        data = np.frombuffer(transaction.get(str(i).encode()), np.uint8)
        return data[: lr.size].reshape(lr.shape).copy(), data[lr.size :].reshape(hr.shape).copy()

    return one_at_a_time(read, order)


def from_webdataset(folder: Path, pairs: Sequence[tuple[Pixels, Pixels]], _: Sequence[int]) -> Callable[[], int]:
    """A tar of raw bytes, streamed in order, again and again."""
    import webdataset

    path = folder / "pairs.tar"
    with tarfile.open(path, "w") as archive:
        for i, sides in enumerate(pairs):
            for side, pixels in zip(("lr", "hr"), sides, strict=True):
                entry = tarfile.TarInfo(f"{i:06d}.{side}.raw")
                entry.size = pixels.nbytes
                archive.addfile(entry, io.BytesIO(pixels.tobytes()))
    shapes = {"lr.raw": pairs[0][0].shape, "hr.raw": pairs[0][1].shape}

    def samples() -> Iterator[dict[str, Pixels]]:
        while True:
            for sample in webdataset.WebDataset(str(path), shardshuffle=False, empty_check=False):
                yield {key: np.frombuffer(sample[key], np.uint8).reshape(shape) for key, shape in shapes.items()}

    stream = samples()
    return lambda: (next(stream), 1)[1]


if __name__ == "__main__":
    main()
