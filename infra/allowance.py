"""What a server may read for us within a day, whoever of us asks.

Kept in a file of the home, so that commands without an owner share it with those before them; one
process has a home at a time. A file that cannot be read begins a new day: it is no account.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from events.memory import utc_now
from guardrails.budget import Budget


class Allowance:
    """Tokens, for one endpoint."""

    def __init__(self, file: Path, tokens: int, clock: Callable[[], datetime] = utc_now) -> None:
        self._file, self._tokens, self._clock = file, tokens, clock
        self._day = ""
        self._budget = Budget()

    def today(self) -> Budget:
        """What is left of this day."""
        day = f"{self._clock():%Y-%m-%d}"
        if day != self._day:
            self._day = day
            self._budget = Budget(tokens=self._tokens, spent={"tokens": self._spent_on(day)})
        return self._budget

    def keep(self) -> None:
        """Note what is spent. A home that has gone stays away."""
        if not self._file.parent.is_dir():
            return
        told = {"day": self._day, "tokens": self._budget.spent()["tokens"]}
        beside = self._file.with_suffix(".beside")
        beside.write_text(json.dumps(told))
        os.replace(beside, self._file)

    def _spent_on(self, day: str) -> float:
        try:
            told = json.loads(self._file.read_text())
            tokens = float(told["tokens"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0
        return tokens if told["day"] == day and 0 <= tokens < float("inf") else 0.0
