"""`degrade replay`: stored pairs made again from their photographs and traces, and compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from degrade.errors import DegradeError, ImageError, InputsSkippedError, IntegrityError, UsageError, printable

if TYPE_CHECKING:
    from degrade.cli.pairs import Pairs
    from degrade.image import Pixels
    from degrade.shards.layout import ShardHeader, SourceRow

MAX_TOLD = 20  # failures told one by one
REMAKE = "make the set again with `degrade pack`"

Find = Callable[["SourceRow"], "Pixels"]
"""The pixels of a photo; ImageError if it is not to be had."""


@dataclass(frozen=True)
class Replayed:
    """A pair made again. Differences are in grey levels; `share` is of the LR's values that differ."""

    index: int
    largest: int
    share: float
    hr_largest: int  # of the photo's pixels against the stored HR
    other: str  # what differs in engine or libraries; '' if nothing


@dataclass(frozen=True)
class Origin:
    """What a pair is made again from.

    Attributes:
        row: the photo; of a captured pair its LR picture. None: the stored HR is enough.
        is_captured: whether it is one.
        ratio: HR size over the size of that picture.
        trace: without the captured step.
        whole: the variant, where the whole picture was degraded and the patch cut then.
    """

    row: SourceRow | None
    is_captured: bool
    ratio: int
    trace: dict[str, Any]
    whole: int | None


def origin_of(pairs: Pairs, index: int) -> Origin:
    """What pair `index` is made again from.

    Raises:
        UsageError: a pair that no recipe made.
    """
    trace = pairs.trace(index)
    steps = trace.get("steps", [])
    captured = [step for step in steps if step.get("op") == "captured"]
    rest = [step for step in steps if step.get("op") != "captured"]
    if captured and not rest and not pairs.recipe_text(index).strip():
        raise UsageError(f"pair {index}", "was captured by cameras, not made by a recipe", "nothing can be replayed")
    whole = int(trace.get("variant", 0)) if trace.get("unit") == "photo" else None
    if not captured:
        is_needed = pairs.header(index).margin > 0 or whole is not None or bool(trace.get("hr_steps"))
        return Origin(pairs.source_row(index) if is_needed else None, False, 1, trace, whole)
    try:
        lr, ratio = captured[0]["lr"], int(captured[0]["scale"])
        if ratio < 1:
            raise ValueError(ratio)
        row: SourceRow = {"root": lr["root"], "path": lr["path"], "sha256": lr["sha256"], "height": 0, "width": 0}
        return Origin(row, True, ratio, {**trace, "steps": rest}, whole)
    except (KeyError, TypeError, ValueError):
        raise IntegrityError(f"pair {index}", "its trace does not say which picture it was made from", REMAKE) from None


def replay_pairs(
    pairs: Pairs, indices: Iterable[int], find: Find, *, advance: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, Replayed | ImageError]]:
    """Each pair made again, or why its photo cannot be had; photo by photo.

    With a margin of 0 the stored HR is all that is needed, else the photo is.

    Raises:
        UsageError: pairs that no recipe made. IntegrityError: a damaged row, or a step not known to this version.
    """
    by_source: dict[str, list[tuple[int, int]]] = {}
    for index in indices:
        origin = origin_of(pairs, index)
        sha256 = origin.row["sha256"] if origin.row else pairs.source_row(index)["sha256"]
        by_source.setdefault(sha256, []).append((origin.whole or 0, index))
    for group in by_source.values():
        again = Again(find)
        for _, index in sorted(group):  # all of one whole picture, then those of the next
            try:
                yield index, again.pair(pairs, index)
            except ImageError as error:
                yield index, error
            advance()


