"""Whether the owner of the home is ready, as an exit code: `python -m infra.deploy.ready`.

For probes of containers: /readyz asks for a token, and a probe has none. This one is inside, may
read the owner's note, and says on standard error what is wrong.
"""

from __future__ import annotations

import json
import sys

from events.errors import RatchetError
from infra.client import NoAnswer, call
from infra.settings import home_folder

SECONDS = 5.0
"""How long it may take to answer; the probes of the manifests wait for twice as long."""


def trouble() -> str:
    """What keeps it from being ready, or ''."""
    try:
        note = json.loads((home_folder(None) / "up.json").read_text())
    except (OSError, ValueError):
        return "nobody is up in this home"
    if not isinstance(note, dict):
        return "the note in this home is none of ours"
    try:
        call(note, "GET", "/readyz", seconds=SECONDS)
    except NoAnswer as error:
        return f"the owner does not answer, or is not ready ({error})"
    except RatchetError as error:
        return str(error)
    return ""


def main() -> int:
    said = trouble()
    if said:
        print(f"ratchet: {said}", file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
