"""STUDY.toml: what the page of a whole chain of experiments shows, as data.

    title = "Ren et al. 2020 in small"
    intro = "Paragraphs, with an empty line between them."

    [measures.flat_std]             # a figure that `srzoo evaluate` does not know, or other digits
    heading = "flat-area noise"
    digits = 2
    better = "lower"                # or "higher", "neither"

    [hints]                         # who makes a file, for the day it is missing; the first that fits
    "results/*" = "run `make ren2020-small`"

    [[sections]]
    heading = "Degradations that nobody trained on"
    text = "More paragraphs."

    [[sections.tables]]             # of files that `srzoo evaluate --json` wrote
    title = "Table 1 in small"
    note = "A sentence below it."
    groups = [                      # columns, side by side
      { heading = "bsrgan", file = "results/a.json", set = "photos", measures = ["psnr", "lpips"] },
      { heading = "realesrgan", file = "results/b.json", set = "photos", measures = ["psnr"] },
    ]
    rows = [
      { label = "bicubic", model = "bicubic" },
      { label = "on generic", model = "generic", only = ["bsrgan"] },     # other groups stay empty
      { label = "the truth", model = "truth", competes = false },         # never the best
    ]
    papers = [{ name = "ren2020", methods = ["PSNR-RCAN on generic"] }]   # of benchmarks/anchors.toml
    quoted = [{ label = "X", source = "its Table 2", values = [27.4, "a word", "c.json#set/X/psnr"] }]

    [[sections.claims]]             # of left - right and left / right; all bounds that are given count
    text = "Generic beats bicubic by 1.5 dB."
    left = "results/a.json#photos/generic/psnr"
    right = "results/a.json#photos/bicubic/psnr"    # or a number; 0 if left out
    difference_at_least = 1.5       # difference_at_most, ratio_at_least, ratio_at_most

    [[sections.claims]]
    text = "The paper's order."
    order = "T2 > T3 > T1"          # or with <: of the numbers, whichever direction is better
    values.T1 = "results/phone.json#patches/T1/niqe"
    values.T2 = "results/phone.json#patches/T2/niqe"
    values.T3 = 4.2

    [[sections.pictures]]           # a row of zoomed crops for each box
    title = "Fig. 6 in small"
    note = "A sentence above it."
    items = [
      { label = "input", file = "lr/night.png" },
      { label = "GAN-R", file = "r/night.png", figure = "results/dark.json#dark/gan-r/lpips" },
      { label = "truth", file = "hr/night.png", truth = true, note = "ISO 3200" },
    ]                               # beside a truth, HR crops get their PSNR
    scale = 4                       # of LR files: they are shown enlarged over the same field of view
    box = [64, 128, 96, 96]         # y, x, height, width in HR pixels; "whole": a figure; "auto": where the
    side = 96                       # results differ most; "detail": most detail: windows of `side`,
    count = 1                       # `count` of them
    zoom = 3                        # pixels on the page for one of HR
    brighten = 3.0                  # times 8-bit sRGB values, for show only: figures are of the files
    overview = false                # no small picture of the whole

    [[sections.runs]]               # training: time, held-out PSNR and losses over steps
    label = "GAN-R"
    folder = "runs/gan-r"
    losses = false                  # no chart of each loss

A reference is FILE#SET/MODEL/MEASURE into a file of `srzoo evaluate --json` (a mean; `parameters`,
`seconds` and `megabytes` of the model, too), or FILE#KEY/KEY/... into any other JSON. Files are
relative to STUDY.toml.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from degrade.schema import build, read_toml
from srzoo.errors import UsageError

Reference = str  # "file.json#set/model/measure"
Number = float | Reference

BOUNDS = ("difference_at_least", "difference_at_most", "ratio_at_least", "ratio_at_most")


@dataclass(frozen=True)
class MeasureSpec:
    """How a figure is printed; what is not said stays as it is by default."""

    heading: str = ""
    digits: int | None = None
    better: Literal["higher", "lower", "neither", ""] = ""

    def __post_init__(self) -> None:
        if self.digits is not None and not 0 <= self.digits <= 9:
            raise ValueError("digits: expected 0 to 9")


@dataclass(frozen=True)
class Group:
    """Columns of one set. `published` is the name of the papers' set, where it is another than `set`."""

    file: str
    set: str
    measures: tuple[str, ...]
    heading: str = ""
    published: str = ""


@dataclass(frozen=True)
class Row:
    """A model; of groups named by `only`, or of all. The best figure is looked for among those that compete."""

    label: str
    model: str
    only: tuple[str, ...] = ()
    competes: bool = True


@dataclass(frozen=True)
class PaperRows:
    """Rows of a paper in `benchmarks/anchors.toml`: those of `methods`, or all."""

    name: str
    methods: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quoted:
    """A row stated here: a number, a reference or a few words for each column; "" for nothing."""

    label: str
    source: str
    values: tuple[Number, ...]


@dataclass(frozen=True)
class TableSpec:
    title: str
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]
    note: str = ""
    papers: tuple[PaperRows, ...] = ()
    quoted: tuple[Quoted, ...] = ()

    def __post_init__(self) -> None:
        headings = {group.heading for group in self.groups}
        strange = sorted({name for row in self.rows for name in row.only} - headings)
        if strange:
            raise ValueError(f"rows: only = {strange}, but the groups are headed {sorted(headings)}")
        columns = sum(len(group.measures) for group in self.groups)
        for row in self.quoted:
            if len(row.values) != columns:
                raise ValueError(f"quoted: {row.label}: {len(row.values)} values for {columns} columns")


