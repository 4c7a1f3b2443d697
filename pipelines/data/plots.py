"""Plots as SVG text, which stands in a page without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 640, 200
LEFT, BOTTOM, TOP = 44, 26, 12


class Bar(NamedTuple):
    """A bar, with the words below it."""

    label: str
    value: float


class Plot(NamedTuple):
    """Bars of one quantity."""

    title: str
    bars: tuple[Bar, ...]
    mark: float | None = None
    """Where on the axis a bound lies, from 0 to 1; None where there is none."""
    bound: str = ""
    """What the bound is called."""


class Curve(NamedTuple):
    """How a quantity went, from the first step to the last."""

    title: str
    points: tuple[tuple[float, float], ...]
    bound: float | None = None
    """Where its gate lies; None where there is none."""
    other: float | None = None
    """Where the other side of its gate lies, of a band."""


def histogram(title: str, values: Sequence[float], low: float, high: float, bins: int = 20) -> Plot:
    """How often values lie in each stretch from `low` to `high`; others count at its ends."""
    counts = [0] * bins
    for value in values:
        place = int((value - low) / (high - low) * bins) if high > low else 0
        counts[min(max(place, 0), bins - 1)] += 1
    width = (high - low) / bins
    return Plot(title, tuple(Bar(f"{low + n * width:g}", many) for n, many in enumerate(counts)))


def line(curve: Curve) -> str:
    """The curve, drawn, its gate as a line across."""
    across = [x for x, _ in curve.points] or [0.0]
    gates = [one for one in (curve.bound, curve.other) if one is not None]
    up = [*(y for _, y in curve.points), *gates] or [0.0]
    left, right, low, high = min(across), max(across), min(up), max(up)
    wide, tall = WIDTH - LEFT - 8, HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> str:
        along = (x - left) / (right - left or 1)
        above = (y - low) / (high - low or 1)
        return f"{LEFT + along * wide:.1f},{TOP + (1 - above) * tall:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(curve.title)}</title>",
        f'<text x="{LEFT - 6}" y="{TOP + 8}" text-anchor="end">{high:.3g}</text>',
        f'<text x="{LEFT - 6}" y="{HEIGHT - BOTTOM}" text-anchor="end">{low:.3g}</text>',
        f'<text x="{LEFT}" y="{HEIGHT - 8}">step {left:g}</text>',
        f'<text x="{WIDTH - 8}" y="{HEIGHT - 8}" text-anchor="end">step {right:g}</text>',
        f'<polyline points="{" ".join(place(x, y) for x, y in curve.points)}"/>',
    ]
    for gate in gates:
        y = place(left, gate).partition(",")[2]
        parts.append(f'<line class="bound" x1="{LEFT}" y1="{y}" x2="{WIDTH - 8}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT + 4}" y="{float(y) - 3:.1f}">gate {gate:g}</text>')
    return "".join([*parts, "</svg>"])


def svg(plot: Plot) -> str:
    """The plot, drawn."""
    most = max((bar.value for bar in plot.bars), default=0) or 1
    step = (WIDTH - LEFT) / max(len(plot.bars), 1)
    tall = HEIGHT - TOP - BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(plot.title)}</title>",
        f'<line x1="{LEFT}" y1="{HEIGHT - BOTTOM}" x2="{WIDTH}" y2="{HEIGHT - BOTTOM}"/>',
        f'<text x="{LEFT - 6}" y="{TOP + 8}" text-anchor="end">{most:g}</text>',
        f'<text x="{LEFT - 6}" y="{HEIGHT - BOTTOM}" text-anchor="end">0</text>',
    ]
    every = max(1, len(plot.bars) // 10)
    for number, bar in enumerate(plot.bars):
        high, x = tall * bar.value / most, LEFT + number * step
        parts.append(
            f'<rect x="{x + 1:.1f}" y="{HEIGHT - BOTTOM - high:.1f}" width="{step - 2:.1f}" '
            f'height="{high:.1f}"><title>{escape(bar.label)}: {bar.value:g}</title></rect>'
        )
        if number % every == 0:
            parts.append(
                f'<text x="{x + step / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
                f"{escape(bar.label[:16])}</text>"
            )
    if plot.mark is not None:
        x = LEFT + min(max(plot.mark, 0.0), 1.0) * (WIDTH - LEFT)
        parts.append(
            f'<line class="bound" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - 26}"/>'
        )
        parts.append(f'<text x="{x + 4:.1f}" y="{TOP + 8}">{escape(plot.bound)}</text>')
    return "".join([*parts, "</svg>"])
