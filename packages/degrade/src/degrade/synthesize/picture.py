"""A source in memory, or why it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from degrade.errors import ImageError
from degrade.image import Pixels
from degrade.shards.layout import SourceRow
from degrade.sources.folder import Skipped
from degrade.sources.load import load
from degrade.sources.pairs import CapturedPair, load_pair
from degrade.sources.source import Source
from degrade.synthesize.inputs import left_out, too_small
from degrade.synthesize.plan import Plan

CAPTURED = "captured"  # the step of a trace that says which picture the LR patch was cut from


@dataclass(frozen=True, eq=False)
class Picture:
    """A source as it was read.

    Attributes:
        hr: (H, W, 3) uint8.
        lr: of a captured pair the other picture, (H / s, W / s, 3) with the plan's `captured_scale` s.
        captured: what the trace says of `lr`.
    """

    hr: Pixels
    lr: Pixels | None = None
    captured: dict[str, Any] | None = None


def read(source: Source, plan: Plan) -> Picture:
    """The pictures of a source of `plan`.

    Raises:
        ImageError: unreadable, no longer what was listed, or too small for a patch.
    """
    picture = _opened(source, plan)
    height, width = picture.hr.shape[:2]
    if min(height, width) < plan.side:
        entry = left_out(source, *too_small(height, width, plan.side))
        raise ImageError(entry.path, entry.message, "take a smaller patch")
    return picture


def read_or_skip(source: Source, plan: Plan) -> Picture | Skipped:
    """As `read`; where that fails, the entry for the list of what was left out."""
    try:
        picture = _opened(source, plan)
    except ImageError as error:
        return Skipped(error.subject, source.sha256, "unreadable", f"{error.problem} - {error.cure}")
    except MemoryError as error:
        return left_out(source, "memory", str(error) or "not enough memory to read it")
    height, width = picture.hr.shape[:2]
    return left_out(source, *too_small(height, width, plan.side)) if min(height, width) < plan.side else picture


def captured_step(pair: CapturedPair, scale: int) -> dict[str, Any]:
    """The step as it stands in a trace: where the LR picture lies, its SHA-256, and HR size over its size."""
    place = {"root": pair.lr_root, "path": pair.lr_path, "sha256": pair.lr_sha256}
    return {"op": CAPTURED, "id": CAPTURED, "scale": scale, "lr": place}


def source_row(source: Source, picture: Picture) -> SourceRow:
    """What a shard says of a source; of a captured pair it is the HR file."""
    height, width = picture.hr.shape[:2]
    sha256 = source.hr_sha256 if isinstance(source, CapturedPair) else source.sha256
    return {"root": source.root, "path": source.path, "sha256": sha256, "height": height, "width": width}


def _opened(source: Source, plan: Plan) -> Picture:
    if not isinstance(source, CapturedPair):
        return Picture(load(source))
    scale = plan.captured_scale or 1
    lr, hr = load_pair(source, scale)
    return Picture(hr, lr, captured_step(source, scale))
