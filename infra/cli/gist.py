"""What an event says, in a few words: its stage, its verdict, its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 160


def gist(data: Mapping[str, Any]) -> str:
    """Of the fields of any event; nothing where none of them says something to people."""
    parts = []
    stage = data.get("stage")
    if isinstance(stage, str):
        attempt = data.get("attempt")
        again = f", attempt {attempt}" if isinstance(attempt, int) and attempt > 1 else ""
        parts.append(f"{stage}{again}")
    said = [data.get(name) for name in ("verdict", "remedy", "decision", "reason")]
    parts += [one for one in said if isinstance(one, str) and one]
    line = ": ".join(" ".join(part.split()) for part in parts)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."
