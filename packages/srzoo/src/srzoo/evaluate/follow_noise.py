"""Whether the noise of made LR follows that of the reference photo it was given."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from degrade.card import ReferenceInput
from degrade.functional.resample import imresize_uint8
from degrade.functional.statistics import noise_level
from degrade.image import Pixels, crop_to_multiple, window
from srzoo.errors import UsageError
from srzoo.evaluate.learned_degraders import LearnedDegrader
from srzoo.evaluate.scenes import Degrader, Scene

FEWEST = 3  # references; two are always on a line


@dataclass(frozen=True)
class Following:
    """Noise levels over references, in grey levels of 255; each a mean over HR pictures.

    Attributes:
        reference: of what was shown of each reference.
        made: of the LR that was made with it, by model.
    """

    reference: tuple[float, ...]
    made: Mapping[str, tuple[float, ...]]

    def correlation(self, model: str) -> float:
        """Pearson's; nan where either noise is the same for all references, as that of a model that ignores them."""
        return correlation(self.reference, self.made[model])

    def slope(self, model: str) -> float:
        """Levels of made noise for one of the reference's, by least squares; nan where all references are alike."""
        return slope(self.reference, self.made[model])


def imitator(model: LearnedDegrader, name: str) -> Degrader:
    """`model` at its own scale.

    Raises:
        UsageError: it takes no reference.
    """
    if not any(isinstance(one, ReferenceInput) for one in model.inputs):
        raise UsageError(model.path, "takes no reference", "give a degrader that does, such as one of `ddnsr-paper`")
    return model.at(model.scale, name)


def follow_noise(
    degraders: Sequence[Degrader],
    truths: Mapping[str, Pixels],
    references: Mapping[str, Pixels],
    scale: int,
    *,
    advance: Callable[[], None] = lambda: None,
) -> Following:
    """The noise of LR made of the same `truths` with each of `references` in turn, and the noise of those.

    Shown of a reference is its middle, as large as LR, mirrored where it is smaller; its noise is that of what is
    shown. Made noise is what made LR has beside MATLAB's bicubic LR, so that detail of the scene hardly counts. Both
    are read by `degrade.functional.statistics.noise_level`: of the finest grain, where gradients are least. That is
    right for white noise and too low for coarse grain, on both sides alike; texture fools it less than the deviation
    of flat blocks, of which small pictures of much detail have none.

    Args:
        degraders: each under a name of its own.
        truths: clean HR (H, W, 3) by name, cropped to a multiple of what the degraders need.
        references: (h, w, 3) by name, at least `FEWEST`.
        advance: called for each LR that was made.

    Raises:
        ValueError: nothing to make LR of, or too few references.

    Source: our own.
    """
    if not truths or len(references) < FEWEST:
        raise ValueError(f"expected HR and at least {FEWEST} references, got {len(truths)} and {len(references)}")
    multiple = math.lcm(scale, *(one.multiple for one in degraders))
    cropped = {name: np.ascontiguousarray(crop_to_multiple(hr, multiple)) for name, hr in truths.items()}
    levels: list[float] = []
    made: dict[str, list[float]] = {one.name: [] for one in degraders}
    for reference in references.values():
        shown, found = [], {one.name: [] for one in degraders}
        for key, (name, hr) in enumerate(cropped.items()):
            clean = imresize_uint8(hr, hr.shape[0] // scale, hr.shape[1] // scale)
            example = _middle(reference, *clean.shape[:2])
            shown.append(noise_level(example.astype(np.float32)))
            scene = Scene(name, hr, clean, clean, example, key)
            for one in degraders:
                found[one.name].append(noise_level(np.subtract(one.make(scene), clean, dtype=np.float32)))
                advance()
        levels.append(fmean(shown))
        for name, values in found.items():
            made[name].append(fmean(values))
    return Following(tuple(levels), {name: tuple(values) for name, values in made.items()})


def correlation(across: Sequence[float], up: Sequence[float]) -> float:
    """Pearson's, nan where either does not vary."""
    if min(across) == max(across) or min(up) == max(up):
        return math.nan
    return float(np.corrcoef(across, up)[0, 1])


def slope(across: Sequence[float], up: Sequence[float]) -> float:
    """Of the line by least squares, nan where `across` does not vary, exactly 0 where `up` alone does not."""
    if min(across) == max(across):
        return math.nan
    if min(up) == max(up):
        return 0.0
    away = np.subtract(across, fmean(across))
    return float(away @ np.subtract(up, fmean(up)) / (away @ away))


def _middle(pixels: Pixels, height: int, width: int) -> Pixels:
    return window(pixels, (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2, height, width)
