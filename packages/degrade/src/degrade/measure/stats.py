"""What a set is like: every drawn parameter, and figures of the pixels of an even sample of its pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from degrade.functional.resample import resize
from degrade.functional.statistics import levels, luma, noise_level, psnr, sharpness
from degrade.measure.drawn import StepCount, count_draws, histograms, spread
from degrade.measure.pairs import Pairs, evenly, in_order

SMALLEST_LR = 3  # pixels on a side: the noise mask


@dataclass(frozen=True)
class Quantity:
    """A figure of a pair: its unit, and what it says."""

    title: str
    unit: str
    meaning: str


QUANTITIES: dict[str, Quantity] = {
    "psnr": Quantity("PSNR of LR to HR", "dB", "LR enlarged by MATLAB's bicubic against HR, all channels"),
    "difficulty": Quantity(
        "difficulty",
        "dB",
        "how far that PSNR lies below the one of a bicubic LR of this HR; 0 is plain bicubic",
    ),
    "lr_noise": Quantity(
        "noise of LR",
        "grey levels",
        "standard deviation; median of the Laplacian residual (Immerkaer) where LR is flat",
    ),
    "hr_noise": Quantity("noise of HR", "grey levels", "the same of HR; clean photographs read about 1.5"),
    "lr_sharpness": Quantity("sharpness of LR", "grey levels", "rms gradient of luma, per pixel"),
    "hr_sharpness": Quantity("sharpness of HR", "grey levels", "rms gradient of luma, per pixel"),
}


@dataclass(frozen=True)
class Statistics:
    """`steps` of all traces, `figures` (name in `QUANTITIES` -> (n,) values) of the pairs `measured`."""

    num_pairs: int
    steps: dict[str, StepCount]
    measured: tuple[int, ...]
    figures: dict[str, np.ndarray]

    def as_dict(self, bins: int = 20) -> dict[str, Any]:
        """Plain values, for JSON and pages."""
        return {
            "pairs": self.num_pairs,
            "pairs_measured": len(self.measured),
            "figures": {
                name: {**vars(QUANTITIES[name]), **spread(values, bins)} for name, values in self.figures.items()
            },
            "steps": histograms(self.steps, bins),
        }


def measure_set(
    pairs: Pairs,
    *,
    drawn: Mapping[str, frozenset[str]] | None = None,
    limit: int = 2000,
    advance: Callable[[], None] = lambda: None,
) -> Statistics:
    """Count every draw of `pairs`, and measure at most `limit` of them, evenly spread.

    Args:
        drawn: step id -> fields that the recipe draws; see `count_draws`.
        advance: called once for each trace and once for each pair measured.
    """

    def traces() -> Iterator[Mapping[str, Any]]:
        for index in range(len(pairs)):
            yield pairs.trace(index)
            advance()

    steps = count_draws(traces(), drawn)
    chosen = evenly(len(pairs), limit)
    rows = list(in_order(lambda index: figures_of(*pairs.read(index)), chosen, advance=advance))
    figures = {name: np.array([row[name] for row in rows if name in row]) for name in QUANTITIES}
    return Statistics(
        len(pairs), steps, tuple(chosen), {name: values for name, values in figures.items() if len(values)}
    )


def figures_of(lr: np.ndarray, hr: np.ndarray) -> dict[str, float]:
    """The figures of one pair of pixels (uint8 or uint16), named as in `QUANTITIES`.

    Sides below `SMALLEST_LR` leave out the noise.
    """
    small, large = levels(lr), levels(hr)
    plain = resize(large, *small.shape[:2])
    reached, ideal = (psnr(np.clip(resize(image, *large.shape[:2]), 0, 255), large) for image in (small, plain))
    found = {
        "psnr": reached,
        "difficulty": ideal - reached,
        "lr_sharpness": sharpness(luma(small)),
        "hr_sharpness": sharpness(luma(large)),
    }
    for name, image in (("lr_noise", small), ("hr_noise", large)):
        if min(image.shape[:2]) >= SMALLEST_LR:
            found[name] = noise_level(image)
    return found
