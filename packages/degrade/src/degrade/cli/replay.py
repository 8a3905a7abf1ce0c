"""`degrade replay`: stored pairs made again from their photographs and traces, and compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from degrade.errors import DegradeError, ImageError, InputsSkippedError, IntegrityError, UsageError, printable

if TYPE_CHECKING:
    from degrade.cli.pairs import Pairs
    from degrade.image import Pixels
    from degrade.shards.layout import SourceRow
    from degrade.sources.source import Source

MAX_TOLD = 20  # failures told one by one

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


def replay_pairs(
    pairs: Pairs, indices: Iterable[int], find: Find, *, advance: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, Replayed | ImageError]]:
    """Each pair made again, or why its photo cannot be had; photo by photo.

    With a margin of 0 the stored HR is all that is needed, else the photo is.

    Raises:
        UsageError: pairs that no recipe made. IntegrityError: a damaged row, or a step not known to this version.
    """
    by_source: dict[str, list[int]] = {}
    for index in indices:
        by_source.setdefault(pairs.source_row(index)["sha256"], []).append(index)
    for group in by_source.values():
        photo: Pixels | ImageError | None = None
        if any(pairs.header(index).margin for index in group):
            try:
                photo = find(pairs.source_row(group[0]))
            except ImageError as error:
                photo = error
        for index in group:
            yield index, photo if isinstance(photo, ImageError) else replay_pair(pairs, index, photo)
            advance()


def replay_pair(pairs: Pairs, index: int, photo: Pixels | None) -> Replayed:
    """One pair made again from `photo`; None where the margin is 0."""
    from degrade.image import window
    from degrade.pipeline import replay

    header, trace, (lr, hr) = pairs.header(index), pairs.trace(index), pairs.read(index)
    steps = trace.get("steps", [])
    if lr.dtype != np.uint8 or any(step.get("op") == "captured" for step in steps):
        raise UsageError(f"pair {index}", "was captured by cameras, not made by a recipe", "nothing can be replayed")
    (height, width), margin, (y, x) = header.hr_size, header.margin, pairs.origin(index)
    around = hr if photo is None else window(photo, y, x, height, width, margin)
    again = replay(np.ascontiguousarray(around, np.uint8), json.dumps(trace), scale=header.scale, margin=margin)
    inner = around[margin : margin + height, margin : margin + width]
    has_hr_steps = bool(trace.get("hr_steps"))
    return Replayed(
        index=index,
        largest=_largest(again, lr),
        share=float(np.mean(again != lr)),
        hr_largest=0 if has_hr_steps else _largest(inner, hr),
        other=_other(header.engine, header.libraries),
    )


class Photos:
    """Finds the photo of a pair: where it was, else below `roots` by its name, else there by its content."""

    def __init__(self, roots: Sequence[Path] = ()) -> None:
        self.roots = tuple(roots)
        self._elsewhere: dict[str, Source] | None = None  # by SHA-256

    def __call__(self, row: SourceRow) -> Pixels:
        """Raises ImageError, naming the photo and the cure, if it is nowhere, or no longer the same."""
        from degrade.sources import dead_leaves
        from degrade.sources.load import load
        from degrade.sources.source import Source

        is_scene = row["root"] == dead_leaves.ROOT and row["path"].startswith(f"{dead_leaves.ROOT}:")
        source = Source("dead_leaves" if is_scene else "file", **row, num_bytes=0)
        if is_scene:
            return load(source)
        problems = []
        for root in (row["root"], *map(str, self.roots)):
            try:
                return load(replace(source, root=root))
            except ImageError as error:
                problems.append(error.problem)
        moved = self._by_content().get(row["sha256"])
        if moved is not None:
            return load(moved)
        below = f", and not below {', '.join(map(str, self.roots))}" if self.roots else ""
        cure = "if it lies elsewhere now, name its folder with --hr-root"
        raise ImageError(Path(row["root"], row["path"]), problems[0] + below, cure)

    def _by_content(self) -> dict[str, Source]:
        from degrade.sources.folder import scan

        if self._elsewhere is None:
            found = scan(self.roots).sources if self.roots else []
            self._elsewhere = {source.sha256: source for source in found}
        return self._elsewhere


def _largest(first: np.ndarray, second: np.ndarray) -> int:
    return int(np.abs(first.astype(np.int32) - second.astype(np.int32)).max())


def _other(engine: int, libraries: str) -> str:
    from degrade.pipeline import ENGINE
    from degrade.synthesize.run import libraries as versions

    parts = [f"engine {engine}, here {ENGINE}"] if engine != ENGINE else []
    parts += [f"libraries {libraries}, here {versions()}"] if libraries != versions() else []
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
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def command(path: Path, which: str, roots: tuple[Path, ...], as_json: bool) -> None:
    """Make stored pairs again from their photographs and traces, and compare.

    SET is a folder of shards, or one .h5 shard; INDEX a pair of it, from 0. Exit code 0: bit-equal. 4: something
    differs; it is said by how much, and whether the engine or the libraries are others. 3: photos were not found.
    """
    from degrade.cli.pairs import open_pairs
    from degrade.cli.progress import progress

    pairs = open_pairs(path)
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
