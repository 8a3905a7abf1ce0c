"""What an adapter of a whole published pipeline is given and returns: HR crops in, pairs out; the peer draws."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from peers.generic import Patches

CROP, HR, LR = 400, 256, 64  # sides: what goes in, and the pair that comes out


@dataclass(frozen=True)
class PairWay:
    """`make` takes (B, 400, 400, 3) uint8 RGB and gives LR (B, 64, 64, 3) and HR (B, 256, 256, 3) uint8."""

    name: str
    recipe: str  # ours of the same source
    make: Callable[[Patches], tuple[Patches, Patches]]
    batch: int = 1


@contextmanager
def search_path(*folders: Path) -> Iterator[None]:
    names = [str(folder) for folder in folders]
    sys.path[:0] = names
    try:
        yield
    finally:
        for name in names:
            sys.path.remove(name)


def hollow(name: str, folder: Path) -> None:
    """A package whose own `__init__` is not run: only the parts of it that are asked for are loaded."""
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module
