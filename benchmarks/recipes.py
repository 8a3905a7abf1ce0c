"""How fast is every op and every recipe, against the peers' own code for the same thing, in one run?

    PEERS=DIR python benchmarks/recipes.py [--quick]

Ops: drawing, building the kernel and applying it, on (256, 256, 3) for what works at HR size and (64, 64, 3) for what
works at LR size, one thread, CPU time. Recipes: an HR patch of 256 x 256 with its surroundings in memory to its pair;
the peers take crops of 400 x 400 and return 256 and 64, as they do in training. Memory: the peak of a process that
makes 1,000 and 10,000 pairs. A photograph of 12,000 x 9,000 pixels is cut and degraded whole.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from skimage import data

import interleave
from degrade.image import to_float, window
from degrade.ops.protocol import Context
from degrade.pipeline import PairKey, degrade_window
from degrade.recipe import list_recipes, parse_recipe
from degrade.rng import Stream
from peers import ops as peers_of_ops
from peers.generic import Absent
from peers.pairs import CROP, HR

HR_SIDE, LR_SIDE = 256, 64
SIZES = "size_choice = [7, 9, 11, 13, 15, 17, 19, 21]"
ANGLE = "angle_range = [0, 3.14159]"
BICUBIC = 'op = "downsample", filter = "bicubic", cubic_a = -0.75'
SIGMAS = "sigma_x_range = [0.2, 3.0], sigma_y_range = [0.2, 3.0]"

# our step, the side it works on, what it is compared with
OPS: list[tuple[str, int, tuple[str, ...]]] = [
    (
        'op = "gaussian_blur", size = 21, sigma_range = [0.2, 3.0]',
        HR_SIDE,
        ("OpenCV: filter2D 21 x 21", "KAIR: add_blur"),
    ),
    (
        f'op = "anisotropic_gaussian_blur", size = 21, {SIGMAS}, {ANGLE}',
        HR_SIDE,
        ("OpenCV: filter2D 21 x 21", "KAIR: add_blur"),
    ),
    (
        f'op = "anisotropic_gaussian_blur", size = 21, {SIGMAS}, {ANGLE} }}, {{ {BICUBIC}',
        HR_SIDE,
        ("OpenCV: filter2D 21 x 21, then resize to a quarter",),
    ),
    (
        f'op = "generalized_gaussian_blur", {SIZES}, {SIGMAS}, {ANGLE}, beta_range = [0.5, 4]',
        HR_SIDE,
        ("BasicSR: random_mixed_kernels",),
    ),
    (
        f'op = "plateau_blur", {SIZES}, {SIGMAS}, {ANGLE}, beta_range = [1, 2]',
        HR_SIDE,
        ("BasicSR: random_mixed_kernels",),
    ),
    (f'op = "sinc_blur", {SIZES}, cutoff_range = [1.05, 3.14]', HR_SIDE, ("BasicSR: circular_lowpass_kernel",)),
    ('op = "disk_blur", radius_range = [1, 5]', HR_SIDE, ("albumentations: Defocus",)),
    (f'op = "motion_blur", length_range = [3, 21], {ANGLE}', HR_SIDE, ("albumentations: MotionBlur",)),
    ('op = "shake_blur", size = 25, length_range = [5, 25]', HR_SIDE, ()),
    ('op = "median_blur", size = 5', HR_SIDE, ("OpenCV: medianBlur 5", "SciPy: median 5")),
    ('op = "mixture_blur", count = 4, size = 15, sigma_x_range = [0.2, 3.0], sigma_y_range = [0.2, 3.0]', HR_SIDE, ()),
    (
        'op = "resize", filter = "bicubic", cubic_a = -0.75, factor_range = [0.3, 1.4]',
        HR_SIDE,
        ("OpenCV: resize, any size",),
    ),
    ('op = "unsharp_mask"', HR_SIDE, ("KAIR: add_sharpening", "albumentations: UnsharpMask")),
    (
        'op = "gaussian_noise", sigma_8bit_range = [1, 30]',
        LR_SIDE,
        ("NumPy: Gaussian noise", "BasicSR: random_add_gaussian_noise", "KAIR: add_Gaussian_noise"),
    ),
    ('op = "poisson_noise", peak_range = [50, 150]', LR_SIDE, ("NumPy: Poisson noise", "KAIR: add_Poisson_noise")),
    ('op = "scaled_poisson_noise", scale_range = [0.05, 3]', LR_SIDE, ("BasicSR: random_add_poisson_noise",)),
    ('op = "speckle_noise", sigma_8bit_range = [2, 25], mode = "correlated"', LR_SIDE, ("KAIR: add_speckle_noise",)),
    ('op = "salt_pepper_noise", amount = 0.02', LR_SIDE, ("albumentations: SaltAndPepper",)),
    ('op = "spatial_noise", sigma_8bit = 10, correlation = 1.0', LR_SIDE, ()),
    ('op = "sensor"', LR_SIDE, ("albumentations: ISONoise",)),
    (
        'op = "jpeg", quality_range = [30, 95]',
        LR_SIDE,
        ("OpenCV: JPEG", "Pillow: JPEG", "KAIR: add_JPEG_noise", "BasicSR: add_jpg_compression"),
    ),
    ('op = "webp", quality = 75', LR_SIDE, ("Pillow: WebP, method 4",)),
    ('op = "quantise", levels = 16, dither = "floyd_steinberg"', LR_SIDE, ("albumentations: Posterize",)),
    (
        'op = "chromatic_aberration", strength_red = 1, strength_blue = -1, centre_distance_range = [0, 2000]',
        HR_SIDE,
        ("albumentations: ChromaticAberration",),
    ),
    ('op = "white_balance", red_gain = 1.1, blue_gain = 0.9', LR_SIDE, ()),
    ('op = "chroma_subsampling", subsampling = "4:2:0"', LR_SIDE, ()),
]

PEAK = """
def peak():  # MiB; getrusage would tell that of the process this one was started from
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
"""

MEMORY = """
import sys
import numpy as np
from degrade import degrade_image, load_recipe
from degrade.image import window
from degrade.pipeline import PairKey, degrade_window
recipe, count = load_recipe(sys.argv[1]), int(sys.argv[2])
picture = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
for number in range(count):
    around = window(picture, number % 200, number % 190, 192, 192, recipe.margin)
    degrade_window(around, recipe, PairKey(1, number))
print(peak())
"""

LARGE = """
import sys, tempfile, time
from pathlib import Path
import numpy as np
from degrade import codecs, synthesize
with tempfile.TemporaryDirectory() as folder:
    tile = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8).repeat(10, 0).repeat(10, 1)
    codecs.write(Path(folder, "large.png"), codecs.Photo(np.tile(tile, (15, 15, 1))))
    start = time.perf_counter()
    made = synthesize([Path(folder, "large.png")], sys.argv[1], Path(folder, "set"), pairs=256, workers=1)
    seconds = time.perf_counter() - start
print(made.num_pairs, seconds, peak())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Time every op and recipe against the peers' own code.")
    parser.add_argument("--quick", action="store_true", help="one short repeat: to see that it runs")
    arguments = parser.parse_args()
    timing = {"repeats": 1, "seconds": 0.1} if arguments.quick else {"repeats": 5, "seconds": 0.3}
    result: dict[str, Any] = {
        "machine": interleave.machine("degrade", "numpy", "opencv-python-headless", "pillow", "scipy")
    }
    result["ops"] = ops(timing)
    result["recipes"] = recipes(timing if arguments.quick else {"repeats": 5, "seconds": 1.0})
    result["memory_mib"] = {} if arguments.quick else memory()
    result["large_photo"] = {} if arguments.quick else large_photo()
    if not arguments.quick:
        print(f"\nwritten: {interleave.save('recipes', result)}")


def ops(timing: dict[str, Any]) -> list[dict[str, Any]]:
    theirs = peers_of_ops.prepare()
    picture = to_float(np.ascontiguousarray(data.astronaut()[100:356, 100:356]))
    small = np.ascontiguousarray(picture[::4, ::4])
    rows = []
    print(f"\nOps, us a picture: ours, theirs, how many times slower\n{'':60}{'ours':>9}{'theirs':>9}{'ratio':>8}")
    for step, side, names in OPS:
        image = picture if side == HR_SIDE else small
        ways: dict[str, Callable[[], int]] = {"ours": our_op(step, image)}
        for name in names:
            if name in theirs:
                ways[name] = lambda name=name, image=image: (theirs[name](image), 1)[1]
        costs = {name: 1e6 / rate for name, rate in interleave.medians(interleave.rates(ways, **timing)).items()}
        label = step.replace('op = "', "").replace('"', "").replace(" }, { ", " + ")
        print(f"{label[:59]:60}{costs['ours']:9.0f}")
        for name in list(costs)[1:]:
            print(f"    {name:56}{'':9}{costs[name]:9.0f}{costs[name] / costs['ours']:8.1f}")
        rows.append({"op": label, "side": side, "us": {name: round(cost, 1) for name, cost in costs.items()}})
    return rows


