"""The card of a learned degrader: what a `degrader.pt` takes, gives and comes from, read without torch.

A degrader is one TorchScript file, `forward(image, *extra) -> lr`; its card lies in the same zip as `extra/card.json`,
where `write_degrader` puts it, or `torch.jit.save(..., _extra_files={NAME: card_json(card)})`.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from degrade.archive import NOT_OURS, Archive, open_archive
from degrade.atomic import write_bytes
from degrade.errors import IntegrityError, UsageError
from degrade.schema import build, read_json

FORMAT = "degrade-degrader"
FORMAT_VERSION = 1
RUNTIME = "torchscript"  # named, as the format must outlive it
NAME = "card.json"
ENTRY = f"extra/{NAME}"
MAX_CARD_BYTES = 64 << 10

_UPGRADE = "update degrade, or have the file exported for this version"
_MEND = "have it exported again with `srzoo export-degrader`"


@dataclass(frozen=True)
class NoiseInput:
    """White Gaussian noise (B, channels, H, W), as large as the image; `sigma` on the [0, 1] scale."""

    channels: int
    sigma: float
    kind: Literal["noise"] = "noise"

    def __post_init__(self) -> None:
        if self.channels < 1 or not 0 <= self.sigma < math.inf:
            raise ValueError(f"expected channels >= 1 and a finite sigma >= 0, got {self.channels} and {self.sigma}")


@dataclass(frozen=True)
class ReferenceInput:
    """A real LR patch (B, 3, H/scale, W/scale), as large as the output; `what` says of which pictures."""

    what: str
    kind: Literal["reference"] = "reference"


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a degrader says of itself.

    Attributes:
        name: what it is called, such as `h2l-polyu-x4`.
        system: the published system it follows, such as `SRDGAN H2L`.
        scale: the image is `scale` times as large as the LR it becomes; 1 for same-size degraders.
        zoom: the optical zoom of the pairs it was trained on, where `scale` is 1; else 1.
        multiple: height and width of the image must be multiples of it.
        inputs: what `forward` takes after the image, in its order.
        receptive_field: pixels of the image to each side that can change a pixel of LR, the tile overlap; `whole`
            where a norm or a pooling sees the whole picture.
        batch: the largest batch that gives the bits of batch 1.
        colour: `rgb`; `y` if it degrades luma alone (it still takes and gives RGB).
        trained_on: the sets of pictures, with their digests where known.
        preset: name or text of the preset, or how it was made otherwise.
        steps: of training.
        metrics: measured on held-out pictures.
        licence: of the weights.
    """

    name: str
    system: str
    description: str
    scale: int
    zoom: int = 1
    multiple: int
    inputs: tuple[NoiseInput | ReferenceInput, ...] = ()
    receptive_field: int | Literal["whole"]
    batch: int
    colour: Literal["rgb", "y"]
    trained_on: tuple[str, ...]
    preset: str
    steps: int
    metrics: dict[str, float]
    licence: str
    format: Literal["degrade-degrader"] = FORMAT
    format_version: Literal[1] = FORMAT_VERSION
    runtime: Literal["torchscript"] = RUNTIME

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("name: expected some text")
        for field in ("scale", "zoom", "multiple", "batch"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field}: expected at least 1, got {getattr(self, field)}")
        if self.scale > 1 and self.zoom > 1:
            raise ValueError(f"zoom: expected 1 where scale is {self.scale}, got {self.zoom}")
        if self.multiple % self.scale:
            raise ValueError(f"multiple: expected a multiple of the scale {self.scale}, got {self.multiple}")
        if self.steps < 0 or (self.receptive_field != "whole" and self.receptive_field < 0):
            raise ValueError("steps, receptive_field: expected no negative number")
        if not all(map(math.isfinite, self.metrics.values())):
            raise ValueError("metrics: expected finite numbers")


def read_card(path: Path) -> Card:
    """The card of the degrader file `path`; its code is not looked at.

    Raises:
        UsageError: there is no such file.
        IntegrityError: not a degrader file, damaged, or of a version not known.
    """
    return card_of(open_archive(path))


def card_of(archive: Archive) -> Card:
    """As `read_card`, of a file that is open."""
    path, text = archive.path, archive.entries.get(ENTRY)
    if text is None:
        raise IntegrityError(path, f"no {ENTRY} in it: not a degrader file", NOT_OURS)
    table = _table(path, text)
    for key, known in (("format", FORMAT), ("format_version", FORMAT_VERSION), ("runtime", RUNTIME)):
        stated = table.get(key)
        if stated != known or type(stated) is not type(known):
            cure = NOT_OURS if key == "format" else _UPGRADE
            raise IntegrityError(path, f"card: {key} {stated!r}, this degrade reads {known!r}", cure)
    try:
        return build(Card, table, origin=str(path))
    except UsageError as error:
        raise IntegrityError(path, f"card: {error.problem}", _MEND) from None


def card_json(card: Card) -> str:
    """`card` as it stands in the file: JSON in ASCII, keys sorted."""
    return json.dumps(dataclasses.asdict(card), indent=1, sort_keys=True, allow_nan=False) + "\n"


def write_degrader(path: Path, torchscript: bytes, card: Card) -> None:
    """Write what `torch.jit.save` made, with its card, as a degrader file.

    Left out is what loading does not need and what differs from run to run: the debug records, which hold the source
    text and the paths of the machine that wrote them, and the serial number.

    Args:
        torchscript: the file of a frozen module in eval mode on the CPU, without extra files.

    Raises:
        ResourceError: no room, or no permission.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(torchscript)) as given, zipfile.ZipFile(file, "w") as written:
        entries = {name.partition("/")[2]: given.read(name) for name in given.namelist()}
        for name, data in {ENTRY: card_json(card).encode(), **entries}.items():
            if not name.endswith(".debug_pkl") and not name.startswith(".data/"):
                written.writestr(zipfile.ZipInfo(f"degrader/{name}"), data)  # stored, of 1980: torch does likewise
    write_bytes(path, file.getvalue())


def _table(path: Path, text: bytes) -> Mapping[str, Any]:
    if len(text) > MAX_CARD_BYTES:
        raise IntegrityError(path, f"card: {len(text):,} bytes, at most {MAX_CARD_BYTES:,} are read", _MEND)
    try:
        return read_json(text)
    except ValueError as error:
        raise IntegrityError(path, f"card: {error}", _MEND) from None
