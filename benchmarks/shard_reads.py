"""How fast does one worker read pairs: our shards against h5py, LMDB, webdataset and folders of PNG?

    python benchmarks/shard_reads.py [--pairs 2000] [--quick]

The same pairs in every format, the page cache warm, order random (webdataset has none: it streams its tar in
order, which is its best case). Targets: at least 20,000 pairs/s of ours, and ahead of all others but raw h5py.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np

import interleave
from degrade.shards import open_shards
from degrade.synthesize import synthesize
from peers.reading import Absent, Side, one_at_a_time

OURS = "degrade shard, preadv + CRC"
TARGET = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description="Time random reads of pairs.")
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
        for peer in ("lmdb", "webdataset"):
            try:
                ways |= importlib.import_module(f"peers.{peer}").prepare(folder, pairs, order)
            except Absent as reason:
                print(f"left out: {peer}: {reason}")
        timing = {"repeats": 1, "seconds": 0.1} if arguments.quick else {"repeats": 7, "seconds": 0.5}
        rates = interleave.rates(ways, **timing)
    interleave.print_rates("Random reads of one pair, one worker, warm", "pairs/s", rates, OURS)
    medians = interleave.medians(rates)
    others = {way: rate for way, rate in medians.items() if way not in (OURS, "h5py, same file")}
    reasons = {
        "LMDB": "it hands out whatever its file holds; the CRC of a pair is most of our time, and stays",
        "LMDB, with a CRC": "its map saves the copy that preadv makes; a map of a file cut short kills the process",
    }
    print("\nTargets")
    targets = [interleave.print_target("pairs/s of one worker", TARGET, medians[OURS])]
    for way, rate in others.items():
        targets.append(interleave.print_target(f"ours over {way}", 1, medians[OURS] / rate, reasons.get(way, "")))
    result: dict[str, Any] = {"machine": interleave.machine("degrade", "h5py", "lmdb", "webdataset")}
    result |= {"pairs_per_s": {way: round(rate) for way, rate in medians.items()}, "targets": targets}
    if not arguments.quick:
        print(f"\nwritten: {interleave.save('shard_reads', result)}")


def from_h5py(folder: Path, order: Sequence[int]) -> Callable[[], int]:
    """One dataset access for each side; no check of the bytes."""
    files = [h5py.File(path, "r") for path in sorted(folder.glob("*.h5"))]
    places = [(file, row) for file in files for row in range(dataset(file, "lr").shape[0])]

    def read(i: int) -> tuple[Side, Side]:
        file, row = places[i]
        return dataset(file, "lr")[row], dataset(file, "hr")[row]

    return one_at_a_time(read, order)


def dataset(file: h5py.File, name: str) -> h5py.Dataset:
    found = file[name]
    assert isinstance(found, h5py.Dataset)
    return found


def from_pngs(folder: Path, pairs: Sequence[tuple[Side, Side]], order: Sequence[int]) -> Callable[[], int]:
    folder.mkdir()
    for i, sides in enumerate(pairs):
        for side, pixels in zip(("lr", "hr"), sides, strict=True):
            (folder / f"{i}_{side}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())

    def read(i: int) -> None:
        for side in ("lr", "hr"):
            cv2.imdecode(np.frombuffer((folder / f"{i}_{side}.png").read_bytes(), np.uint8), cv2.IMREAD_COLOR)

    return one_at_a_time(read, order)


if __name__ == "__main__":
    main()
