"""Does `degrade burst` give what a perfect tripod would, and do moving things leave no ghost?

Bursts of 20 hand-held shots are simulated: a photograph, taken as the scene, is seen through a lens (Gaussian, 0.6
pixels: with the pixel's own square an MTF of 50 % at 0.28 cycles per pixel, a phone's) by pixels twice as large as the
photograph's, each shot moved by up to 5 pixels and turned by up to 1 degree. Every shot is rendered from the
photograph, not from another shot, so no resampling of the simulation's own helps. To each, real camera noise is added:
the difference of a noisy and a clean crop of PolyU or RENOIR, another for each shot, scaled to one strength.

The yardstick is the plain mean of 20 shots of the same noise that did not move at all. The ghost: a bright or a dark
disc that crosses the picture through shots 4 to 9; in its track the result is compared with that of the burst without
it, and with what the fewer shots there cost in any case.

    SR_DATA=../shared/data .venv/bin/python benchmarks/burst.py [--quick] [--save folder]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from degrade import codecs
from degrade.codecs import Photo
from degrade.functional.noise import poisson_gaussian
from degrade.functional.warp import Motion
from degrade.sources.burst import fuse
from interleave import machine, print_target, save

SHOTS, HEIGHT, WIDTH = 20, 176, 240
FACTOR, SUBPIXELS = 2, 4  # the scene's pixels in one of the camera's; points at which one of them is integrated
LENS = 0.6  # pixels
MOST_SHIFT, MOST_TURN = 5.0, 1.0  # pixels, degrees
NOISE_8BIT = 6.0
MARGIN = 12  # pixels: not every shot covers them
CROSSING, DISC = range(4, 10), 18.0  # shots, radius in pixels
COLOURS = {"bright": (0.95, 0.9, 0.2), "dark": (0.05, 0.05, 0.08)}

Picture = NDArray[np.float64]


_ALIASING = "the finest texture: what pixels alias differs from shot to shot, so no mean keeps it"


@dataclass(frozen=True, eq=False)
class Simulated:
    """The clean picture, 20 hand-held shots of it and 20 that did not move, with the same noise; motions; noise."""

    truth: Picture
    shots: list[NDArray[np.uint8]]
    perfect: list[NDArray[np.uint8]]
    motions: list[Motion]


def simulate(scene: Picture, noises: Sequence[Picture], seed: int, lens: float = LENS) -> Simulated:
    rng = np.random.default_rng(seed)
    blurred = [ndimage.gaussian_filter(scene[..., c], lens * FACTOR) for c in range(3)]
    splines = [np.asarray(ndimage.spline_filter(plane)) for plane in blurred]
    motions = [Motion()]
    for _ in range(SHOTS - 1):
        y, x = rng.uniform(-MOST_SHIFT, MOST_SHIFT, 2)
        motions.append(Motion(y, x, radians(rng.uniform(-MOST_TURN, MOST_TURN))))
    truth = render(splines, Motion())
    clean = [render(splines, motion) for motion in motions]
    return Simulated(
        truth,
        [levels(picture + noise) for picture, noise in zip(clean, noises, strict=True)],
        [levels(truth + noise) for noise in noises],
        motions,
    )


def render(splines: list[Picture], motion: Motion) -> Picture:
    """What the moved camera sees: `SUBPIXELS` squared points of the scene in each of its pixels."""
    y = (np.arange(HEIGHT * SUBPIXELS)[:, None] + 0.5) / SUBPIXELS - HEIGHT / 2 - motion.y
    x = (np.arange(WIDTH * SUBPIXELS) + 0.5) / SUBPIXELS - WIDTH / 2 - motion.x
    v, u = cos(motion.angle) * y - sin(motion.angle) * x, sin(motion.angle) * y + cos(motion.angle) * x
    height, width = splines[0].shape
    places = np.stack([v * FACTOR + (height - 1) / 2, u * FACTOR + (width - 1) / 2])
    planes = []
    for spline in splines:
        fine = np.asarray(ndimage.map_coordinates(spline, places, order=3, prefilter=False, mode="mirror"))
        planes.append(fine.reshape(HEIGHT, SUBPIXELS, WIDTH, SUBPIXELS).mean(axis=(1, 3)))
    return np.clip(np.stack(planes, axis=-1), 0, 1)


def real_noise(data: Path, kinds: Sequence[str], seed: int) -> list[Picture]:
    """Differences of noisy and clean crops, one for each shot, flipped at random, of equal strength."""
    rng = np.random.default_rng(seed)
    files = [path for kind in kinds for path in sorted((data / "noisy_clean" / kind / "noisy").iterdir())]
    found = []
    for index in rng.permutation(len(files))[:SHOTS]:
        noisy = files[index]
        clean = noisy.parents[1] / "clean" / noisy.name
        noise = (codecs.rgb8(codecs.read(noisy)).astype(float) - codecs.rgb8(codecs.read(clean))) / 255
        y, x = rng.integers(0, noise.shape[0] - HEIGHT + 1), rng.integers(0, noise.shape[1] - WIDTH + 1)
        noise = noise[y : y + HEIGHT, x : x + WIDTH][:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
        noise = noise - noise.mean(axis=(0, 1))
        found.append(noise * (NOISE_8BIT / 255 / noise.std()))
    return found


def synthetic_noise(seed: int) -> list[Picture]:
    """Poisson-Gaussian at middle grey, where there are no real photographs."""
    gray = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
    found = []
    for k in range(SHOTS):
        noise = poisson_gaussian(gray, 1500.0, 0.01, (2 * k + seed * 100, 2 * k + 1 + seed * 100)).astype(float) - 0.5
        found.append(noise * (NOISE_8BIT / 255 / noise.std()))
    return found


def with_disc(burst: Simulated, colour: tuple[float, float, float]) -> tuple[list[NDArray[np.uint8]], NDArray[np.intp]]:
    """The shots with a disc that crosses some of them; and (H, W), how many of them show it near each pixel."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shots, near = list(burst.shots), np.zeros((HEIGHT, WIDTH), np.intp)
    rng = np.random.default_rng(0)
    for step, k in enumerate(CROSSING):
        v = 6 * np.sin(step)
        u = (WIDTH - 60) * (step / (len(CROSSING) - 1) - 0.5)
        motion = burst.motions[k]
        y = v * cos(motion.angle) + u * sin(motion.angle) + motion.y + (HEIGHT - 1) / 2
        x = u * cos(motion.angle) - v * sin(motion.angle) + motion.x + (WIDTH - 1) / 2
        opaque = np.clip((DISC - np.hypot(rows - y, columns - x)) / 1.5 + 0.5, 0, 1)[:, :, None]
        paint = np.array(colour) + rng.normal(0, NOISE_8BIT / 255, (HEIGHT, WIDTH, 3))
        shots[k] = levels(burst.shots[k] / 255 * (1 - opaque) + paint * opaque)
        near += np.hypot(rows - v - (HEIGHT - 1) / 2, columns - u - (WIDTH - 1) / 2) < DISC + 6
    return shots, near


