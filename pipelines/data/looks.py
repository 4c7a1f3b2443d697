"""How our pages look: one style for all, read in the light and in the dark, at any width.

Every colour of text stands out from its ground by 4.5 to 1 at least, in both; wide tables and plots
scroll within the page. What is good or bad is said in words, and its colour only repeats it.
"""

from __future__ import annotations

LIGHT = {
    "ink": "#1c1c1c", "paper": "#ffffff", "soft": "#565656", "rule": "#c8c8c8",
    "mark": "#2f5f92", "no": "#b3261e", "yes": "#1e6b34", "band": "#eef2f6",
}  # fmt: skip
DARK = {
    "ink": "#e8e8e8", "paper": "#16181b", "soft": "#b8b8b8", "rule": "#4a4d52",
    "mark": "#7fb2e5", "no": "#ff8a80", "yes": "#7fd694", "band": "#23272c",
}  # fmt: skip


def _colours(named: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in named.items())


STYLE = (
    f":root{{color-scheme:light dark;{_colours(LIGHT)}}}"
    f"@media(prefers-color-scheme:dark){{:root{{{_colours(DARK)}}}}}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:66rem;margin:0 auto;padding:1rem;"
    "color:var(--ink);background:var(--paper)}"
    "h1,h2,p,summary{overflow-wrap:anywhere}h1{line-height:1.2}h2{margin:2rem 0 .5rem}"
    ".first{font-size:1.15em;font-weight:600;border-left:.3rem solid var(--mark);"
    "padding-left:.8rem}"
    ".t{overflow-x:auto;margin:.5rem 0 1.5rem}.t:focus-visible{outline:2px solid var(--mark)}"
    ".g{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,30rem),1fr));"
    "gap:0 1.5rem}.g>*{min-width:0}.g h2{font-size:1.1em}"
    "table{border-collapse:collapse}td,th{border:1px solid var(--rule);padding:.25rem .6rem;"
    "text-align:left;vertical-align:top}th{background:var(--band)}td{min-width:3rem}"
    "svg.plot{display:block;width:100%;min-width:30rem;max-width:44rem}"
    "svg.span{display:block;width:9rem;height:1.5rem}"
    "svg text{font:11px system-ui,sans-serif;fill:var(--soft)}"
    "svg rect{fill:var(--mark)}svg circle{fill:var(--ink)}"
    "svg polyline{fill:none;stroke:var(--mark);stroke-width:1.5}"
    "svg line{stroke:var(--soft)}svg .bound,svg .edge{stroke:var(--no);stroke-dasharray:4 3}"
    ".no{color:var(--no)}.yes{color:var(--yes)}code{font-size:.85em;color:var(--soft)}"
    "@media print{.t{overflow:visible}}"
)


def whole(title: str, body: str, more: str = "") -> str:
    """A page that needs nothing else, and that nothing in it can make to ask for anything. Title
    and body are markup already."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{STYLE}{more}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )
