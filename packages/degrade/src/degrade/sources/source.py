"""A picture by reference: where it is, and the SHA-256 by which it is known."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Source:
    """One HR picture; plans and shards hold these fields."""

    kind: Literal["file", "dead_leaves", "pair"]
    root: str  # a folder as the user named it, or the name of a built-in collection
    path: str  # below the root; of a generated scene, its description
    sha256: str  # hex, of the file's bytes or of the description
    num_bytes: int
    height: int  # upright; 0 if the header cannot be read
    width: int

    def as_dict(self) -> dict[str, Any]:
        """The fields, as JSON can hold them."""
        return asdict(self)