def levels(picture: Picture) -> NDArray[np.uint8]:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def psnr(picture: Picture, truth: Picture, where: NDArray[np.bool_] | None = None) -> float:
    inner = np.square(picture - truth)
    inner = inner[MARGIN:-MARGIN, MARGIN:-MARGIN] if where is None else inner[where]
    return float(-10 * np.log10(inner.mean()))


def clean_up(shots: Sequence[NDArray[np.uint8]]) -> Picture:
    return fuse([Photo(shot) for shot in shots], depth=16).pixels / 65535


def measure(name: str, burst: Simulated, pictures: Path | None) -> dict[str, float | str]:
    ideal = np.mean(burst.perfect, axis=0) / 255
    fused = clean_up(burst.shots)
    row: dict[str, float | str] = {
        "burst": name,
        "one_shot_db": psnr(burst.shots[0] / 255, burst.truth),
        "ideal_db": psnr(ideal, burst.truth),
        "fused_less_ideal_db": psnr(fused, burst.truth) - psnr(ideal, burst.truth),
        "still_mean_less_ideal_db": psnr(clean_up(burst.perfect), burst.truth) - psnr(ideal, burst.truth),
    }
    panels = [burst.shots[0] / 255, ideal, fused]
    for colour, value in COLOURS.items():
        shots, near = with_disc(burst, value)
        track = near > 0
        ghosted = clean_up(shots)
        row[f"{colour}_track_less_without_db"] = psnr(ghosted, burst.truth, track) - psnr(fused, burst.truth, track)
        row["fewer_shots_cost_db"] = float(10 * np.log10(np.mean(SHOTS / (SHOTS - near[track]))))
        row[f"{colour}_plain_mean_db"] = psnr(np.mean(shots, axis=0) / 255, burst.truth, track)
        panels += [shots[CROSSING[2]] / 255, ghosted]
    panels.append(0.5 + 8 * (panels[-1] - burst.truth))  # the dark disc's error, times 8
    if pictures is not None:
        sheet = np.concatenate([np.concatenate(panels[k : k + 2], axis=1) for k in range(0, len(panels), 2)], axis=0)
        codecs.write(
            pictures / f"burst-{name}.png", Photo(levels(np.repeat(np.repeat(sheet, 2, 0), 2, 1))), overwrite=True
        )
    return row


