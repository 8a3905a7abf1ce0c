"""Ctrl-C and SIGTERM become a wish: the running step is finished and saved first."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class StopRequest:
    """While entered, notes the first SIGINT or SIGTERM in `signal`; a second one acts at once, as usual."""

    def __init__(self) -> None:
        self.signal = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _note(self, number: int, _: FrameType | None) -> None:
        self.signal = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[reportArgumentType]  what signal.signal itself returned
        self._before = {}
