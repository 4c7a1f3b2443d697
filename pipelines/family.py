"""The lineage of a model as a page: what it was made of folds out below it. It needs nothing else.

Names and hashes come out of history, where anybody may have put them: all of it is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from pipelines.data.looks import whole
from pipelines.lineage import Node

_STYLE = (
    "details,.leaf{margin-left:1rem;border-left:2px solid var(--rule);padding-left:.8rem}"
    "summary{cursor:pointer}.leaf,summary{overflow-wrap:anywhere}.kind{color:var(--mark)}"
)
GONE = ("withdrawn", "regressed")


def drawn(node: Node) -> str:
    """The whole page."""
    title = escape(f"Where {node['name']} comes from")
    return whole(title, f"<h1>{title}</h1>{''.join(_drawn(node))}", _STYLE)


def _drawn(node: Node) -> Iterator[str]:
    if not node["from"]:
        yield f"<div class=leaf>{_line(node)}</div>"
        return
    yield f"<details open><summary>{_line(node)}</summary>"
    for one in node["from"]:
        yield from _drawn(one)
    yield "</details>"


def _line(node: Node) -> str:
    parts = [f"<span class=kind>{escape(str(node.get('part') or node['kind']))}</span>"]
    if node["name"]:
        parts.append(f"<b>{escape(str(node['name']))}</b>")
    if node["kind"] == "run":
        parts.append(escape(f"{node['pipeline']}, seed {node['seed']}"))
    if "count" in node:
        parts.append(f"{node['count']:,} rows, quality {node['quality']:.3f}")
    if "status" in node:
        mark = " class=no" if node["status"] in GONE else ""
        parts.append(f"<span{mark}>{escape(str(node['status']))}</span>")
    for name, one in node.get("metrics", {}).items():
        span = f"{one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})"
        parts.append(f"{escape(str(name))} {span}")
    if node["sha256"]:
        parts.append(f"<code>{escape(str(node['sha256']))}</code>")
    if node["size"]:
        parts.append(f"{node['size']:,} bytes")
    return " &middot; ".join(parts)