def scenes(data: Path | None, quick: bool) -> list[tuple[str, Picture]]:
    """Photographs of 560 x 416 pixels; scikit-image's where there are no others."""
    if data is None:
        from skimage import data as samples

        return [(name, getattr(samples, name)()[:416, :512].astype(float) / 255) for name in ("astronaut", "coffee")]
    found = []
    for path in sorted((data / "hr_train").glob("*.webp"))[3 :: 40 if quick else 14]:
        pixels = codecs.rgb8(codecs.read(path)).astype(float) / 255
        found.append((path.stem, pixels if pixels.shape[1] > pixels.shape[0] else pixels.transpose(1, 0, 2)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a third of the photographs")
    parser.add_argument("--save", type=Path, metavar="DIR", help="write a contact sheet for each burst")
    arguments = parser.parse_args()
    data = Path(os.environ["SR_DATA"]) if os.environ.get("SR_DATA") else None
    rows = []
    print(f"{'burst':34}{'one shot':>10}{'ideal':>8}{'fused':>8}{'still':>8}{'bright':>8}{'dark':>8}{'cost':>7}")
    for seed, (name, scene) in enumerate(scenes(data, arguments.quick)):
        for kind in ("polyu", "renoir") if data else ("synthetic",):
            noises = real_noise(data, [kind], seed) if data else synthetic_noise(seed)
            row = measure(f"{name}-{kind}", simulate(scene, noises, seed), arguments.save)
            rows.append(row)
            keys = ("one_shot_db", "ideal_db", "fused_less_ideal_db", "still_mean_less_ideal_db",
                    "bright_track_less_without_db", "dark_track_less_without_db", "fewer_shots_cost_db")  # fmt: skip
            widths = (10, 8, 8, 8, 8, 8, 7)
            figures = "".join(f"{row[key]:{width}.2f}" for key, width in zip(keys, widths, strict=True))
            print(f"{row['burst']!s:34}{figures}", flush=True)
    fused = np.array([row["fused_less_ideal_db"] for row in rows], float)
    still = np.array([row["still_mean_less_ideal_db"] for row in rows], float)
    ghosts = np.array([row[f"{colour}_track_less_without_db"] for row in rows for colour in COLOURS], float)
    targets = [
        print_target("fused less ideal, mean, dB", -0.5, float(fused.mean())),
        print_target("fused less ideal, worst, dB", -0.5, float(fused.min()), _ALIASING),
        print_target("fusing shots that did not move, worst, dB", -0.2, float(still.min())),
        print_target("in the track, less without the object, worst, dB", -0.5, float(ghosts.min())),
    ]
    result = {"machine": machine("numpy", "scipy", "numba"), "rows": rows, "targets": targets}
    print(f"saved {save('burst', result)}")


if __name__ == "__main__":
    main()
