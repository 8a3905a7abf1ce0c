"""Several pairs carried on together, so that a step that works on many images at once gets many."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from typing import Any

from degrade.ops.protocol import BatchDraw, Image, Waiting

Run = Generator[Waiting[BatchDraw], Image, Image]
"""The steps of one pair: it gives out what waits, takes in the result, and returns the last image."""


def finished(runs: Sequence[Run]) -> list[Image]:
    """What each run comes to. Images of one shape and origin that wait with one `batch_key` go into one call."""
    states: list[Any] = [_next(run) for run in runs]  # what a run waits for, or its result
    while waiting := [n for n, state in enumerate(states) if isinstance(state, Waiting)]:
        groups: dict[Hashable, list[int]] = {}
        for n in waiting:
            state = states[n]
            groups.setdefault((state.draw.batch_key, state.image.shape, state.context.origin), []).append(n)
        for group in groups.values():
            served = [states[n] for n in group]
            for n, image in zip(group, served[0].draw.apply_batch(served), strict=True):
                states[n] = _next(runs[n], image)
    return states


def _next(run: Run, image: Image | None = None) -> Waiting[BatchDraw] | Image:
    try:
        return next(run) if image is None else run.send(image)
    except StopIteration as end:
        return end.value
