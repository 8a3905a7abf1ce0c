"""What was drawn, in words: one line for each step of a trace, numbers short, stream keys left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from degrade.ops.protocol import Distribution, Step

_SIGNIFICANT = 3  # digits of a number
_KEY_LENGTH = 16  # hex digits of a stream key
_TRACED = {"divisor": "factor"}  # a field that a draw states under another name


def drawn_fields(steps: Iterable[Step]) -> dict[str, frozenset[str]]:
    """Step id -> the fields a recipe draws (constants are stated, not drawn), inner steps included."""
    found: dict[str, frozenset[str]] = {}
    for step in steps:
        values = vars(step.op)
        found[step.id] = frozenset(_TRACED.get(name, name) for name, value in values.items() if _is_drawn(value))
        for part in (*values.get("branches", ()), *values.get("groups", ())):
            found |= drawn_fields(part.steps)
    return found


def _is_drawn(value: object) -> bool:
    return isinstance(value, Distribution) and value.constant is None


def trace_lines(trace: Mapping[str, object], drawn: Mapping[str, frozenset[str]] | None = None) -> list[str]:
    """One line a step: what it is and its values, without stream keys.

    `{"op": "gaussian_blur", "id": "gaussian_blur0", "sigma": 1.2345, "size": 15}` reads
    `gaussian blur  sigma 1.23  size 15`; with `drawn`, numbers that no recipe draws (the size) are left out, and steps
    that have nothing to draw.
    """
    lines = []
    for side, prefix in (("hr_steps", "HR: "), ("steps", "")):
        steps = trace.get(side)
        for step in steps if isinstance(steps, list) else ():
            if isinstance(step, Mapping) and (drawn is None or set(step) - {"op", "id"}):  # a clip says nothing
                keep = None if drawn is None else drawn.get(str(step.get("id")))
                lines.append(prefix + step_line(step, keep))
    return lines


def step_line(step: Mapping[str, object], keep: frozenset[str] | None = None) -> str:
    """`op  name value  name value` of one step of a trace; of the numbers only those in `keep`, if it is given."""
    parts = [str(step.get("op", "step")).replace("_", " ")]
    for name, value in step.items():
        text = value_text(value)
        if name not in {"op", "id"} and text and (keep is None or name in keep or isinstance(value, str)):
            parts.append(f"{name.replace('_', ' ')} {text}")
    return "  ".join(parts)


def value_text(value: object) -> str:
    """A drawn value, short; '' for what a reader cannot use (a stream key, nothing at all)."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.{_SIGNIFICANT}g}" if abs(value) < 10**_SIGNIFICANT else f"{value:.0f}"
        case str():
            is_key = len(value) == _KEY_LENGTH and set(value) <= set("0123456789abcdef")
            return "" if is_key else word_text(value)
        case list() | tuple() if len(value) > 4:
            return f"({len(value)} values)"
        case list() | tuple():
            return "(" + ", ".join(value_text(part) for part in value) + ")"
        case Mapping():
            return "(" + ", ".join(f"{name} {value_text(part)}" for name, part in value.items()) + ")"
    return "" if value is None else str(value)


def word_text(word: str) -> str:
    """A drawn word, a SHA-256 cut short."""
    is_digest = len(word) == 64 and set(word) <= set("0123456789abcdef")
    return f"{word[:_KEY_LENGTH]}..." if is_digest else word
