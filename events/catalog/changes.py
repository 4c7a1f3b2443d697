"""What a remedy changes: a value that decisions and the requests that follow them carry."""

from __future__ import annotations

from typing import Literal

from events.message import Name, Value


class Change(Value):
    """What a remedy changes of a stage's settings."""

    stage: Name
    setting: Name
    how: Literal["times", "plus", "set"]
    by: float
