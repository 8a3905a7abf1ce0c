"""How well a fresh critic tells made LR from real LR; its own small training loop."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from degrade.codecs import read, rgb8
from degrade.image import Pixels
from srzoo.discriminators.patch import PatchCritic, PatchCriticConfig
from srzoo.errors import ImageError, UsageError
from srzoo.evaluate.pairs import find_pictures
from srzoo.optim import OptimiserConfig, adam, learning_rate_at
from srzoo.tensors import to_tensor
from srzoo.threads import one_thread

FOLDS = 2
GRID = 4  # test crops down and across a picture
BATCH = 32  # half of them real
SMALLEST_CROP = 16  # pixels, a window of the critic

_CRITIC = PatchCriticConfig(features=16, strided=1)
_SURROUNDINGS = 5  # pixels a side, whose mean is taken off
_OPTIMISER = OptimiserConfig(("critic",), 1e-3, schedule="linear", hold=0.5)


@dataclass(frozen=True)
class Trial:
    """How long a critic learns, on squares of `crop` pixels a side; `seed` is of its start and its crops."""

    crop: int = 48
    steps: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        if self.crop < SMALLEST_CROP or self.steps < 1:
            raise ValueError(
                f"expected a crop of at least {SMALLEST_CROP} and at least 1 step, got {self.crop} and {self.steps}"
            )


@dataclass(frozen=True)
class Picture:
    """(H, W, 3) uint8 RGB; pictures of one `scene` show the same."""

    name: str
    scene: str
    pixels: Pixels


@dataclass(frozen=True)
class Fold:
    """Of pictures that the critic did not learn from.

    Attributes:
        accuracy: mean of the shares of real and of made crops that it recognises.
        auc: chance that it finds a real crop more real than a made one.
        recognised: the share of each real picture's crops, by name.
    """

    accuracy: float
    auc: float
    recognised: dict[str, float]


@dataclass(frozen=True)
class Separation:
    """What the critics of all folds said; every picture is tested once."""

    folds: tuple[Fold, ...]

    @property
    def accuracy(self) -> float:
        """0.5: cannot be told apart; 1: always."""
        return fmean(fold.accuracy for fold in self.folds)

    @property
    def auc(self) -> float:
        return fmean(fold.auc for fold in self.folds)

    @property
    def recognised(self) -> dict[str, float]:
        return {name: share for fold in self.folds for name, share in fold.recognised.items()}


def read_pictures(option: str, folder: Path, crop: int) -> list[Picture]:
    """All pictures in `folder` and below, kept in memory. Names that pairs share (`evaluate.pairs`) are one scene.

    Raises:
        UsageError: no folder, or fewer than `FOLDS` pictures; the line names `option`.
        ImageError: a picture that cannot be read, or is smaller than `crop`.
    """
    pictures = []
    for scene, (name, path) in find_pictures(option, folder).items():
        pixels = rgb8(read(path))
        if min(pixels.shape[:2]) < crop:
            size = f"{pixels.shape[1]} x {pixels.shape[0]}"
            raise ImageError(path, f"{size} is smaller than a crop of {crop}", "leave it out, or state a smaller crop")
        pictures.append(Picture(name, scene, pixels))
    if len(pictures) < FOLDS:
        raise UsageError(f"{option} {folder}", "a single picture", f"give at least {FOLDS}: some train, others test")
    return pictures


def tell_apart(
    real: Sequence[Picture],
    made: Sequence[Picture],
    trial: Trial = Trial(),
    *,
    advance: Callable[[], None] = lambda: None,
) -> Separation:
    """How well a critic that starts afresh learns to tell crops of `made` from crops of `real`.

    For each of two folds a critic learns on the pictures of the other fold: random crops, flipped both ways at random,
    half of every batch real, every picture as likely as any other. It is tested on 16 fixed crops, evenly spread, of
    each picture of its own fold. All sets are met by the same critic, with the same real crops in the same order. One
    thread: the same bits for the same pictures, whatever the number of cores.

    Scenes must not decide, only how they were taken. So pictures of one scene, real and made, are in one fold, or a
    critic would know a scene by heart as real and be wrong of its made twin; the critic, a PatchGAN of 16 features,
    judges windows of 16 x 16 pixels, of which a crop gets the mean; every pixel loses the mean of the 5 x 5 around it,
    as for DSGAN's critic; and crops are flipped. On 28 real photos against 42 bicubic LR this also told more than
    windows of 70 x 70 of crops without their mean colour (AUC 0.81 and 0.72). What is in the pictures still counts:
    both sides should show the same kind of scenes at the same size of detail, and sets made of the same HR be compared
    with each other rather than with 0.5. With few pictures chance is wide: halves of those 28 gave 0.37 and 0.41. A
    cast of colour or a change of brightness is not judged.

    Args:
        real, made: at least `FOLDS` of each, no smaller than the crop.
        advance: called after every step, `FOLDS * trial.steps` times.

    Source: our own. A classifier as a two-sample test: Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample
    tests".
    """
    real_folds, made_folds = deal([one.scene for one in real], [one.scene for one in made])
    results = []
    with one_thread():
        for fold in range(FOLDS):
            critic = _fresh_critic(trial.seed)
            kept = [_part(real, real_folds, fold, inside=False), _part(made, made_folds, fold, inside=False)]
            _train(critic, kept[0], kept[1], trial, fold, advance)
            tested = [_part(real, real_folds, fold), _part(made, made_folds, fold)]
            results.append(_judged(critic, tested[0], tested[1], trial.crop))
    return Separation(tuple(results))


def deal(real: Collection[str], made: Collection[str]) -> tuple[dict[str, int], dict[str, int]]:
    """The fold of each scene on both sides, by a hash of its name; a scene of both sides has one.

    The folds of a side differ by at most one scene, but for a side that has few of its own beside many shared ones.
    """
    shared, *alone = set(real) & set(made), set(real) - set(made), set(made) - set(real)
    folds = {scene: number % FOLDS for number, scene in enumerate(_shuffled(shared))}
    sides = [
        folds | {scene: (len(shared) + number) % FOLDS for number, scene in enumerate(_shuffled(own))} for own in alone
    ]
    return sides[0], sides[1]


def _shuffled(scenes: Iterable[str]) -> list[str]:
    return sorted(scenes, key=lambda scene: hashlib.blake2b(f"tell-apart:{scene}".encode()).digest())


def _part(pictures: Sequence[Picture], folds: dict[str, int], fold: int, *, inside: bool = True) -> list[Picture]:
    return [one for one in pictures if (folds[one.scene] == fold) is inside]


def _fresh_critic(seed: int) -> PatchCritic:
    with torch.random.fork_rng(devices=[]):  # layers draw their start from the global generator
        torch.manual_seed(seed)
        return PatchCritic(_CRITIC).to(memory_format=torch.channels_last)


def _train(
    critic: nn.Module,
    real: Sequence[Picture],
    made: Sequence[Picture],
    trial: Trial,
    fold: int,
    advance: Callable[[], None],
) -> None:
    optimiser = adam(_OPTIMISER, [critic])
    sides = [_crops(one, trial, (trial.seed, fold, side)) for side, one in enumerate((real, made))]
    labels = torch.tensor([1.0, 0.0]).repeat_interleave(BATCH // 2)
    for step in range(1, trial.steps + 1):
        optimiser.param_groups[0]["lr"] = learning_rate_at(_OPTIMISER, step, trial.steps)
        optimiser.zero_grad()
        logits = _logits(critic, torch.cat([next(side) for side in sides]))
        F.binary_cross_entropy_with_logits(logits, labels).backward()
        optimiser.step()
        advance()


def _crops(pictures: Sequence[Picture], trial: Trial, key: tuple[int, ...]) -> Iterator[Tensor]:
    """Half batches (BATCH / 2, 3, crop, crop) without end."""
    random = np.random.Generator(np.random.PCG64(key))
    while True:
        crops = []
        for number in random.integers(len(pictures), size=BATCH // 2):
            pixels = pictures[number].pixels
            y, x = (int(random.integers(length - trial.crop + 1)) for length in pixels.shape[:2])
            down, across = (1 - 2 * int(flip) for flip in random.integers(2, size=2))
            crops.append(to_tensor(pixels[y : y + trial.crop, x : x + trial.crop][::down, ::across]))
        yield torch.cat(crops)


def _logits(critic: nn.Module, crops: Tensor) -> Tensor:
    """(B,): the mean over the critic's map, of what is fine in crops (B, 3, crop, crop)."""
    low = F.avg_pool2d(crops, _SURROUNDINGS, stride=1, padding=_SURROUNDINGS // 2, count_include_pad=False)
    return critic(crops - low).mean((1, 2, 3))


def _judged(critic: nn.Module, real: Sequence[Picture], made: Sequence[Picture], crop: int) -> Fold:
    critic.eval()
    of_real = {one.name: _scores(critic, one.pixels, crop) for one in real}
    reals = np.concatenate(list(of_real.values()))
    fakes = np.concatenate([_scores(critic, one.pixels, crop) for one in made])
    recognised = {name: float((scores > 0).mean()) for name, scores in of_real.items()}
    return Fold(float((reals > 0).mean() + (fakes <= 0).mean()) / 2, auc(reals, fakes), recognised)


def _scores(critic: nn.Module, pixels: Pixels, crop: int) -> NDArray[np.float64]:
    """(GRID * GRID,), large where a crop looks real."""
    rows, columns = (np.linspace(0, length - crop, GRID).round().astype(int) for length in pixels.shape[:2])
    crops = torch.cat([to_tensor(pixels[y : y + crop, x : x + crop]) for y in rows for x in columns])
    with torch.inference_mode():
        return _logits(critic, crops).double().numpy()


def auc(above: NDArray[np.floating], below: NDArray[np.floating]) -> float:
    """The chance that one of `above` exceeds one of `below`, half of a tie; the area under the ROC curve."""
    ordered = np.sort(below)
    beaten = np.searchsorted(ordered, above, "left") + np.searchsorted(ordered, above, "right")
    return float(beaten.mean()) / (2 * len(ordered))
