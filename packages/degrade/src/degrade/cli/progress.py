"""A progress bar on stderr for what turns out to take long; nothing where nobody watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 2.0  # seconds before a bar appears


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    """`advance()` for each of `total` steps (None: not known); the bar appears after `PATIENCE` seconds."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task, start, shown, done = bar.add_task(what, total=total), time.monotonic(), False, 0

    def advance() -> None:
        nonlocal shown, done
        done += 1
        bar.update(task, completed=done)
        if not shown and time.monotonic() - start > PATIENCE:
            shown = True
            bar.start()

    try:
        yield advance
    finally:
        bar.stop()
