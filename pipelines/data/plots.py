"""Plots as SVG text, which stands in a page without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 640, 200
LEFT, BOTTOM, TOP = 62, 26, 12


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


class Span(NamedTuple):
    """A figure with its interval beside its bound."""

    value: float
    low: float
    high: float
    bound: float


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
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(curve.title)}</title><desc>{_course(curve)}</desc>",
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
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(plot.title)}</title><desc>{_tallest(plot)}</desc>",
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


def beside(one: Span) -> str:
    """A figure on a line of its own scale. It repeats what stands in words next to it, and is
    silent to who has the page read to them."""
    low, high = min(one.low, one.bound), max(one.high, one.bound)
    wide = (high - low) or abs(one.bound) or 1.0

    def along(value: float) -> float:
        return round(8 + 128 * (value - low) / wide, 1)

    bar = max(2.0, round(along(one.high) - along(one.low), 1))
    bound = along(one.bound)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="span" viewBox="0 0 144 24"'
        ' aria-hidden="true">'
        f'<line x1="8" y1="12" x2="136" y2="12"/>'
        f'<rect x="{along(one.low)}" y="9" width="{bar}" height="6"/>'
        f'<circle cx="{along(one.value)}" cy="12" r="4"/>'
        f'<line class="edge" x1="{bound}" y1="1" x2="{bound}" y2="23"/></svg>'
    )


def _course(curve: Curve) -> str:
    """A curve in words, for who does not see it."""
    if not curve.points:
        return "Nothing was recorded."
    (left, first), (right, last) = curve.points[0], curve.points[-1]
    values = [y for _, y in curve.points]
    gates = [f"{gate:g}" for gate in (curve.bound, curve.other) if gate is not None]
    gate = f"; its gate lies at {' and '.join(gates)}" if gates else ""
    return (
        f"From {first:.3g} at step {left:g} to {last:.3g} at step {right:g}, between"
        f" {min(values):.3g} and {max(values):.3g}{gate}."
    )


def _tallest(plot: Plot) -> str:
    """Bars in words."""
    if not plot.bars:
        return "Nothing to show."
    most = max(plot.bars, key=lambda bar: bar.value)
    whole = sum(bar.value for bar in plot.bars)
    bound = f"; {plot.bound}" if plot.bound else ""
    return escape(f"{len(plot.bars)} bars, {whole:g} in all, most at {most.label}{bound}.")
