"""Line charts as SVG markup. Colours are classes, so that the page's light and dark styles decide them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 480, 280  # units of the drawing; text is 13 high, so a phone still shows it at 9 pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 28, 42

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A named line; `style` is a class of the page: ours, raw, bicubic."""

    name: str
    points: Sequence[Point]
    style: str = "ours"


def line_chart(
    lines: Sequence[Line], *, title: str, x_label: str, y_label: str, log_y: bool = False, marks: Sequence[Point] = ()
) -> str:
    """An `<svg>` of `lines`.

    Args:
        log_y: needs values above 0.
        marks: vertical lines at (x, number); the number is printed beside it.
    """
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    across, up = _Axis(min([0.0, *xs]), max(xs), _LEFT, WIDTH - _RIGHT), _vertical(ys, log=log_y)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f'<text class="name" x="{_LEFT}" y="16">{escape(title)}</text>',
        *_grid(across, up, log=log_y),
        f'<text class="axis" x="{(_LEFT + WIDTH - _RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">'
        f"{escape(x_label)}</text>",
        f'<text class="axis" transform="translate(13 {(_TOP + HEIGHT - _BOTTOM) / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_label)}</text>',
    ]
    for x, number in marks:
        place = across(x)
        parts.append(f'<path class="mark" d="M{place:.1f} {_TOP}V{HEIGHT - _BOTTOM}"/>')
        parts.append(f'<text class="axis" x="{place + 3:.1f}" y="{_TOP + 11}">{number:g}</text>')
    parts += [part for line in lines for part in _drawn(line, across, up)]
    parts += _legend(lines)
    return "\n".join([*parts, "</svg>"])


def smoothed(points: Sequence[Point], share: float = 0.05) -> list[Point]:
    """The mean over a window of `share` of all points around each; narrower at the ends, so both stay."""
    half = max(1, round(share * len(points) / 2))
    result = []
    for i, (x, _) in enumerate(points):
        reach = min(half, i, len(points) - 1 - i)
        window = [y for _, y in points[i - reach : i + reach + 1]]
        result.append((x, sum(window) / len(window)))
    return result


def fits_log(values: Sequence[float]) -> bool:
    """Whether they span so much that a linear axis would hide the end."""
    return min(values) > 0 and max(values) / min(values) > 8


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers within low..high."""
    if high <= low:
        return [low]
    step = 10.0 ** math.floor(math.log10((high - low) / count))
    step = next(step * factor for factor in (1, 2, 2.5, 5, 10) if (high - low) / (step * factor) <= count)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    start: float  # where `low` is drawn
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        share = (at - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.stop - self.start)


def _vertical(values: Sequence[float], *, log: bool) -> _Axis:
    low, high = min(values), max(values)
    if log:
        low, high = low / 1.1, high * 1.1
    else:
        room = 0.06 * (high - low) or abs(high) * 0.05 or 1.0
        low, high = low - room, high + room
    return _Axis(low, high, HEIGHT - _BOTTOM, _TOP, log)


def _grid(across: _Axis, up: _Axis, *, log: bool) -> list[str]:
    parts = []
    for value in _log_ticks(up.low, up.high) if log else ticks(up.low, up.high, 6):
        y = up(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>')
    for value in ticks(across.low, across.high, 6):
        x = across(value)
        anchor = "end" if x > WIDTH - _RIGHT - 12 else "middle"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - _BOTTOM + 17}" text-anchor="{anchor}">{_short(value)}</text>')
    return parts


def _drawn(line: Line, across: _Axis, up: _Axis) -> list[str]:
    places = [(across(x), up(y)) for x, y in line.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    parts = [f'<path class="line {line.style}" d="{path}"/>']
    if len(places) <= 30 and line.style == "ours":
        parts += [f'<circle class="dot {line.style}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in places]
    return parts


def _legend(lines: Sequence[Line]) -> list[str]:
    """Names at the upper right, in the colours of their lines; nothing for a single one."""
    named = [line for line in lines if line.name]
    if len(named) < 2:
        return []
    parts, x = [], WIDTH - _RIGHT
    for line in reversed(named):
        parts.append(f'<text class="label {line.style}" x="{x}" y="16" text-anchor="end">{escape(line.name)}</text>')
        x -= round(7.2 * len(line.name)) + 20
    return parts


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), tuple(range(1, 10))):
        found = [f * 10.0**d for d in decades for f in factors if low <= f * 10.0**d <= high]
        if 3 <= len(found) <= 9:
            return found
    return [10.0**d for d in decades if low <= 10.0**d <= high] or [low, high]


def _short(value: float) -> str:
    """`20,000` as `20k`."""
    return f"{value / 1000:g}k" if value >= 10_000 and value % 100 == 0 else f"{value:,.10g}"
