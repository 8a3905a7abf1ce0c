"""How fast does `generic` make pairs: against others, stage by stage, and from photographs to finished shards?

    python benchmarks/synth_throughput.py [PHOTOS...] [--quick]

Kernel: HR patches of 192 x 192 in memory to LR patches in memory. End to end: `degrade.synthesize` into a
temporary folder. Without PHOTOS the photographs of scikit-image serve. $PEERS: checkouts of peers that are no
packages. Figures are per second of CPU on one core; the targets are ratios within this run.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import itertools
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import interleave
from degrade import codecs, pipeline
from degrade.atomic import write_bytes
from degrade.image import Pixels, to_pixels, window
from degrade.ops.protocol import Context, Draw
from degrade.recipe import Recipe, load_recipe
from degrade.rng import Stream
from degrade.shards.layout import Rows, ShardHeader
from degrade.shards.writer import shard_image
from degrade.sources import samples
from degrade.sources.load import where
from degrade.synthesize import synthesize
from degrade.synthesize.plan import SHARD_BYTES
from peers.generic import Absent, Way

PEERS = ("opencv", "scipy", "albumentations", "chainner", "kornia", "bsrgan", "real_esrgan")
OURS, OURS_BARE = "degrade, with 32 pixels of surroundings", "degrade, bare patch"
TUNED, BSRGAN = "OpenCV sepFilter2D + NumPy Generator float32, tuned", "KAIR / BSRGAN, same steps"
PATCH, SCALE, PAIRS_A_PHOTO = 192, 4, 20
FROM_FILES = f"from files, {PAIRS_A_PHOTO} pairs a photo: pairs per CPU second"
DECODED_CPU = "from decoded photos: pairs per CPU second"
DECODED_ONE, DECODED_TWO = (f"from decoded photos, {n}: pairs per second" for n in ("1 worker", "2 workers"))
WHOLE = "all of degrade_window"
SCALING, MEMORY = "two workers over one", "largest worker, MiB"


def main() -> None:
    parser = argparse.ArgumentParser(description="Time how `generic` makes pairs.")
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--quick", action="store_true", help="one short repeat: to see that it runs")
    arguments = parser.parse_args()
    timing = {"repeats": 1, "seconds": 0.1} if arguments.quick else {"repeats": 7, "seconds": 0.5}
    paths = arguments.photos or [where(source) for source in samples.photographs()]
    pictures = [picture for path in paths if min((picture := pixels_of(path)).shape[:2]) >= PATCH]
    recipe = load_recipe("generic")

    result: dict[str, Any] = {"machine": interleave.machine("degrade", "numpy", "numba", "opencv-python-headless")}
    kernel = interleave.rates(kernel_ways(pictures, recipe), **timing)
    interleave.print_rates("Kernel: HR patch 192 x 192 to LR, one core", "pairs/s", kernel, OURS)
    stages = interleave.medians(interleave.rates(stage_ways(paths, pictures, recipe), **timing))
    print_stages(stages)
    ends = end_to_end(paths, pairs=2400 if arguments.quick else 12_000, repeats=1 if arguments.quick else 3)
    result |= {
        "kernel_pairs_per_s": {name: round(rate) for name, rate in interleave.medians(kernel).items()},
        "stage_us_per_pair": microseconds(stages),
    }
    result |= {"end_to_end": ends, "targets": targets(interleave.medians(kernel), ends, stages)}
    if not arguments.quick:
        print(f"\nwritten: {interleave.save('synth_throughput', result)}")


def pixels_of(path: Path) -> Pixels:
    return codecs.rgb8(codecs.read(path))


def kernel_ways(pictures: Sequence[Pixels], recipe: Recipe) -> dict[str, Callable[[], int]]:
    patches = np.stack([window(picture, y, x, PATCH, PATCH) for picture, y, x in places(pictures, 64)])
    around = [window(picture, y, x, PATCH, PATCH, recipe.margin) for picture, y, x in places(pictures, 64)]
    numbers = itertools.count()

    def ours() -> int:
        number = next(numbers)
        pipeline.degrade_window(around[number % 64], recipe, pipeline.PairKey(1, number))
        return 1

    def bare() -> int:
        number = next(numbers)
        pipeline.degrade_window(patches[number % 64], recipe, pipeline.PairKey(1, number), 0)
        return 1

    ways: dict[str, Callable[[], int]] = {OURS: ours, OURS_BARE: bare}
    for name in PEERS:
        try:
            found = importlib.import_module(f"peers.{name}").prepare()
        except Absent as reason:
            print(f"left out: {name}: {reason}")
            continue
        ways |= {way.name: on_patches(way, patches) for way in found}
    return ways


def on_patches(way: Way, patches: Pixels) -> Callable[[], int]:
    starts = itertools.cycle(range(0, len(patches), way.batch))

    def call() -> int:
        start = next(starts)
        made = way.degrade(patches[start : start + way.batch])
        assert made.shape[1:] == (PATCH // SCALE, PATCH // SCALE, 3), made.shape
        assert made.dtype == np.uint8
        return way.batch

    return call


def places(pictures: Sequence[Pixels], count: int) -> Iterator[tuple[Pixels, int, int]]:
    random = np.random.default_rng(0)
    for number in range(count):
        picture = pictures[number % len(pictures)]
        y, x = (int(random.integers(side - PATCH + 1)) for side in picture.shape[:2])
        yield picture, y, x


def stage_ways(paths: Sequence[Path], pictures: Sequence[Pixels], recipe: Recipe) -> dict[str, Callable[[], int]]:
    """One stage each; every call returns for how many pairs its work suffices."""
    datas = [codecs.read_bytes(path) for path in paths]
    spots = list(places(pictures, 64))
    windows = [window(picture, y, x, PATCH, PATCH, recipe.margin) for picture, y, x in spots]
    drawn = [drawn_steps(recipe, number) for number in range(64)]
    linear = [[draw for draw in draws if hasattr(draw, "axis_map")] for draws in drawn]
    clean = [pipeline.run(w, d, scale=SCALE, margin=recipe.margin) for w, d in zip(windows, linear, strict=True)]
    header, rows = a_shard(recipe, windows)
    image = shard_image(header, rows)
    turn = itertools.count()
    folder = tempfile.TemporaryDirectory()

    def noise(i: int) -> None:
        result = clean[i]
        for draw in drawn[i]:
            if not hasattr(draw, "axis_map"):
                result = draw.apply(result, Context())

    def crc() -> int:
        for row in itertools.chain(rows.hr, rows.lr):
            zlib.crc32(row.data)
        return len(rows.lr)

    def write() -> int:
        write_bytes(Path(folder.name, "shard.h5"), image)
        return len(rows.lr)

    def each(work: Callable[[int], object]) -> Callable[[], int]:
        return lambda: (work(next(turn) % 64), 1)[1]

    def decode() -> int:
        i = next(turn) % len(datas)
        codecs.rgb8(codecs.decode(datas[i], paths[i].name))
        return PAIRS_A_PHOTO

    return {
        f"decode, {PAIRS_A_PHOTO} pairs a photo": decode,
        "crop": each(lambda i: window(spots[i][0], spots[i][1], spots[i][2], PATCH, PATCH, recipe.margin)),
        "draw": each(lambda i: drawn_steps(recipe, i)),
        "kernel": each(lambda i: pipeline.run(windows[i], linear[i], scale=SCALE, margin=recipe.margin)),
        "noise": each(noise),
        "8 bits": each(lambda i: to_pixels(clean[i])),
        "CRC": crc,
        "HDF5 image, with CRC": lambda: (shard_image(header, rows), len(rows.lr))[1],
        "SHA-256": lambda: (hashlib.sha256(image), len(rows.lr))[1],
        "write + fsync": write,
        WHOLE: each(lambda i: pipeline.degrade_window(windows[i], recipe, pipeline.PairKey(1, i))),
    }


def drawn_steps(recipe: Recipe, patch: int) -> list[Draw]:
    stream = Stream(1, patch, 0)
    return [draw for step in recipe.lr for draw in step.draw(stream)]


def a_shard(recipe: Recipe, windows: Sequence[Pixels], copies: int = 8) -> tuple[ShardHeader, Rows]:
    made = [pipeline.degrade_window(around, recipe, pipeline.PairKey(1, i)) for i, around in enumerate(windows)]
    pairs = made * copies
    header = ShardHeader(
        scale=SCALE,
        recipe_digest=recipe.digest,
        seed=0,
        first_pair=0,
        margin=recipe.margin,
        engine=pipeline.ENGINE,
        libraries="",
        tool="benchmark",
        hr_height=PATCH,
        hr_width=PATCH,
    )
    rows = Rows(
        hr=np.stack([pair.hr for pair in pairs]),
        lr=np.stack([pair.lr for pair in pairs]),
        hr_index=np.arange(len(pairs)),
        source_index=np.zeros(len(pairs), int),
        origin=np.zeros((len(pairs), 2), int),
        traces=[pair.trace for pair in pairs],
        sources=[{"root": "", "path": "x.png", "sha256": "0" * 64, "height": 512, "width": 512}],
        recipe=recipe.text,
    )
    return header, rows


def microseconds(stages: dict[str, float]) -> dict[str, float]:
    return {name: round(1e6 / rate, 1) for name, rate in stages.items()}


def print_stages(stages: dict[str, float]) -> None:
    print("\nStages, microseconds of CPU a pair")
    for name, cost in microseconds(stages).items():
        print(f"  {name:30}{cost:10.1f}")


def end_to_end(paths: Sequence[Path], *, pairs: int, repeats: int) -> dict[str, float]:
    """Photographs to fsynced shards: few pairs a photo (decoding counts) and many (it does not); 1 and 2 workers.

    Workers take a second to start, so their rate is that of a long run less a short one.
    """
    largest = sorted(paths, key=lambda path: path.stat().st_size)[-4:]
    names = (FROM_FILES, DECODED_CPU, DECODED_ONE, DECODED_TWO)
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeats):
        count, cpu, _ = timed(paths, PAIRS_A_PHOTO, workers=1)
        one, two = (steady(largest, pairs // len(largest), workers) for workers in (1, 2))
        for name, value in zip(names, (count / cpu, *one, two[1]), strict=True):
            found[name].append(value)
    medians = {name: round(statistics.median(values), 1) for name, values in found.items()}
    medians[SCALING] = round(statistics.median(found[DECODED_TWO]) / statistics.median(found[DECODED_ONE]), 3)
    medians[MEMORY] = worker_memory(largest)
    print("\nEnd to end")
    for name, value in medians.items():
        print(f"  {name:70}{value:12,.2f}")
    return medians


def steady(paths: Sequence[Path], per_image: int, workers: int) -> tuple[float, float]:
    """Pairs per CPU second and per second, start-up left out."""
    short, long = (timed(paths, count, workers) for count in (per_image // 4, per_image))
    pairs, cpu, wall = (after - before for before, after in zip(short, long, strict=True))
    return pairs / cpu, pairs / wall


def timed(paths: Sequence[Path], per_image: int, workers: int) -> tuple[int, float, float]:
    """Pairs, CPU seconds (of this process and its workers), seconds."""
    with tempfile.TemporaryDirectory() as folder:
        cpu, wall = cpu_seconds(), time.perf_counter()
        summary = synthesize(paths, "generic", Path(folder, "set"), per_image=per_image, workers=workers)
        return summary.num_pairs, cpu_seconds() - cpu, time.perf_counter() - wall


def worker_memory(paths: Sequence[Path]) -> float:
    """MiB of the largest worker of a run with full shards, started from a process that holds nothing else."""
    code = """