def our_op(step: str, image: np.ndarray) -> Callable[[], int]:
    scale = 4 if "downsample" in step else 1
    tail = ', { op = "resize", filter = "nearest", of = "lr", factor = 1 }' if '"resize"' in step else ""
    recipe = parse_recipe(f'name = "t"\nsource = "t"\nscale = {scale}\nlr = [{{ {step} }}{tail}]\n')
    steps = recipe.lr[:1] if tail else recipe.lr
    numbers = itertools.count()
    if scale > 1:
        from degrade.pipeline import run

        def folded() -> int:
            draws = [draw for step in steps for draw in step.draw(Stream(1, next(numbers), 0))]
            run(image, draws, scale=scale, margin=0)  # type: ignore[arg-type]  # float serves as well
            return 1

        return folded

    def alone() -> int:
        made = image
        for step in steps:
            for draw in step.draw(Stream(1, next(numbers), 0)):
                made = draw.apply(made, Context((0, 0), image.shape[:2]))
        return 1

    return alone


def recipes(timing: dict[str, Any]) -> dict[str, dict[str, float]]:
    pictures = [data.astronaut(), data.coffee(), data.chelsea()]
    pictures = [picture for picture in pictures if min(picture.shape[:2]) >= CROP] or [data.astronaut()]
    crops = np.stack([window(picture, 0, 0, CROP, CROP) for picture in pictures])
    ways: dict[str, dict[str, Callable[[], int]]] = {}
    for recipe in list_recipes():
        side, margin = HR * recipe.reduction, recipe.margin * recipe.reduction
        around = [window(picture, 60, 60, side, side, margin) for picture in pictures]
        numbers = itertools.count()

        def ours(recipe: Any = recipe, around: Any = around, numbers: Any = numbers) -> int:
            number = next(numbers)
            degrade_window(around[number % len(around)], recipe, PairKey(1, number))
            return 1

        ways[recipe.short_name] = {"ours": ours}
    for name in ("bsrgan_recipe", "real_esrgan_recipe"):
        try:
            found = importlib.import_module(f"peers.{name}").prepare()
        except Absent as reason:
            print(f"left out: {name}: {reason}")
            continue
        for way in found:
            batch = np.resize(crops, (way.batch, *crops.shape[1:]))
            ways[way.recipe][way.name] = lambda way=way, batch=batch: (way.make(batch), way.batch)[1]
    rows = {}
    print(f"\nRecipes, pairs a second of CPU (HR 256)\n{'':44}{'pairs/s':>10}{'ours over it':>14}")
    for name, found in ways.items():
        rates = interleave.medians(interleave.rates(found, **timing))
        rows[name] = {way: round(rate, 2) for way, rate in rates.items()}
        print(f"{name:44}{rates['ours']:10.1f}")
        for way in list(rates)[1:]:
            print(f"    {way:40}{rates[way]:10.2f}{rates['ours'] / rates[way]:14.1f}")
    return rows


def memory() -> dict[str, dict[str, float]]:
    """Peak MiB of a process after 1,000 and after 10,000 pairs."""
    rows = {}
    print("\nPeak memory, MiB, after 1,000 and 10,000 pairs")
    for name in ("generic", "realesrgan"):
        rows[name] = {count: round(float(told(MEMORY, name, count)), 1) for count in ("1000", "10000")}
        print(f"{name:44}" + "".join(f"{peak:10.1f}" for peak in rows[name].values()))
    return rows


def large_photo() -> dict[str, float]:
    """256 pairs of `realesrgan` from one photograph of 12,000 x 9,000 pixels."""
    pairs, seconds, peak = told(LARGE, "realesrgan").split()
    print(f"\n12,000 x 9,000 pixels: {pairs} pairs in {float(seconds):.1f} s, peak {float(peak):.0f} MiB")
    return {"pairs": int(pairs), "seconds": round(float(seconds), 1), "peak_mib": round(float(peak), 1)}


def told(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", PEAK + code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
