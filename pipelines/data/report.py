"""A report of a data set: the same as Markdown, and as one page of HTML that needs nothing else.

It holds no times: the same data give the same report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from pipelines.data.plots import Curve, Plot, line, svg

CELL = 160
"""Characters that a cell shows of a text."""
BLOCKS = " ▁▂▃▄▅▆▇█"

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c1c1c;background:#fff}table{border-collapse:collapse;margin:.5rem 0 1.5rem}"
    "td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left;vertical-align:top}"
    "svg{width:100%;max-width:40rem}svg text{font:10px system-ui,sans-serif;fill:#444}"
    "svg rect{fill:#3b6ea5}svg polyline{fill:none;stroke:#3b6ea5;stroke-width:1.5}"
    "svg line{stroke:#888}svg .bound{stroke:#b3261e;stroke-dasharray:4 3}"
    ".no{color:#b3261e}.yes{color:#1e6b34}"
)


class Table(NamedTuple):
    """Rows below headings."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    note: str = ""


class Checked(NamedTuple):
    """One bound and what was found."""

    name: str
    found: str
    bound: str
    passed: bool


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
        parts += [f"## {_safe(table.title)}", *([_safe(table.note)] if table.note else [])]
        parts.append(_grid(table.headings, table.rows))
    return "\n\n".join(parts) + "\n"


def page(report: Report) -> str:
    """For a browser, opened from a file or out of a store."""
    parts = [f"<h1>{escape(report.title)}</h1>", *(f"<p>{escape(one)}</p>" for one in report.lines)]
    if report.checks:
        rows = "".join(
            f"<tr><td>{escape(one.name)}</td><td>{escape(one.found)}</td><td>{escape(one.bound)}"
            f'</td><td class="{"yes" if one.passed else "no"}">{"yes" if one.passed else "no"}</td>'
            "</tr>"
            for one in report.checks
        )
        parts.append(f"<table>{_head(('measure', 'found', 'bound', 'kept'))}{rows}</table>")
    parts += [f"<h2>{escape(plot.title)}</h2>{svg(plot)}" for plot in report.plots]
    parts += [f"<h2>{escape(one.title)}</h2>{line(one)}" for one in report.curves]
    for table in report.tables:
        note = f"<p>{escape(table.note)}</p>" if table.note else ""
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_cell(one))}</td>" for one in row) + "</tr>"
            for row in table.rows
        )
        parts.append(
            f"<h2>{escape(table.title)}</h2>{note}<table>{_head(table.headings)}{body}</table>"
        )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _head(headings: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<th>{escape(one)}</th>" for one in headings) + "</tr>"


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
