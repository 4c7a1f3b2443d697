"""A replay holds a batch of the log at a time, however long the log is."""

from __future__ import annotations

from tests.bench.memory import replay_alone


def test_five_times_the_history_takes_hardly_more_memory_to_replay() -> None:
    few, many = replay_alone(20_000), replay_alone(100_000)
    assert (few.events, many.events) == (20_000, 100_000)
    assert many.peak_mb - few.peak_mb < 20, "the page cache of SQLite is 16 MB"
    assert many.peak_mb - many.start_mb < 60
