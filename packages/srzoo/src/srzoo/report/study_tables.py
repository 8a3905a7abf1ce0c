"""Tables of a study: models by row, sets by column group, the best in bold, published rows below."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Protocol

from degrade.schema import nearest
from srzoo.errors import UsageError
from srzoo.report.study_files import Measure, StudyFiles
from srzoo.report.study_spec import Group, PaperRows, Quoted, Row, TableSpec

_ARROWS = {1: " ↑", 0: "", -1: " ↓"}


class PublishedTable(Protocol):
    """What a paper printed for one set: `rows` holds a value for each of `columns`, by method."""

    @property
    def set(self) -> str: ...
    @property
    def scale(self) -> int: ...
    @property
    def protocol(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def rows(self) -> Mapping[str, tuple[float, ...]]: ...


Papers = Mapping[str, Sequence[PublishedTable]]  # by name


@dataclass(frozen=True)
class Cell:
    text: str
    is_best: bool = False


@dataclass(frozen=True)
class Line:
    """A row: `source` is "" for ours."""

    label: str
    cells: tuple[Cell, ...]
    source: str = ""


@dataclass(frozen=True)
class TableView:
    """A table, ready for the page.

    Attributes:
        groups: (heading, columns); empty where there is nothing to say.
        conditions: how ours were taken.
        sources: where the papers' were printed.
    """

    title: str
    note: str
    groups: tuple[tuple[str, int], ...]
    headings: tuple[str, ...]
    lines: tuple[Line, ...]
    conditions: tuple[str, ...]
    sources: tuple[str, ...]
    starts: frozenset[int]  # columns that begin a group

    @property
    def has_published(self) -> bool:
        return any(line.source for line in self.lines)


@dataclass(frozen=True)
class _Column:
    group: Group
    key: str
    measure: Measure


def table_view(spec: TableSpec, files: StudyFiles, papers: Papers) -> TableView:
    """`spec` with its figures.

    Ours that print alike share the first place. Rows of papers, and those quoted, never take part.

    Raises:
        UsageError: a set, model, measure, paper or method that is not there.
    """
    columns = [_Column(group, key, files.measure(key)) for group in spec.groups for key in group.measures]
    numbers = [[_ours(row, column, files) for column in columns] for row in spec.rows]
    competing = [row.competes for row in spec.rows]
    best = [_best([line[i] for line in numbers], competing, column.measure) for i, column in enumerate(columns)]
    lines = []
    for row, line in zip(spec.rows, numbers, strict=True):
        texts = [_printed(column.measure, value) for column, value in zip(columns, line, strict=True)]
        cells = (Cell(text, row.competes and text == top != "") for text, top in zip(texts, best, strict=True))
        lines.append(Line(row.label, tuple(cells)))
    for paper in spec.papers:
        lines += _published(paper, columns, files, papers)
    lines += [_quoted(row, columns, files) for row in spec.quoted]
    groups = tuple((group.heading, len(group.measures)) for group in spec.groups)
    return TableView(
        spec.title,
        spec.note,
        groups if any(heading for heading, _ in groups) else (),
        tuple(column.measure.heading + _ARROWS[column.measure.sign] for column in columns),
        tuple(lines),
        tuple(_conditions(spec.groups, files)),
        tuple(_sources(paper, spec.groups, files, papers) for paper in spec.papers),
        frozenset(accumulate((len(group.measures) for group in spec.groups[:-1]), initial=0)),
    )


def _ours(row: Row, column: _Column, files: StudyFiles) -> float | None:
    if row.only and column.group.heading not in row.only:
        return None
    return files.mean(column.group.file, column.group.set, row.model, column.key)


def _best(values: Sequence[float | None], competing: Sequence[bool], measure: Measure) -> str:
    """The best of `values` as it is printed; "" where nothing is to be told: fewer than two, or no direction."""
    running = [v for v, runs in zip(values, competing, strict=True) if runs and v is not None and not math.isnan(v)]
    if len(running) < 2 or measure.sign == 0:
        return ""
    return measure.printed(max(running) if measure.sign > 0 else min(running))


def _printed(measure: Measure, value: float | None) -> str:
    return "" if value is None else measure.printed(value)


def _published(spec: PaperRows, columns: Sequence[_Column], files: StudyFiles, papers: Papers) -> list[Line]:
    """A line for each method, its figures in the groups of the same set and scale."""
    by_group = {column.group: _tables_of(column.group, papers[spec.name], files) for column in columns}
    found = [table for tables in by_group.values() for table in tables]
    if not found:
        sets = ", ".join(dict.fromkeys(f"{table.set} x{table.scale}" for table in papers[spec.name]))
        raise UsageError(f"paper {spec.name}", "has no table of any set here", f"set `published` to one of {sets}")
    methods = list(dict.fromkeys(method for table in found for method in table.rows))
    for method in spec.methods:
        if method not in methods:
            raise UsageError(f"paper {spec.name}", f"no method {method!r} on these sets", nearest(method, methods))
    lines = []
    for method in spec.methods or methods:
        cells = tuple(Cell(_value(method, column, by_group[column.group])) for column in columns)
        lines.append(Line(method, cells, spec.name))
    return lines


def _tables_of(group: Group, tables: Sequence[PublishedTable], files: StudyFiles) -> list[PublishedTable]:
    name, scale = (group.published or group.set).lower(), files.evaluation(group.file).get("scale")
    return [table for table in tables if table.set.lower() == name and table.scale == scale]


def _value(method: str, column: _Column, tables: Sequence[PublishedTable]) -> str:
    for table in tables:
        if method in table.rows and column.key in table.columns:
            place = table.columns.index(column.key)
            return _as_published(table.rows[method][place], [row[place] for row in table.rows.values()], column.measure)
    return ""


def _as_published(value: float, alike: Sequence[float], measure: Measure) -> str:
    """No more digits than the paper's column has, but two: 26.00 is written as 26.0 in a file."""
    digits = max(2, *(len(repr(other).partition(".")[2]) for other in alike))
    return replace(measure, digits=min(measure.digits, digits)).printed(value)


