"""A program of its own that publishes trainings without end, and writes down what was acknowledged.

It is killed and started again at random. An id is written down before it is first sent, so that
whoever comes after the kill asks for the same event again.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from events.errors import RatchetError
from events.ids import new_id
from events.ingress import admitted
from infra.home import Home
from infra.publishing import publish

WANTED = {"role": "support", "pipeline": "rehearsal", "base": "tiny"}


def main(home: Path, notes: Path, pause: float) -> None:
    waiting = _unfinished(notes)
    with notes.open("a") as file:
        while True:
            event_id = waiting or new_id()
            if not waiting:
                _note(file.fileno(), f"wants {event_id}")
            one = admitted("TrainingRequested", WANTED, event_id)
            try:
                answer = publish(Home(home), one)
            except RatchetError as error:
                _note(file.fileno(), f"waits {error}")
                waiting = event_id
                time.sleep(0.05)
                continue
            waiting = ""
            _note(file.fileno(), f"has {event_id} {answer['position']}")
            time.sleep(pause)


def _note(handle: int, line: str) -> None:
    os.write(handle, f"{line}\n".encode())


def _unfinished(notes: Path) -> str:
    if not notes.exists():
        return ""
    lines = [line.split() for line in notes.read_text().splitlines()]
    had = {words[1] for words in lines if words[0] == "has"}
    wanted = [words[1] for words in lines if words[0] == "wants"]
    return wanted[-1] if wanted and wanted[-1] not in had else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
