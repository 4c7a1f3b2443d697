"""What the tests of the caller ask, and how they wait."""

from __future__ import annotations

from typing import Any

import pytest

from guardrails.budget import Budget
from guardrails.caller import Caller, Message
from guardrails.refusals import CallFailed

HELLO = [Message("system", "Be brief."), Message("user", "Hello?")]


class Slept:
    """Sleeps not, and remembers for how long it should have."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)


async def failure(caller: Caller, **how: Any) -> CallFailed:
    """How an ask ends that has to fail."""
    with pytest.raises(CallFailed) as caught:
        await caller.ask("teacher", HELLO, budget=Budget(), **how)
    return caught.value
