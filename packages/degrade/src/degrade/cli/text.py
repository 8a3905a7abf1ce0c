"""What `inspect` found, as lines for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Table = Mapping[str, Any]

_DIGEST = 16  # hex digits of a SHA-256 that are shown


def as_lines(table: Table, *, full: bool = False) -> Iterator[str]:
    """`kind path`, then a line for each fact; steps and draws as blocks of their own.

    Of a text of several lines only the first is shown, unless `full`.
    """
    facts = {key: value for key, value in table.items() if key not in {"kind", "path", "index", "of"}}
    number = f" {table['index']} of {table['of']}" if "index" in table else ""
    yield f"{table['kind']}{number}: {table['path']}"
    width = max((len(key) for key, value in facts.items() if _fact(key, value)), default=0)
    for key, value in facts.items():
        text = _fact(key, value)
        first, *more = text.splitlines() or [""]
        if more and not full:
            first, more = f"{first} ... ({1 + len(more)} lines, --full shows them)", []
        if text:
            yield f"  {key.replace('_', ' '):{width}}  {first}"
        yield from (f"  {'':{width}}  {line}".rstrip() for line in more)
    if table["kind"] == "recipe":
        for side in ("hr", "lr"):
            yield from _recipe_block(side, table[side])
    if isinstance(table.get("steps"), Mapping):
        yield from _statistics_block(table["steps"], table["traces_read"], table["pairs"])
    if isinstance(table.get("trace"), Mapping):
        yield from _trace_block(table["trace"])


def _fact(key: str, value: object) -> str:
    """The value of a one-line fact; '' for what is empty or shown as a block."""
    match value:
        case str():
            is_digest = len(value) == 64 and set(value) <= set("0123456789abcdef")
            return f"{value[:_DIGEST]}..." if is_digest and key != "sha256" else value
        case bool():
            return "yes" if value else "no"
        case int() if key == "bytes" and value >= 100_000:
            return f"{value:,} ({value / 1e6:,.1f} MB)"
        case int() if key == "traces_read":
            return ""
        case int() if key == "orientation":
            return f"turned upright (EXIF orientation {value})" if value != 1 else ""
        case int() if key in {"exif_bytes", "xmp_bytes"} and not value:
            return ""
        case int():
            return f"{value:,}" if key not in {"seed"} else str(value)
        case {"path": path, "sha256": digest, "height": height, "width": width, **rest}:
            place = f"{rest['root']}/{path}" if rest.get("root") else path
            return f"{place} ({width} x {height}, SHA-256 {digest[:_DIGEST]}...)"
        case list() | tuple() if value and not isinstance(value[0], Mapping):
            return "y {}, x {}".format(*value) if key == "origin" else ", ".join(str(part) for part in value)
        case list() | tuple() if key == "inputs":
            return "; ".join(["image", *map(_input, value)])
        case dict() if key == "metrics":
            return ", ".join(f"{name} {number:g}" for name, number in value.items())
    return ""


def _input(given: Table) -> str:
    """What a learned degrader takes beside the image."""
    rest = (f"{key} {value}" for key, value in given.items() if key != "kind")
    return f"{given['kind']} ({', '.join(rest)})"


def _trace_block(trace: Table) -> Iterator[str]:
    from degrade.report import trace_lines

    yield f"  drawn with key {trace.get('key')}, patch {trace.get('patch')}, variant {trace.get('variant')}:"
    yield from (f"    {line}" for line in trace_lines(trace))


def _statistics_block(steps: Mapping[str, Table], read: int, pairs: int) -> Iterator[str]:
    from degrade.report import value_text

    yield f"  drawn ({'every pair' if read == pairs else f'{read:,} of {pairs:,} pairs looked at'}):"
    rows = []
    for name, step in steps.items():
        values = [f"{field.replace('_', ' ')} {_spread(found)}" for field, found in step["values"].items()]
        share = f"{100 * step['ran'] / read:.0f} %"
        rows.append((name, step["op"].replace("_", " "), value_text(step["ran"]), share, values or [""]))
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    for name, op, ran, share, values in rows:
        head = f"    {name:{widths[0]}}  {op:{widths[1]}}  {ran:>{widths[2]}}  {share:>{widths[3]}}"
        for number, value in enumerate(values):
            yield f"{head if number == 0 else ' ' * len(head)}  {value}".rstrip()


def _spread(found: Table) -> str:
    from degrade.report import value_text

    if set(found) == {"least", "mean", "most"}:
        least, mean, most = (value_text(found[key]) for key in ("least", "mean", "most"))
        return least if least == most else f"{least} to {most}, mean {mean}"
    if len(found) == 1:
        return next(iter(found))
    return ", ".join(f"{name} {count:,}" for name, count in found.items())


def _recipe_block(side: str, steps: Sequence[Table], indent: str = "  ") -> Iterator[str]:
    if steps and indent == "  ":
        yield f"{indent}{side.upper()} steps:"
    for step in steps:
        chance = f"  with probability {step['probability']:g}" if step["probability"] < 1 else ""
        fields = [f"{key.replace('_', ' ')} {_distribution(value)}" for key, value in _settings(step)]
        yield f"{indent}  {'  '.join([step['op'].replace('_', ' '), *fields])}{chance}"
        total = sum(branch["weight"] for branch in step.get("branches", ()))
        for branch in step.get("branches", ()):
            yield f"{indent}    {100 * branch['weight'] / total:.0f} %:" + ("" if branch["steps"] else " nothing")
            yield from _recipe_block(side, branch["steps"], f"{indent}    ")
        for number, group in enumerate(step.get("groups", ()), 1):
            yield f"{indent}    group {group['name'] or number}, in any order:"
            yield from _recipe_block(side, group["steps"], f"{indent}    ")


def _settings(step: Table) -> Iterable[tuple[str, Any]]:
    shown_elsewhere = {"op", "id", "probability", "branches", "groups", "scale"}
    return ((key, value) for key, value in step.items() if key not in shown_elsewhere)


def _distribution(value: object) -> str:
    """A setting in words: `0.2 to 3`, `1 to 10 (logarithmic)`, `1 or 2 (weights 1, 3)`, `2 +- 0.5`."""
    from degrade.report import value_text

    match value:
        case {"constant": constant}:
            return _option(constant)
        case {"range": [low, high]}:
            return f"{low:g} to {high:g}"
        case {"log_range": [low, high]}:
            return f"{low:g} to {high:g} (logarithmic)"
        case {"normal": [mean, deviation]}:
            return f"{mean:g} +- {deviation:g}"
        case {"choice": choice, **rest}:
            weights = (
                f" (weights {', '.join(f'{weight:g}' for weight in rest['weights'])})" if "weights" in rest else ""
            )
            return " or ".join(_option(option) for option in choice) + weights
    return value_text(value)


def _option(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
