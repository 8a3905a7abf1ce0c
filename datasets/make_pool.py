"""Make the pool that comes with degrade, `realsr.npz`, from $SR_DATA: `SR_DATA=... python datasets/make_pool.py OUT`.

Noise: flat patches of old digital cameras' photographs in `real_lq_train/` whose licence lets anyone use them however
they wish. Kernels: those of City100's aligned pairs, in four orientations each. `degrade/pools/README.md` states
origins and licences; the same files give the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from degrade.assets import write_pool
from degrade.measure.harvest import NoiseHarvest, NoiseRule, PairKernel, harvest_kernels, harvest_noise, pool_card
from degrade.measure.pairs import evenly

NOISE_FOLDER, NOISE_REPOSITORY = "real_lq_train", "drewnoakes/metadata-extractor-images"
PAIR_FOLDERS = ("lr_hr/city100_iphonex", "lr_hr/city100_nikond5500")
NO_NOISE = {"Traveler_SX330Z.jpg"}  # flat by the rule, but water when looked at
RULE = NoiseRule(patch=64, detrend=True)
PER_PHOTO = 16  # noise patches at most
MIN_FIT = 0.7
ORIGIN = (
    "Noise: photographs of drewnoakes/metadata-extractor-images (free to use however you wish), cameras' JPEG."
    " Kernels: City100 of ngchc/CameraSR (MIT, Copyright (c) 2019 Chang Chen), each also turned by 90, 180, 270."
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the pool that comes with degrade from $SR_DATA.")
    parser.add_argument("out", type=Path, help="realsr.npz")
    out = parser.parse_args().out
    if not os.environ.get("SR_DATA"):
        raise SystemExit("set SR_DATA to the folder of real photographs")
    data = Path(os.environ["SR_DATA"])
    noise = balanced(harvest_noise(free_photos(data), RULE))
    kernels = [pair for folder in PAIR_FOLDERS for pair in fitting(data / folder)]
    turned = np.stack([np.rot90(pair.found.kernel, turn) for pair in kernels for turn in range(4)])
    card = pool_card(RULE, noise, kernels, min_fit=MIN_FIT, origin=ORIGIN)
    card["kernels"]["orientations"] = 4  # of each pair, one after the other
    write_pool(out, kernels=turned, noise=noise.patches, card=card, overwrite=True)
    print(f"{out}: {len(noise.patches)} noise patches of {len(noise.names)} photos, {len(turned)} kernels of")
    print(f"{len(kernels)} pairs, {out.stat().st_size:,} bytes")


def free_photos(data: Path) -> list[Path]:
    """The photographs of the one repository whose licence is free; the manifest of $SR_DATA tells which."""
    with (data / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["file"].startswith(f"{NOISE_FOLDER}/")]
    free = [data / row["file"] for row in rows if row["repository"] == NOISE_REPOSITORY]
    return [path for path in free if path.name not in NO_NOISE]


def balanced(noise: NoiseHarvest) -> NoiseHarvest:
    """At most `PER_PHOTO` patches of each photo, evenly chosen."""
    by_photo: dict[str, list[int]] = defaultdict(list)
    for number, (sha256, _, _) in enumerate(noise.places):
        by_photo[sha256].append(number)
    chosen = [numbers[i] for numbers in by_photo.values() for i in evenly(len(numbers), PER_PHOTO)]
    return replace(noise, patches=noise.patches[chosen], places=tuple(noise.places[number] for number in chosen))


def fitting(folder: Path) -> list[PairKernel]:
    found, skipped = harvest_kernels(folder / "lr", folder / "hr")
    if skipped:
        raise SystemExit(f"{skipped[0]}")
    return [pair for pair in found if pair.found.fit >= MIN_FIT]


if __name__ == "__main__":
    main()
