"""What an event says, in a few words: its stage, its verdict with its figures, its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 240
WORDS = ("verdict", "remedy", "decision", "reason")


def gist(data: Mapping[str, Any]) -> str:
    """Of the fields of any event; nothing where none of them says something to people."""
    parts = []
    stage = data.get("stage")
    if isinstance(stage, str):
        attempt = data.get("attempt")
        again = f", attempt {attempt}" if isinstance(attempt, int) and attempt > 1 else ""
        parts.append(f"{stage}{again}")
    elif isinstance(pipeline := data.get("pipeline"), str):
        parts.append(f"{pipeline} from {data.get('base')}, role {data.get('role')}")
    said = [data.get(name) for name in WORDS]
    parts += [one for one in said if isinstance(one, str) and one]
    if not data.get("reason"):
        parts += [_figures(data.get("checks")), _for(data)]
    line = ": ".join(" ".join(part.split()) for part in parts if part)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def _figures(checks: object) -> str:
    """What a gate looked at, each figure beside its bound: `kl 0.05 (0.04 to 0.06) <= 0.1`."""
    told = []
    for one in checks if isinstance(checks, list | tuple) else ():
        if not isinstance(one, Mapping) or not _number(one.get("bound")):
            continue
        sign = ">=" if one.get("side") == "at_least" else "<="
        value, low, high = (one.get(name) for name in ("value", "low", "high"))
        found = f"{value:.3g}" if _number(value) else "not measured"
        if _number(low) and _number(high) and low != high:
            found += f" ({low:.3g} to {high:.3g})"
        told.append(f"{one.get('metric')} {found} {sign} {one['bound']:g}")
    return ", ".join(told)


def _for(data: Mapping[str, Any]) -> str:
    """What a remedy is for, what it changes, and from where the run goes on."""
    if not isinstance(data.get("remedy"), str):
        return ""
    changes = [one for one in data.get("changes") or () if isinstance(one, Mapping)]
    said = [f"for {data['symptom']}"] if isinstance(data.get("symptom"), str) else []
    said += [change(one) for one in changes]
    if isinstance(data.get("back_to"), str):
        said.append(f"on from {data['back_to']}")
    return ", ".join(said)


SIGNS = {"times": "x ", "plus": "+ ", "set": "= "}


def change(one: Mapping[str, Any]) -> str:
    """What a remedy does to a setting: `learning_rate x 0.5`."""
    by = one.get("by")
    number = f"{by:g}" if _number(by) else str(by)
    return f"{one.get('setting')} {SIGNS.get(str(one.get('how')), '')}{number}"


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
