"""Degraders against real pairs: how near the LR they make is to the camera's, and how near its noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from degrade.image import Pixels
from srzoo.evaluate.linear_part import LinearPart
from srzoo.evaluate.measures import Figures
from srzoo.evaluate.scenes import Degrader, Scene
from srzoo.metrics.noise_statistics import NoiseDistance, NoiseStatistics, NoiseSums, compare
from srzoo.metrics.protocol import compared
from srzoo.metrics.psnr import psnr
from srzoo.metrics.ssim import ssim

REAL = "real"  # the row of the camera's own LR


@dataclass
class DegraderJudge:
    """Judges scenes one by one; `results` are those of all together.

    Attributes:
        border: LR pixels left off on each side, for PSNR and SSIM.
        noise: whether to measure noise: what no linear filter of HR explains, in the flat areas of the clean LR.
    """

    degraders: Sequence[Degrader]
    border: int = 7
    noise: bool = False
    _pictures: list[tuple[str, dict[str, Figures]]] = field(default_factory=list)
    _sums: dict[str, NoiseSums] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [one.name for one in self.degraders]
        if REAL in names or len(set(names)) < len(names):
            raise ValueError(f"expected names of their own, and not {REAL!r}, got {', '.join(names)}")

    def add(self, scene: Scene) -> dict[str, Pixels]:
        """Judge `scene`; the LR that was made, by degrader.

        Raises:
            ValueError: LR of another size than the camera's.
        """
        made = {one.name: one.make(scene) for one in self.degraders}
        figures = {name: fidelity(lr, scene.real, self.border) for name, lr in made.items()}
        if self.noise:
            part = LinearPart(scene.hr, scene.scale)
            for name, lr in {REAL: scene.real, **made}.items():
                sums = NoiseSums.of(lr - part.of(lr), scene.clean)
                self._sums[name] = self._sums[name] + sums if name in self._sums else sums
                figures.setdefault(name, {})["std"] = sums.statistics().std
        self._pictures.append((scene.name, figures))
        return made

    def results(self) -> DegraderResults:
        """Raises `ValueError` before the first scene."""
        if not self._pictures:
            raise ValueError("expected at least one scene")
        return DegraderResults(tuple(self._pictures), {name: one.statistics() for name, one in self._sums.items()})


@dataclass(frozen=True)
class DegraderResults:
    """The figures of each picture by degrader, in order, and the noise of all pictures together if it was measured."""

    pictures: tuple[tuple[str, Mapping[str, Figures]], ...]
    noise: Mapping[str, NoiseStatistics]

    def summary(self) -> dict[str, Figures]:
        """By degrader, the camera's LR (`real`) first: means of PSNR and SSIM, and the noise with its distances.

        `std` here is that of all pictures together, no mean. A figure that could not be taken is nan.
        """
        table: dict[str, Figures] = {REAL: {}} if self.noise else {}
        first = self.pictures[0][1]
        for name in (name for name in first if name != REAL):
            table[name] = {key: fmean(one[name][key] for _, one in self.pictures) for key in ("psnr", "ssim")}
        for name, figures in table.items():
            if name in self.noise:
                if name != REAL:
                    figures |= distance_figures(compare(self.noise[REAL], self.noise[name]))
                figures |= noise_figures(self.noise[name])
        return table


def fidelity(made: Pixels, real: Pixels, border: int) -> Figures:
    """`psnr` and `ssim` of the luma of 8-bit `made`, (h, w, 3), against `real`, `border` pixels left off on each side.

    Raises:
        ValueError: sizes that differ, or too little left for SSIM.
    """
    planes = compared("network", made, real, border)
    return {"psnr": psnr(*planes), "ssim": ssim(*planes)}


def noise_figures(noise: NoiseStatistics) -> Figures:
    """`std`, `std_0` .. `std_7` from dark to light (nan: hardly any blocks), `band_0` .. `band_7` in dB, and what
    channels correlate by, `corr_rg`, `corr_gb`, `corr_rb`.
    """
    red_green, green_blue, red_blue = noise.channel_correlation
    return {
        "std": noise.std,
        **{f"std_{k}": math.nan if std is None else std for k, std in enumerate(noise.std_by_brightness)},
        **{f"band_{k}": level for k, level in enumerate(noise.spectrum)},
        "corr_rg": red_green,
        "corr_gb": green_blue,
        "corr_rb": red_blue,
    }


def distance_figures(distance: NoiseDistance) -> Figures:
    """`std_error` (0.25 is 25 %), `std_error_worst`, `spectrum_error` (dB, the worst band), `spectrum_error_mean`,
    `spectrum_shape_error`, `correlation_error`.
    """
    return {
        "std_error": distance.std,
        "std_error_worst": distance.std_worst,
        "spectrum_error": distance.spectrum,
        "spectrum_error_mean": distance.spectrum_mean,
        "spectrum_shape_error": distance.spectrum_shape,
        "correlation_error": distance.correlation,
    }
