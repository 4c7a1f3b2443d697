"""Kills of the owner with its relay, of the nats-server, of workers: nothing is lost or doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.nats_storm import NatsStorm


def weathered(folder: Path, seed: int, kills: int) -> None:
    storm = NatsStorm(folder, seed)
    storm.begin()
    storm.rage(kills)
    storm.calm()
    found = storm.found()
    print(
        f"\n{found.kills} kills {storm.killed}: {found.acknowledged} acknowledged, "
        f"{found.requests} requests, {found.events} events, {len(found.faults)} faults"
    )
    assert found.faults == []
    assert found.acknowledged > 0
    assert found.requests > found.acknowledged


@pytest.mark.real
def test_a_few_kills_change_nothing(tmp_path: Path) -> None:
    weathered(tmp_path, 20261121, kills=5)


@pytest.mark.proof
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_a_hundred_kills_change_nothing(tmp_path: Path, seed: int) -> None:
    weathered(tmp_path, seed, kills=20)
