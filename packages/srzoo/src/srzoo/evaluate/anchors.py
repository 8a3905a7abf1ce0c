"""Published figures, and ours beside them: `benchmarks/anchors.toml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from degrade.schema import build, nearest, read_toml
from srzoo.errors import UsageError
from srzoo.evaluate.measures import COLUMNS, Column
from srzoo.evaluate.table import Grid, Results, shown
from srzoo.metrics.protocol import PROTOCOLS

_FILE = Path("benchmarks", "anchors.toml")
_OPINIONS = {"pi": Column("PI", 2, -1), "mos": Column("MOS", 3, -1), "mor": Column("MOR", 2, -1)}  # of people, and PI
_NOT_HERE = "data not here"


@dataclass(frozen=True)
class PublishedTable:
    """Figures of one set by one protocol.

    Attributes:
        protocol: one of `PROTOCOLS`, or `unknown`.
        ssim: a key of `SSIM_FORMS`, or `unknown`.
        columns: what the values of `rows` are, by method.
    """

    set: str
    scale: int
    protocol: str
    source: str
    columns: tuple[str, ...]
    rows: dict[str, tuple[float, ...]]
    ssim: Literal["gaussian", "daala", "skimage_float2", "unknown"] = "gaussian"
    note: str = ""

    def __post_init__(self) -> None:
        if self.protocol not in (*PROTOCOLS, "unknown"):
            raise ValueError(f"protocol: expected one of {', '.join(PROTOCOLS)} or unknown, got {self.protocol!r}")
        strange = [column for column in self.columns if column not in COLUMNS | _OPINIONS]
        if strange or any(len(values) != len(self.columns) for values in self.rows.values()):
            raise ValueError(f"columns: unknown {strange}, or rows of another length than {self.columns}")


@dataclass(frozen=True)
class Paper:
    """What one paper, or one repository, published."""

    title: str
    tables: tuple[PublishedTable, ...]


@dataclass(frozen=True)
class Conditions:
    """How ours were measured."""

    scale: int
    protocol: str
    ssim: str


def find_anchors() -> Path:
    """`benchmarks/anchors.toml` here or in a folder above, or in the checkout this package runs from.

    Raises:
        UsageError: there is none.
    """
    places = [Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents]
    found = next((place / _FILE for place in places if (place / _FILE).is_file()), None)
    if found is None:
        raise UsageError("--against", f"no {_FILE} here or above", "give it as --anchors FILE")
    return found


def read_paper(name: str, file: Path) -> Paper:
    """The figures of the paper `name`.

    Raises:
        UsageError: no such paper in the file, or a file that does not say what it must.
    """
    try:
        papers = read_toml(file.read_text(encoding="utf-8"), origin=str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(file, f"cannot be read: {error}", "check the path") from None
    if name not in papers:
        raise UsageError(f"--against {name}", f"no such paper in {file}", nearest(name, papers))
    return build(Paper, papers[name], origin=f"{file}: {name}")


def beside(paper: Paper, results: Sequence[Results], conditions: Conditions) -> Grid:
    """The rows of `paper`, each set followed by ours on the set of that name and scale, or `data not here`."""
    keys = [key for key in COLUMNS | _OPINIONS if any(key in table.columns for table in paper.tables)]
    rows, ends = [], []
    for table in paper.tables:
        label = f"{table.set} x{table.scale}" if table.scale > 1 else table.set
        for number, (method, values) in enumerate(table.rows.items()):
            figures = dict(zip(table.columns, values, strict=True))
            remark = _conditions_of(table) if number == 0 else ""
            printed = (_printed(table, figures, key) for key in keys)
            rows.append((label if number == 0 else "", method, *printed, remark))
        rows += _ours(table, results, conditions, keys)
        ends.append(len(rows) - 1)
    headings = ("set", "method", *((COLUMNS | _OPINIONS)[key].heading for key in keys), "by")
    return Grid(paper.title, headings, tuple(rows), frozenset({0, 1, len(headings) - 1}), frozenset(ends))


def _ours(
    table: PublishedTable, results: Sequence[Results], conditions: Conditions, keys: Sequence[str]
) -> list[tuple[str, ...]]:
    own = [one for one in results if one.set.name.lower() == table.set.lower() and conditions.scale == table.scale]
    if not own:
        return [("", f"ours: {_NOT_HERE}", *("" for _ in keys), "")]
    unlike = []
    if conditions.protocol != table.protocol:
        unlike.append(f"protocol {conditions.protocol}")
    if "ssim" in table.columns and conditions.ssim != table.ssim:
        unlike.append(f"SSIM {conditions.ssim}")
    remark = f"other: {', '.join(unlike)}" if unlike else "the same"
    return [
        ("", f"ours: {name}", *(shown(figures, key) if key in table.columns else "" for key in keys), remark)
        for one in own
        for name, figures in one.means().items()
    ]


def _conditions_of(table: PublishedTable) -> str:
    form = "" if table.ssim == "gaussian" or "ssim" not in table.columns else f", SSIM {table.ssim}"
    return f"{table.protocol}{form}; {table.source}" + (f"; {table.note}" if table.note else "")


def _printed(table: PublishedTable, figures: Mapping[str, float], key: str) -> str:
    """As many digits as the longest value of the paper's column has."""
    if key not in figures:
        return ""
    column = [values[table.columns.index(key)] for values in table.rows.values()]
    digits = max(len(repr(value).partition(".")[2]) for value in column)
    return f"{figures[key]:.{max(2, digits)}f}"
