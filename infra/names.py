"""That the seven common words of our packages mean this installation and nothing else."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

ROOMS = ("agents", "events", "pipelines", "trainers", "memory", "guardrails", "infra")


def check_names() -> None:
    """Stop with one sentence where another installed package took one of our names."""
    here = Path(__file__).resolve().parent.parent
    for room in ROOMS:
        spec = find_spec(room)
        places = [] if spec is None else [Path(p) for p in spec.submodule_search_locations or ()]
        if not any(place.resolve().parent == here for place in places):
            found = places[0] if places else "nowhere"
            sys.exit(
                f"ratchet: the package {room!r} belongs at {here / room}, found at {found}: "
                "install Ratchet into an environment of its own (`make`, `uv tool install`)"
            )
