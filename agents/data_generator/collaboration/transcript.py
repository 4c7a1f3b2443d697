"""What every node of every session was given and gave: lines of JSON, sessions in their order.

Times are not in it, so the same answers make the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType

from agents.data_generator.collaboration.session import Ended


class Transcript:
    """Written from the beginning by each process: what is in the journal is simply said again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w", encoding="utf-8", errors="backslashreplace")

    def __enter__(self) -> Transcript:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, ended: Ended) -> None:
        """Write a session down."""
        for said in ended.said:
            line = json.dumps(said.line(ended.session), ensure_ascii=False, sort_keys=True)
            self._file.write(line + "\n")
