"""Histograms: bars as SVG markup for a page, one line of ASCII for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from degrade.report.draws import value_text

WIDTH, HEIGHT = 320, 150  # units of the drawing
_LEFT, _RIGHT, _TOP, _BOTTOM = 6, 6, 22, 24
_SHADES = ".:-=+*#%@"  # a bin with no values is a blank


def histogram_svg(edges: Sequence[float], counts: Sequence[int], *, title: str, unit: str = "") -> str:
    """An `<svg>` of one bar a bin, heights in proportion to the counts, the outer edges written below.

    The count of each bin is its tooltip. Colours are the page's: classes `bar` and `axis`.
    """
    across, up = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    step, tallest, floor = across / len(counts), max(counts), HEIGHT - _BOTTOM
    parts = [
        f'<svg class="histogram" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f'<text class="name" x="{_LEFT}" y="14">{escape(title)}</text>',
    ]
    for number, count in enumerate(counts):
        height = up * count / tallest
        if count:
            height = max(height, 1.0)  # a rare value is still seen
            label = f"{value_text(edges[number])} to {value_text(edges[number + 1])}: {count:,}"
            x = _LEFT + number * step
            parts.append(
                f'<rect class="bar" x="{x:.1f}" y="{floor - height:.1f}" width="{max(step - 1, 1):.1f}" '
                f'height="{height:.1f}"><title>{label}</title></rect>'
            )
    parts.append(f'<path class="axis" d="M{_LEFT} {floor + 0.5}H{WIDTH - _RIGHT}"/>')
    low, high = value_text(edges[0]), value_text(edges[-1])
    ends = ((low, _LEFT, "start"), (high, WIDTH - _RIGHT, "end")) if low != high else ((low, WIDTH / 2, "middle"),)
    parts += [f'<text x="{x}" y="{HEIGHT - 8}" text-anchor="{anchor}">{end}</text>' for end, x, anchor in ends]
    if unit and low != high:
        parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(unit)}</text>')
    return "\n".join([*parts, "</svg>"])


def histogram_line(counts: Sequence[int]) -> str:
    """One character a bin between brackets, darker for more: `[  .:=#@%=:.  ]`. One bin is no histogram: ''."""
    if len(counts) < 2:
        return ""
    tallest = max(counts)
    marks = (" " if not count else _SHADES[(count * len(_SHADES) - 1) // tallest] for count in counts)
    return f"[{''.join(marks)}]"
