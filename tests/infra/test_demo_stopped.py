"""A demo that somebody stopped goes on where it was; nobody else's run is taken for it."""

from __future__ import annotations

from pathlib import Path

from events.catalog.hand import PauseRequested
from events.catalog.roles import RoleDefined
from events.catalog.training import RunStarted, TrainingRequested
from events.store import append
from infra.assemble import built
from infra.cli.demo import _unfinished
from infra.home import Home
from infra.house import House
from infra.settings import Settings

ROLE = RoleDefined.model_validate(
    {"role": "sums", "profile": {"name": "sums", "purpose": "p", "model_type": "chat"}}
)


async def asked(house: House, pipeline: str, actor: str, seed: int) -> str:
    """A run was begun; its id."""
    wanted = TrainingRequested(role="sums", pipeline=pipeline, base="tiny", seed=seed)
    _, request = await append(house.store, ROLE, wanted, actor=actor)
    for shell in house.shells:
        await shell.settle()
    every = await house.store.read(request.position, None, 1, [RunStarted.wire])
    begun = every[0].event()
    assert isinstance(begun, RunStarted)
    return begun.run


async def test_only_an_open_demo_of_the_same_pipeline_goes_on(tmp_path: Path) -> None:
    house = await built(Home(tmp_path).writer(), Settings(), workers=())
    try:
        assert await _unfinished(house, "srl_rlvr") is None
        run = await asked(house, "srl_rlvr", "demo", 7)
        await asked(house, "srl_rlvr", "cli", 8)
        found = await _unfinished(house, "srl_rlvr")
        assert found is not None
        assert (found[0].type, found[0].actor, found[1]) == ("TrainingRequested", "demo", 7)
        assert await _unfinished(house, "dpo") is None
        await append(house.store, PauseRequested(run=run), actor="cli")
        for shell in house.shells:
            await shell.settle()
        assert await _unfinished(house, "srl_rlvr") is None
    finally:
        await house.close()
