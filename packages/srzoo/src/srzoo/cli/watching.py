"""What `srzoo train` shows on stderr: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from degrade.errors import printable
from srzoo.trainer import Pace, Watcher
from srzoo.trainer import Progress as Where

_LINE_SECONDS = 30.0
_JUDGED = (  # how a score's name begins, what it is, what it is compared with, and what that is called
    ("", "PSNR", "psnr_bicubic", "bicubic"),
    ("lr_", "LR PSNR", "lr_psnr_bicubic", "bicubic LR"),
    ("lr_", "LR PSNR", "lr_psnr_identity", "HR itself"),
)


@contextmanager
def watching() -> Iterator[Watcher]:
    """A watcher for the time of a run."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with _Bar(console) if console.is_terminal else _Lines(console) as watcher:
        yield watcher


class _Lines(Watcher):
    """One line for everything that is said, and one every half minute for the progress."""

    def __init__(self, console: Console) -> None:
        self._console, self._spoken = console, time.monotonic()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def note(self, text: str) -> None:
        self._console.print(printable(text), markup=False)

    def warn(self, text: str) -> None:
        self._console.print(f"warning: {printable(text)}", markup=False)

    def pace(self, pace: Pace) -> None:
        self.note(f"{pace.stage}: {pace.steps_per_second:.1f} steps/s, about {duration(pace.seconds_left)} to go")

    def progress(self, progress: Where) -> None:
        if time.monotonic() - self._spoken >= _LINE_SECONDS:
            self._spoken = time.monotonic()
            left = f", {time_left(progress)} left" if progress.steps_per_second else ""
            self.note(f"step {progress.step}/{progress.steps}  {described(progress)}{left}")

    def scores(self, step: int, scores: Mapping[str, float]) -> None:
        self.note(f"step {step}: {'; '.join(verdicts(scores))}")


class _Bar(_Lines):
    """The same, with a bar that stays at the bottom."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[now]}"),
        )
        self._bar = Progress(*columns, console=console, refresh_per_second=4)
        self._task = self._bar.add_task("", total=None, now="")

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def progress(self, progress: Where) -> None:
        now = f"{described(progress)}  {time_left(progress)} left" if progress.steps_per_second else ""
        self._bar.update(self._task, completed=progress.step, total=progress.steps, description=progress.stage, now=now)


def verdicts(scores: Mapping[str, float]) -> list[str]:
    """`PSNR 28.41 dB (+1.20 over bicubic), SSIM 0.8104` of SR, and the like of a degrader's LR."""
    said = []
    for before, kind, baseline, name in _JUDGED:
        if f"{before}psnr" in scores and baseline in scores:
            value, similar = scores[f"{before}psnr"], scores[f"{before}ssim"]
            said.append(f"{kind} {value:.2f} dB ({value - scores[baseline]:+.2f} over {name}), SSIM {similar:.4f}")
    return said


def described(progress: Where) -> str:
    """`9.8 it/s  pixel 0.0312`."""
    losses = [f"{name} {value:.4g}" for name, value in progress.losses.items()]
    return "  ".join([f"{progress.steps_per_second:.1f} it/s", *losses])


def time_left(progress: Where) -> str:
    return duration((progress.steps - progress.step) / progress.steps_per_second)


def duration(seconds: float) -> str:
    """`2 h 05 min`, `12 min`, `40 s`."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min" if seconds >= 90 else f"{seconds:.0f} s"
