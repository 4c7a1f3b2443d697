"""Refused messages are kept within bounds, and never at the price of an answer."""

import json
from pathlib import Path

from infra.rejected import BODY, FULL, Rejected

REASON = {"what": "no", "where": "there", "right": "yes"}


def test_what_is_kept_is_bounded_and_stays_readable(tmp_path: Path) -> None:
    rejected = Rejected(tmp_path)
    for number in range(1000):
        rejected.keep(f"token:{number}", REASON, bytes(range(256)) * 1000)
    kept = sorted(tmp_path.iterdir())
    assert [file.name for file in kept] == ["rejected.jsonl", "rejected.jsonl.1"]
    for file in kept:
        assert file.stat().st_size <= FULL
        assert file.stat().st_mode & 0o777 == 0o600
        for line in file.read_text().splitlines():
            entry = json.loads(line)
            assert entry["reason"] == REASON
            assert entry["bytes"] == 256_000
            assert len(entry["body"]) <= 4 * BODY
    assert rejected.count == 1000


def test_where_it_cannot_be_kept_nothing_happens(tmp_path: Path) -> None:
    rejected = Rejected(tmp_path / "gone")
    rejected.keep("http", REASON, b"x")
    (tmp_path / "rejected.jsonl").mkdir()
    Rejected(tmp_path).keep("http", REASON, b"x")
    assert rejected.count == 1
