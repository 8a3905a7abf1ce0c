"""What a run tells whoever looks on; the command line draws it, a library user may ignore it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """How fast the stage runs, measured on its own first seconds."""

    stage: str
    steps_per_second: float
    seconds_left: float


@dataclass(frozen=True)
class Progress:
    """Where a run is after a step; `losses` are those of the last logged step."""

    stage: str
    step: int
    steps: int
    steps_per_second: float
    losses: Mapping[str, float]


class Watcher:
    """Hears of everything and does nothing; override what matters."""

    def note(self, text: str) -> None:
        """One sentence worth reading."""

    def warn(self, text: str) -> None:
        """One sentence about something that went wrong and was survived."""

    def pace(self, pace: Pace) -> None:
        """The first honest guess of how long a stage takes."""

    def progress(self, progress: Progress) -> None:
        """After every step."""

    def scores(self, step: int, scores: Mapping[str, float]) -> None:
        """After every validation: `psnr`, `ssim`, `psnr_bicubic`; of a degrader what `LRValidator.scores` says."""