import resource, sys, tempfile
from degrade import synthesize
with tempfile.TemporaryDirectory() as folder:
    synthesize(sys.argv[1:], "generic", folder + "/set", pairs=16 * 1200, workers=2)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code, *map(str, paths)], check=True, capture_output=True, text=True)
    return round(float(done.stdout), 1)


def cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def targets(kernel: dict[str, float], ends: dict[str, float], stages: dict[str, float]) -> list[dict[str, Any]]:
    cost = microseconds(stages)
    parts = ("draw", "kernel", "noise", "8 bits")
    rest = cost[WHOLE] - sum(cost[part] for part in parts)
    pair = ", ".join(f"{part} {cost[part]:.0f}" for part in parts) + f", objects and trace {rest:.0f}"
    shard = f"{cost[WHOLE]:.0f} for the pair, {cost['crop']:.0f} to crop, {cost['HDF5 image, with CRC']:.0f} for HDF5 "
    shard += f"and CRC, {cost['SHA-256']:.0f} for SHA-256, {cost['write + fsync']:.0f} to write"
    memory = "two shards, one being filled and one being written, beside the interpreter and its libraries"
    print("\nTargets")
    show = interleave.print_target
    rows = [show("kernel over tuned OpenCV", 5, kernel[OURS] / kernel[TUNED], f"microseconds: {pair}")]
    if BSRGAN in kernel:
        rows.append(show("kernel over BSRGAN's code", 150, kernel[OURS] / kernel[BSRGAN], f"microseconds: {pair}"))
    rows.append(show("decoded photos to shards, pairs/s/core", 3000, ends[DECODED_CPU], f"microseconds: {shard}"))
    rows.append(show(SCALING, 1.85, ends[SCALING], "cores or the disk are shared with others"))
    rows.append(show(MEMORY, 3 * SHARD_BYTES / 2**20, ends[MEMORY], memory, at_most=True))
    return rows


if __name__ == "__main__":
    main()