class Again:
    """Makes pairs of one photo again; keeps the photo, and the last whole LR made of it."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._photo: Pixels | ImageError | None = None
        self._whole: tuple[int, Pixels] | None = None

    def pair(self, pairs: Pairs, index: int) -> Replayed:
        """Raises ImageError if the photo is not to be had."""
        header, origin = pairs.header(index), origin_of(pairs, index)
        (lr, hr), (y, x) = pairs.read(index), pairs.origin(index)
        if lr.dtype != np.uint8:
            raise UsageError(f"pair {index}", f"its pixels are {lr.dtype}, which no recipe makes", "leave it out")
        photo = None if origin.row is None else self._photo_of(origin.row)
        again = self._lr(header, origin, np.ascontiguousarray(hr, np.uint8) if photo is None else photo, (y, x))
        (height, width), hr_largest = header.hr_size, 0
        if photo is not None and not origin.is_captured and not origin.trace.get("hr_steps"):
            hr_largest = _largest(photo[y : y + height, x : x + width], hr)
        return Replayed(
            index=index,
            largest=_largest(again, lr),
            share=float(np.mean(again != lr)),
            hr_largest=hr_largest,
            other=_other(header.engine, header.libraries),
        )

    def _lr(self, header: ShardHeader, origin: Origin, pixels: Pixels, place: tuple[int, int]) -> Pixels:
        from degrade.image import window
        from degrade.pipeline import replay, stated_reduction

        scale, margin, trace = header.scale // origin.ratio, header.margin // origin.ratio, json.dumps(origin.trace)
        (height, width), (y, x), reduction = header.lr_size, place, stated_reduction(origin.trace)
        if origin.whole is not None:
            whole = self._whole_lr(pixels, origin, scale, margin)
            top, left = (start // (header.scale * reduction) for start in (y, x))
            return whole[top : top + height, left : left + width]
        around = pixels
        if origin.row is not None:
            top, left = y // origin.ratio, x // origin.ratio
            each = scale * reduction
            around = window(pixels, top, left, height * each, width * each, margin * reduction)
        return replay(around, trace, scale=scale, margin=margin)

    def _whole_lr(self, pixels: Pixels, origin: Origin, scale: int, margin: int) -> Pixels:
        from degrade.image import crop_to_multiple, window
        from degrade.pipeline import replay, stated_reduction

        assert origin.whole is not None
        if self._whole is None or self._whole[0] != origin.whole:
            reduction = stated_reduction(origin.trace)
            cropped = crop_to_multiple(pixels, scale * reduction)
            around = window(cropped, 0, 0, cropped.shape[0], cropped.shape[1], margin * reduction)
            self._whole = origin.whole, replay(around, json.dumps(origin.trace), scale=scale, margin=margin)
        return self._whole[1]

    def _photo_of(self, row: SourceRow) -> Pixels:
        if self._photo is None:
            try:
                self._photo = self._find(row)
            except ImageError as error:
                self._photo = error
        if isinstance(self._photo, ImageError):
            raise self._photo
        return self._photo


def _largest(first: np.ndarray, second: np.ndarray) -> int:
    return int(np.abs(first.astype(np.int32) - second.astype(np.int32)).max())


def _other(engine: int, libraries: str) -> str:
    from degrade.pipeline import ENGINE
    from degrade.synthesize.planning import TORCH
    from degrade.synthesize.planning import libraries as versions

    parts = [f"engine {engine}, here {ENGINE}"] if engine != ENGINE else []
    here = versions(is_learned=f"{TORCH} " in libraries)
    parts += [f"libraries {libraries}, here {here}"] if libraries != here else []
    return "; ".join(parts)


def fault_of(result: Replayed, path: Path) -> IntegrityError | None:
    """The one line about a pair that is not what its trace says; None if it is, to the bit."""
    if not result.largest:
        return None
    problem = f"the LR made again differs by up to {result.largest} of 255, in {100 * result.share:.2g} % of its values"
    cure = f"run `degrade verify {path}`"
    if result.hr_largest:
        problem += f"; its photo has other pixels here than the stored HR, by up to {result.hr_largest}"
        cure = "the photo is decoded, or the scene drawn, otherwise here: use the versions that made the set"
    if result.other:
        problem += f"; made by {result.other}"
        cure = "use the versions that made the set"
    return IntegrityError(f"{path}: pair {result.index}", problem, cure)


def _chosen(pairs: Pairs, which: str, path: Path) -> Sequence[int]:
    from degrade.cli.pairs import checked_index

    if which == "all":
        return range(len(pairs))
    try:
        return [checked_index(pairs, int(which), path)]
    except ValueError:
        raise UsageError(which, "not the number of a pair", "give one from 0, or `all`") from None


@click.command(
    epilog="""\b
Examples:
  degrade replay shards/ 17
  degrade replay shards/ all
  degrade replay shards/ all --hr-root /mnt/photos     the photos were moved, or renamed
  degrade replay shards/ all --pool /mnt/camera.npz    so was a pool of the recipe
"""
)
@click.argument("path", metavar="SET", type=click.Path(path_type=Path))
@click.argument("which", metavar="INDEX|all")
@click.option(
    "--hr-root",
    "roots",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Look for the photos here too, by name and by content. May be repeated.",
)
@click.option(
    "--pool",
    "pools",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True),
    help="A pool, model or folder that the recipe used, if it lies elsewhere now. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def command(path: Path, which: str, roots: tuple[Path, ...], pools: tuple[Path, ...], as_json: bool) -> None:
    """Make stored pairs again from their photographs and traces, and compare.

    SET is a folder of shards, or one .h5 shard; INDEX a pair of it, from 0. Captured pairs are made again from their LR
    picture, if a recipe made something of it. Exit code 0: bit-equal. 4: something
    differs; it is said by how much, and whether the engine or the libraries are others. 3: photos were not found.
    """
    from degrade.cli.originals import Photos, register_files
    from degrade.cli.pairs import open_pairs
    from degrade.cli.progress import progress

    pairs = open_pairs(path)
    register_files(path if path.is_dir() else path.parent, pools)
    chosen = _chosen(pairs, which, path)
    equal, faults, lost = 0, [], Counter[ImageError]()
    results: list[dict[str, object]] = []
    with progress("replaying", len(chosen)) as advance:
        for index, result in replay_pairs(pairs, chosen, Photos(roots), advance=advance):
            if isinstance(result, ImageError):
                lost[result] += 1
                results.append({"index": index, "problem": str(result)})
                continue
            results.append(asdict(result))
            fault = fault_of(result, path)
            faults += [fault] if fault else []
            equal += fault is None
    if as_json:
        click.echo(json.dumps({"pairs": len(chosen), "bit_equal": equal, "results": results}, indent=1))
    else:
        click.echo(printable(f"{path}: {equal} of {len(chosen)} pairs made again, bit-equal"))
    _raise(path, faults, lost, num_pairs=len(chosen))


def _raise(path: Path, faults: Sequence[IntegrityError], lost: Counter[ImageError], *, num_pairs: int) -> None:
    """The failure, if there is one; of several, each is told first."""
    failures: list[DegradeError] = [*faults, *lost]
    if len(failures) == 1:
        raise failures[0]
    for failure in failures[:MAX_TOLD]:
        click.echo(f"degrade: {failure}", err=True)
    if faults:
        problem = f"{len(faults)} of {num_pairs} pairs differ from their traces, see above"
        raise IntegrityError(path, problem, f"run `degrade verify {path}`")
    if lost:
        problem = f"{len(lost)} photos of {sum(lost.values())} pairs cannot be had, see above"
        raise InputsSkippedError(path, problem, "name their folder with --hr-root")
