"""A report of a data set: the same as Markdown, and as one page of HTML that needs nothing else.

It holds no times: the same data give the same report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from pipelines.data.looks import whole
from pipelines.data.plots import Curve, Plot, Span, beside, line, svg

CELL = 160
"""Characters that a cell shows of a text."""
BLOCKS = " ▁▂▃▄▅▆▇█"


class Table(NamedTuple):
    """Rows below headings."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    note: str = ""
    early: bool = False
    """Before the figures: whoever reads no further has read it."""


class Checked(NamedTuple):
    """One bound and what was found."""

    name: str
    found: str
    bound: str
    passed: bool
    span: Span | None = None
    """Where it lies beside its bound, drawn; None where there is nothing to draw."""


class Report(NamedTuple):
    """What is told of a data set."""

    title: str
    lines: tuple[str, ...]
    checks: tuple[Checked, ...]
    plots: tuple[Plot, ...] = ()
    tables: tuple[Table, ...] = ()
    curves: tuple[Curve, ...] = ()


def markdown(report: Report) -> str:
    """For a terminal, a pull request, a mail."""
    parts = [f"# {_safe(report.title)}", *map(_safe, report.lines)]
    for table in report.tables:
        if table.early:
            parts += _section(table)
    checks = [
        (one.name, one.found, one.bound, "yes" if one.passed else "no") for one in report.checks
    ]
    if checks:
        parts.append(_grid(("measure", "found", "bound", "kept"), checks))
    for plot in report.plots:
        most = max((bar.value for bar in plot.bars), default=0) or 1
        drawn = "".join(BLOCKS[round(8 * bar.value / most)] for bar in plot.bars)
        ends = f"{plot.bars[0].label} to {plot.bars[-1].label}" if plot.bars else "nothing"
        parts += [f"## {_safe(plot.title)}", f"`{drawn}` ({_safe(ends)}, at most {most:g})"]
    for one in report.curves:
        values = [y for _, y in one.points]
        low, high = min(values, default=0.0), max(values, default=0.0)
        drawn = "".join(
            BLOCKS[round(8 * (y - low) / (high - low or 1))]
            for y in values[:: max(1, len(values) // 60)]
        )
        gates = [f"{gate:g}" for gate in (one.bound, one.other) if gate is not None]
        bound = f"; gate {' to '.join(gates)}" if gates else ""
        parts += [f"## {_safe(one.title)}", f"`{drawn}` (from {low:.3g} to {high:.3g}{bound})"]
    for table in report.tables:
        if not table.early:
            parts += _section(table)
    return "\n\n".join(parts) + "\n"


def page(report: Report) -> str:
    """For a browser, opened from a file or out of a store."""
    first, *others = report.lines or ("",)
    parts = [f"<h1>{escape(report.title)}</h1>"]
    if first:
        parts.append(f'<p class="first">{escape(first)}</p>')
    parts += [f"<p>{escape(one)}</p>" for one in others]
    parts += [_drawn(table) for table in report.tables if table.early]
    if report.checks:
        rows = "".join(map(_checked, report.checks))
        headings: tuple[str, ...] = ("measure", "found", "bound", "kept")
        if any(one.span for one in report.checks):
            headings = (*headings, "beside its bound, dashed")
        parts.append(_scrolling("Figures and their bounds", f"{_head(headings)}{rows}"))
    drawn = [_plotted(plot.title, svg(plot)) for plot in report.plots]
    drawn += [_plotted(one.title, line(one)) for one in report.curves]
    if drawn:
        parts.append(f'<div class="g">{"".join(drawn)}</div>')
    parts += [_drawn(table) for table in report.tables if not table.early]
    return whole(escape(report.title), "".join(parts))


def _checked(one: Checked) -> str:
    kept = "yes" if one.passed else "no"
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in (one.name, one.found, one.bound))
    drawn = f"<td>{beside(one.span)}</td>" if one.span else ""
    return f'<tr>{cells}<td class="{kept}">{kept}</td>{drawn}</tr>'


def _drawn(table: Table) -> str:
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(one))}</td>" for one in row) + "</tr>"
        for row in table.rows
    )
    shown = _scrolling(table.title, f"{_head(table.headings)}{body}")
    return f"<h2>{escape(table.title)}</h2>{note}{shown}"


def _scrolling(title: str, rows: str) -> str:
    """A table that scrolls by itself, with the keyboard too, where the page is narrower."""
    told = escape(title, quote=True)
    return (
        f'<div class="t" tabindex="0" role="region" aria-label="{told}"><table>{rows}</table></div>'
    )


def _plotted(title: str, drawn: str) -> str:
    return f'<section><h2>{escape(title)}</h2><div class="t">{drawn}</div></section>'


def _section(table: Table) -> list[str]:
    note = [_safe(table.note)] if table.note else []
    return [f"## {_safe(table.title)}", *note, _grid(table.headings, table.rows)]


def _head(headings: Iterable[str]) -> str:
    return "<tr>" + "".join(f'<th scope="col">{escape(one)}</th>' for one in headings) + "</tr>"


def _grid(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [headings, ["---"] * len(headings), *([_safe(_cell(c)) for c in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = " ".join(str(value)[: 4 * CELL].split())
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


def _safe(text: str) -> str:
    """Words of others as words: no markup of theirs is carried out."""
    for sign in "\\`*_[]|#":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("<", "&lt;")
