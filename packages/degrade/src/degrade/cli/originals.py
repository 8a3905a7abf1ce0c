"""What stored pairs were made from: their photographs, and the pools, models and references of their recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from degrade.errors import ImageError, IntegrityError

if TYPE_CHECKING:
    from degrade.image import Pixels
    from degrade.shards.layout import SourceRow
    from degrade.sources.source import Source


class Photos:
    """Finds a picture: where it was, else below `roots` by its name, else there by its content."""

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


def register_files(folder: Path | None, named: Sequence[Path] = ()) -> None:
    """Make known the pools and models that come with degrade, the files of the plan in `folder`, and `named` ones.

    What of the plan lies there no more is passed over: a trace that needs it says so.

    Raises:
        UsageError: one of `named` cannot be read.
    """
    from degrade import assets

    found = [*assets.packaged(), *map(Path, stored_files(folder).values())]
    for path in [*(path for path in found if path.exists()), *named]:
        assets.register(path)


def stored_files(folder: Path | None) -> dict[str, str]:
    """Name and place of the files in the plan of a set; none where there is no plan, or no readable one."""
    from degrade.shards.layout import PLAN_NAME
    from degrade.synthesize.plan import parse_plan

    if folder is None:
        return {}
    try:
        text = (folder / PLAN_NAME).read_text(encoding="ascii")
        return dict(parse_plan(text, origin=PLAN_NAME).assets)
    except (OSError, ValueError, IntegrityError):
        return {}