def _sources(spec: PaperRows, groups: Sequence[Group], files: StudyFiles, papers: Papers) -> str:
    """`rcan, Set5, Set14: its README, protocol network.`: where a paper's figures were printed."""
    by_source: dict[str, list[str]] = {}
    for group in groups:
        for table in _tables_of(group, papers[spec.name], files):
            by = f"protocol {table.protocol}" if {"psnr", "ssim"} & set(table.columns) else ""
            source = ", ".join(part for part in (table.source, by, table.note) if part)
            by_source.setdefault(source, []).append(table.set)
    parts = (f"{', '.join(dict.fromkeys(sets))}: {source}" for source, sets in by_source.items())
    return f"{spec.name}, {'; '.join(parts)}."


def _quoted(row: Quoted, columns: Sequence[_Column], files: StudyFiles) -> Line:
    texts = [
        value if isinstance(value, str) and "#" not in value else column.measure.printed(files.number(value))
        for value, column in zip(row.values, columns, strict=True)
    ]
    return Line(row.label, tuple(map(Cell, texts)), row.source)


def _conditions(groups: Sequence[Group], files: StudyFiles) -> Iterator[str]:
    """`Set5 (5 pictures), Set14 (14 pictures): x4, protocol published, LPIPS squeeze.`"""
    by_facts: dict[str, list[str]] = {}
    for group in groups:
        pictures = files.pictures(group.file, group.set)
        count = "" if pictures is None else f" ({pictures} picture{'s' * (pictures != 1)})"
        by_facts.setdefault(", ".join(_facts(group, files)), []).append((group.heading or group.set) + count)
    for facts, sets in by_facts.items():
        yield f"{', '.join(dict.fromkeys(sets))}{': ' * bool(facts)}{facts}."


def _facts(group: Group, files: StudyFiles) -> Iterator[str]:
    """How the figures of `group` were taken, as far as its file says."""
    table, keys = files.evaluation(group.file), set(group.measures)
    if isinstance(table.get("scale"), int):
        yield f"x{table['scale']}"
    if {"psnr", "ssim", "gain"} & keys and table.get("protocol"):
        yield f"protocol {table['protocol']}"
    if "ssim" in keys and table.get("ssim", "gaussian") != "gaussian":
        yield f"SSIM {table['ssim']}"
    if "lpips" in keys and table.get("lpips"):
        yield f"LPIPS {table['lpips']}"
