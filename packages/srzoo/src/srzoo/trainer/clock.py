"""Time spent on steps, without the pauses in which a run looks at itself."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_WINDOW = 200  # steps
_GUESS_SECONDS, _GUESS_STEPS, _WARM_UP_STEPS = 4.0, 12, 3


class Clock:
    """Seconds of training in all, and the rate of the latest steps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._recent: deque[float] = deque(maxlen=_WINDOW)
        self._mark = 0.0
        self._steps, self._has_guessed = 0, False

    def start(self) -> None:
        self._mark = time.monotonic()

    def step(self) -> None:
        """Count one step, from the last mark to now."""
        now = time.monotonic()
        self.seconds += now - self._mark
        self._steps += 1
        if self._steps > _WARM_UP_STEPS:  # the first ones pay for set-up
            self._recent.append(now - self._mark)
        self._mark = now

    @property
    def rate(self) -> float:
        """Steps per second of late; 0 before it is known."""
        total = sum(self._recent)
        return len(self._recent) / total if total else 0.0

    def is_first_guess(self) -> bool:
        """True once: when enough steps have run to say how long the rest takes."""
        ready = len(self._recent) >= _GUESS_STEPS or (bool(self._recent) and sum(self._recent) >= _GUESS_SECONDS)
        if self._has_guessed or not ready:
            return False
        self._has_guessed = True
        return True

    @contextmanager
    def paused(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._mark = time.monotonic()
