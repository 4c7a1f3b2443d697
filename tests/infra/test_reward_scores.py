"""A reward model that a run has made scores the answers of a set of pairs, as a job of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.data_generator.pairing.rewards import Asked
from agents.trainer.workers.models import kept
from events.artifacts import Artifacts
from events.catalog.training import RunStarted, StageCompleted
from events.envelope import draft
from events.memory import MemoryStore
from events.store import append
from infra.history import History
from infra.rewards import RewardModels
from tests.trainers.additions import TYPE, job, pairs
from tests.trainers.inside import trained


@pytest.fixture(scope="module")
def reward(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A reward model that has hardly learned; nobody writes here."""
    from trainers.tiny import make_tiny_base  # torch, which not every test here needs

    bases = Path(request.config.cache.mkdir("bases"))
    base = make_tiny_base(TYPE, seed=0, level=0.35, folder=bases)
    file = job(tmp_path_factory.mktemp("job") / "reward", base, "reward", pairs(64), steps=4,
               batch=8)  # fmt: skip
    trained(file)
    return file.parent / "model"


@pytest.mark.proof
async def test_every_answer_has_a_score_from_the_newest_model_of_the_role(
    tmp_path: Path, reward: Path
) -> None:
    store, artifacts = MemoryStore(), Artifacts(str(tmp_path / "artifacts"))
    model = kept(artifacts, reward, "reward")
    started = RunStarted.model_validate_json(json.dumps({**RunStarted.example, "role": "sums"}))
    made = StageCompleted(run=started.run, stage="reward", attempt=1, seconds=1.0,
                          artifacts=(model,))  # fmt: skip
    await append(store, started, draft(made)._replace(outcome=False))
    assert await History(store).reward_model("sums", 100) == model.sha256
    assert await History(store).reward_model("sums", 2) is None
    assert await History(store).reward_model("other", 100) is None
    rewards = RewardModels(History(store), artifacts, tmp_path / "work")
    try:
        sides = [(row["prompt"], row[side]) for row in pairs(5) for side in ("chosen", "rejected")]
        sides.insert(2, (sides[0][0], "=1;"))  # an odd answer to the first prompt
        asked = Asked("sums", TYPE.name, 100, sides)
        found = await rewards.scores(asked)
        again = await rewards.scores(asked)
    finally:
        await rewards.close()
    assert found.model == model.sha256
    assert len(found.scores) == len(sides) == 11
    assert len(set(found.scores)) > 5
    assert again == found
    jobs = [one.name for one in (tmp_path / "work" / "scoring").rglob("rewards-*") if one.is_dir()]
    assert len(jobs) == 1
