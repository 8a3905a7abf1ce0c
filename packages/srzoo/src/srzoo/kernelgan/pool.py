"""A pool of KernelGAN kernels: one photograph after another, the file complete after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from degrade import assets, codecs
from degrade.errors import DegradeError, ImageError, UsageError
from degrade.sources.folder import listed
from degrade.sources.source import Source
from srzoo.kernelgan.estimate import STEPS, estimate
from srzoo.kernelgan.kernel import SIDES, Scale, finished

RULE = "KernelGAN (Bell-Kligler et al. 2019), centred"


@dataclass(frozen=True)
class Settings:
    """What the kernels of one pool have in common."""

    scale: Scale = 2
    steps: int = STEPS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.scale not in SIDES or self.steps < 1:
            raise ValueError(f"expected a scale of 2 or 4 and at least 1 step, got {self.scale} and {self.steps}")


@dataclass(frozen=True, eq=False)
class PhotoKernel:
    """The kernel (k, k) of a photograph, non-negative, sum 1, centred, and whose it is."""

    name: str
    sha256: str
    kernel: NDArray[np.float32]


class KernelPool:
    """The pool at `path`: what it holds already, and more as it comes.

    Raises:
        UsageError: what is there is not such a pool, or was made with other settings.
        IntegrityError: it is damaged.
    """

    def __init__(self, path: Path, settings: Settings, *, start_over: bool = False) -> None:
        if path.suffix != assets.SUFFIX:
            raise UsageError(path, "not a name for a pool", f"end it in {assets.SUFFIX}")
        self.path, self.settings = path, settings
        self.kernels = _read(path, settings) if path.exists() and not start_over else []

    def __contains__(self, source: Source) -> bool:
        return any(one.sha256 == source.sha256 for one in self.kernels)

    def add(self, one: PhotoKernel) -> None:
        """Write the file anew with `one` as the last; it is whole at any moment."""
        self.kernels.append(one)
        photos = [{"name": kernel.name, "sha256": kernel.sha256} for kernel in self.kernels]
        card = {"kernels": {"rule": RULE, **asdict(self.settings), "photos": photos}}
        assets.write_pool(self.path, kernels=np.stack([k.kernel for k in self.kernels]), card=card, overwrite=True)


def find_photos(paths: Sequence[Path]) -> tuple[list[Source], list[DegradeError]]:
    """The photographs that `paths` (files and folders) name, each content once, and what is none."""
    found = listed(paths)
    photos: dict[str, Source] = {}
    for source in found.sources:
        photos.setdefault(source.sha256, source)
    refused: list[DegradeError] = []
    for entry in found.skipped:
        problem, _, cure = entry.message.rpartition(" - ")
        refused.append(ImageError(entry.path, problem, cure))
    return list(photos.values()), refused


def add_kernel(pool: KernelPool, photo: Source, *, advance: Callable[[], None] = lambda: None) -> PhotoKernel:
    """The kernel of `photo`, once it is in the file. `advance` is called after every step of the estimation.

    Raises:
        ImageError: it cannot be read, is too small or without detail.
        DivergedError: no kernel was found.
    """
    path = Path(photo.root) / photo.path
    data = codecs.read_bytes(path)
    pixels = codecs.rgb8(codecs.decode(data, path))
    settings = pool.settings
    try:
        taps = estimate(pixels, steps=settings.steps, seed=settings.seed, advance=advance)
    except ValueError as error:
        raise ImageError(path, str(error), "give another photo") from None
    one = PhotoKernel(path.name, codecs.sha256(data), finished(taps, settings.scale))
    pool.add(one)
    return one


def _read(path: Path, settings: Settings) -> list[PhotoKernel]:
    held = assets.pool(assets.register(path))
    stated: dict[str, Any] = held.card.get("kernels") or {}
    if stated.get("rule") != RULE or len(held.noise):
        raise UsageError(path, "is there already, and holds something else", "use another name, or --force")
    before = {name: stated.get(name) for name in asdict(settings)}
    if before != asdict(settings):
        differ = ", ".join(
            f"{name} {before[name]}" for name, value in asdict(settings).items() if value != before[name]
        )
        raise UsageError(path, f"was made with {differ}", "use the same settings, another name, or --force")
    return [
        PhotoKernel(photo["name"], photo["sha256"], kernel)
        for photo, kernel in zip(stated["photos"], held.kernels, strict=True)
    ]
