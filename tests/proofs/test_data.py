"""A data set is made whole, whenever its maker is killed; only calls in flight are repeated."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from events.artifacts import Artifacts
from tests.agents.data_generator.collaboration.models import APPROVES, Models, teaching
from tests.guardrails.server import Server
from tests.infra.data_house import all_right, making, models, role
from tests.infra.processes import RATCHET, ROOT, environment, ratchet
from tests.proofs.data import KIND, PART, SEED, Storm, stubborn
from trainers.model_types import TYPES


async def undisturbed(folder: Path, quantity: int) -> bytes:
    """The rows as they come when nobody kills anything."""
    async with (
        Server(Models(teaching(stubborn), APPROVES)) as server,
        making(folder, models=models(f"http://127.0.0.1:{server.port}/v1")) as house,
    ):
        await house.policy(part_rows=PART)
        await house.say(role("sums", KIND))
        made = await house.made(role="sums", quantity=quantity, seed=SEED, quality_target=0.5)
        house.rows(made)
        return house.artifacts.read(getattr(made, "rows").sha256)  # noqa: B009


async def weathered(folder: Path, seed: int, quantity: int, kills: int) -> None:
    found = await Storm(folder, seed, quantity, kills).rage()
    told = f"{found.under_way} calls in flight, {found.repeated} made again, {found.faults}"
    print(f"\n{found.kills} kills: {told}")
    assert found.faults == []
    assert found.kills > kills
    assert found.repeated <= found.under_way
    assert found.rows == await undisturbed(folder / "undisturbed", quantity)


@pytest.mark.real
async def test_a_few_kills_change_no_row(tmp_path: Path) -> None:
    await weathered(tmp_path, seed=20261121, quantity=60, kills=2)


@pytest.mark.proof
@pytest.mark.parametrize("seed", [1, 2])
async def test_twenty_kills_change_no_row(tmp_path: Path, seed: int) -> None:
    await weathered(tmp_path, seed, quantity=300, kills=20)


def published(home: Path, *asked: str) -> dict[str, Any]:
    """The set that came of a request, however long it takes."""
    words = (*RATCHET, "publish", "DataRequested", *asked, "--home", str(home), "--json")
    made = subprocess.run(
        words, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=700, check=True
    )
    found: dict[str, Any] = json.loads(made.stdout)["outcome"]["data"]
    return found


@pytest.mark.proof
@pytest.mark.parametrize("kind", TYPES)
def test_a_thousand_rows_of_every_type_in_a_fresh_home(tmp_path: Path, kind: str) -> None:
    found = []
    for place, seed in (("one", 7), ("same", 7), ("other", 8)):
        home = tmp_path / place
        profile = json.dumps({"name": "tried", "purpose": "Be tried.", "model_type": kind})
        assert ratchet(home, "publish", "RoleDefined", "role=tried", f"profile={profile}").code == 0
        began = time.monotonic()
        data = published(home, "role=tried", "quantity=1000", f"seed={seed}", "--wait", "600")
        text = Artifacts(str(home / "artifacts")).read(data["rows"]["sha256"])
        rows = [json.loads(line) for line in text.splitlines()]
        print(f"\n{kind}, seed {seed}: {data['quality']:.3f}, {time.monotonic() - began:.0f} s")
        assert len({row["prompt"] for row in rows}) == 1000
        assert all_right(rows, kind)
        assert ratchet(home, "audit").code == 0
        found.append(text)
    assert found[0] == found[1]
    assert found[0] != found[2]
