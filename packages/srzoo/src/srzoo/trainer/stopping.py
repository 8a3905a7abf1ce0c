"""Ctrl-C, SIGTERM and SIGUSR1 (a scheduler's warning) become a wish: the running step is finished and saved first."""

from __future__ import annotations

import signal
import threading
from types import FrameType

_WISHES = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class StopRequest:
    """While entered, notes the first of them in `signal`, SIGUSR1 as SIGTERM; a second one acts at once, as usual."""

    def __init__(self) -> None:
        self.signal = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _WISHES}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _note(self, number: int, _: FrameType | None) -> None:
        self.signal = signal.SIGTERM if number == signal.SIGUSR1 else number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[reportArgumentType]  what signal.signal itself returned
        self._before = {}
