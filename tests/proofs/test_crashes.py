"""Nothing acknowledged is lost, nothing is decided twice, every request is answered once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.crash import Storm


def weathered(folder: Path, seed: int, kills: int, misfire: str) -> None:
    storm = Storm(folder, seed)
    storm.begin(misfire)
    storm.rage(kills)
    storm.calm()
    found = storm.found()
    print(
        f"\n{found.kills} kills: {found.acknowledged} acknowledged, {found.requests} requests, "
        f"{found.ticks} ticks, {found.events} events, {len(found.faults)} faults"
    )
    assert found.faults == []
    assert found.acknowledged > 0
    assert found.requests > found.acknowledged


@pytest.mark.real
@pytest.mark.parametrize(("seed", "misfire"), [(20261121, "all"), (20261122, "skip")])
def test_a_few_kills_change_nothing(tmp_path: Path, seed: int, misfire: str) -> None:
    weathered(tmp_path, seed, kills=4, misfire=misfire)


@pytest.mark.proof
@pytest.mark.parametrize(
    ("seed", "misfire"), [(1, "all"), (2, "latest"), (3, "skip"), (4, "all"), (5, "latest")]
)
def test_a_hundred_kills_change_nothing(tmp_path: Path, seed: int, misfire: str) -> None:
    weathered(tmp_path, seed, kills=20, misfire=misfire)
