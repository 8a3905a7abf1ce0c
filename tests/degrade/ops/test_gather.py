"""Runs that wait for the same thing are served together, in rounds, whatever each does besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from degrade.ops.gather import Run, finished
from degrade.ops.protocol import Context, Image, Waiting

SERVED: list[tuple[str, int]] = []


@dataclass(frozen=True)
class Doubles:
    op: ClassVar[str] = "doubles"
    reach: ClassVar[int | None] = 0
    id: str
    batch_key: str

    def apply(self, image: Image, context: Context) -> Image:
        return 2 * image

    @staticmethod
    def apply_batch(waiting: Sequence[Waiting[Any]]) -> list[Image]:
        SERVED.append((waiting[0].draw.batch_key, len(waiting)))
        return [2 * one.image for one in waiting]


def run(value: float, keys: str, size: int = 2) -> Run:
    image = np.full((size, size, 1), value, np.float32)
    for key in keys:
        image = 1 + (yield Waiting(Doubles("x", key), image, Context()))
    return image


def test_each_gets_its_own_and_alike_ones_are_served_at_once() -> None:
    SERVED.clear()
    found = finished([run(1, "ab"), run(2, "a"), run(3, ""), run(4, "bb"), run(5, "a", size=3)])
    assert [float(image[0, 0, 0]) for image in found] == [7, 5, 3, 19, 11]
    assert [image.shape[0] for image in found] == [2, 2, 2, 2, 3]
    assert SERVED == [("a", 2), ("b", 1), ("a", 1), ("b", 2)]


def test_none_is_nothing() -> None:
    assert finished([]) == []
