"""A million events are replayed in the memory that a small machine can spare."""

from __future__ import annotations

import pytest

from tests.bench.memory import MOST_MB, replay_alone


@pytest.mark.proof
def test_a_replay_of_a_million_events_stays_under_300_mb() -> None:
    taken = replay_alone(1_000_000)
    print(f"{taken.events:,} events: {taken.peak_mb} MB at the peak, {taken.seconds} s")
    assert taken.events == 1_000_000
    assert taken.peak_mb < MOST_MB