@dataclass(frozen=True)
class Item:
    """One picture of a row. `figure` is printed under it, and so is `note`."""

    label: str
    file: str
    truth: bool = False
    figure: Reference = ""
    note: str = ""


@dataclass(frozen=True)
class PicturesSpec:
    title: str
    items: tuple[Item, ...]
    note: str = ""
    box: tuple[int, int, int, int] | Literal["auto", "detail", "whole"] = "auto"
    scale: int = 4
    side: int = 96
    count: int = 1
    zoom: int = 3
    brighten: float = 1.0
    overview: bool = True

    def __post_init__(self) -> None:
        if not self.items:
            raise ValueError("items: expected at least one")
        if sum(item.truth for item in self.items) > 1:
            raise ValueError("items: expected at most one with truth = true")
        if not isinstance(self.box, str) and (min(self.box) < 0 or min(self.box[2:]) < 1):
            raise ValueError(f"box: expected y, x >= 0 and height, width >= 1, got {list(self.box)}")
        for name, value, most in (("scale", self.scale, 16), ("zoom", self.zoom, 16), ("count", self.count, 8)):
            if not 1 <= value <= most:
                raise ValueError(f"{name}: expected 1 to {most}, got {value}")
        if not max(8, self.scale) <= self.side <= 512:
            raise ValueError(f"side: expected {max(8, self.scale)} to 512, got {self.side}")
        if not 0 < self.brighten <= 100:
            raise ValueError(f"brighten: expected more than 0, up to 100, got {self.brighten}")


@dataclass(frozen=True)
class Claim:
    """A sentence and what decides it: bounds on `left` and `right`, or the `order` of named `values`."""

    text: str
    left: Number | None = None
    right: Number = 0.0
    difference_at_least: float | None = None
    difference_at_most: float | None = None
    ratio_at_least: float | None = None
    ratio_at_most: float | None = None
    order: str = ""
    values: dict[str, Number] = field(default_factory=dict)

    def __post_init__(self) -> None:
        is_bounded = any(getattr(self, name) is not None for name in BOUNDS)
        if bool(self.order) == (self.left is not None) or is_bounded != (self.left is not None):
            raise ValueError(f"expected either left, right and one of {', '.join(BOUNDS)}, or order and values")
        if self.right == 0 and (self.ratio_at_least, self.ratio_at_most) != (None, None):
            raise ValueError("right: expected another number than 0 for a ratio")
        if self.order:
            names, _ = self.ordered()
            if len(names) < 2 or sorted(names) != sorted(self.values):
                raise ValueError(f"order: {self.order!r}, but values are given for {sorted(self.values)}")

    def ordered(self) -> tuple[list[str], Literal["<", ">"]]:
        """The names of `order`, and how each compares to the next."""
        signs = {sign for sign in "<>" if sign in self.order}
        if len(signs) != 1:
            raise ValueError(f"order: expected names with > between them, or <, got {self.order!r}")
        sign: Literal["<", ">"] = "<" if "<" in signs else ">"
        return [name.strip() for name in self.order.split(sign)], sign


@dataclass(frozen=True)
class RunSpec:
    label: str
    folder: str
    losses: bool = True


@dataclass(frozen=True)
class Section:
    heading: str
    text: str = ""
    tables: tuple[TableSpec, ...] = ()
    claims: tuple[Claim, ...] = ()
    pictures: tuple[PicturesSpec, ...] = ()
    runs: tuple[RunSpec, ...] = ()


@dataclass(frozen=True)
class Study:
    title: str
    sections: tuple[Section, ...]
    intro: str = ""
    measures: dict[str, MeasureSpec] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)

    def papers(self) -> list[str]:
        """The papers whose rows are asked for."""
        tables = [table for section in self.sections for table in section.tables]
        return list(dict.fromkeys(paper.name for table in tables for paper in table.papers))

    def files(self) -> list[str]:
        """Every file and folder that is named, in order."""
        return list(dict.fromkeys(name for section in self.sections for name in _files(section)))


def read_study(path: Path) -> Study:
    """The study in the file at `path`; the head of this file shows all it can say.

    Raises:
        UsageError: it cannot be read, or does not say what it must; names the place inside.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(path, f"cannot be read: {error}", "check the path") from None
    return build(Study, read_toml(text, origin=str(path)), origin=str(path))


def _files(section: Section) -> Iterator[str]:
    for table in section.tables:
        yield from (group.file for group in table.groups)
        yield from _referred(*(value for row in table.quoted for value in row.values))
    for claim in section.claims:
        yield from _referred(claim.left, claim.right, *claim.values.values())
    for pictures in section.pictures:
        yield from (item.file for item in pictures.items)
        yield from _referred(*(item.figure for item in pictures.items))
    yield from (run.folder for run in section.runs)


def _referred(*values: Number | None) -> Iterator[str]:
    yield from (value.partition("#")[0] for value in values if isinstance(value, str) and "#" in value)
