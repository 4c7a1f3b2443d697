"""A candidate made worse on purpose: really measured, found, withdrawn, and history agrees."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from agents.audit import audit
from agents.trainer.workers.models import kept
from events.artifacts import Artifacts
from events.catalog.gates import CandidateRegistered
from events.catalog.policies import PolicyAdopted, VerifierPolicy
from events.catalog.roles import RoleDefined
from events.catalog.training import Artifact
from events.catalog.verification import VerificationRequested
from events.envelope import Envelope
from events.message import Event
from events.store import append
from infra.assemble import AGENTS, built
from infra.home import Home
from infra.house import House
from infra.settings import Settings
from trainers.model_types import model_type

ROLE = RoleDefined.model_validate(
    {"role": "sums", "profile": {"name": "sums", "purpose": "adds numbers",
                                 "model_type": "arithmetic_reasoning"}}
)  # fmt: skip
POLICY = PolicyAdopted(policy=VerifierPolicy(items=60))
JUDGED = ("VerificationJudged", "VerificationRefused")


@pytest.fixture(scope="module")
def adder(request: pytest.FixtureRequest) -> Path:
    """Right in about four of ten additions, when it takes the likeliest answer."""
    from trainers.tiny import make_tiny_base  # torch, which collecting the tests does not need

    bases = Path(request.config.cache.mkdir("bases"))
    return make_tiny_base(model_type("arithmetic_reasoning"), seed=0, level=0.35, folder=bases)


def damaged(model: Path, place: Path) -> Path:
    """The same with its digits mixed up: it writes sums as before, and they are wrong."""
    import torch  # only who damages a model needs it

    from trainers.models import load, write

    loaded, tokenizer = load(str(model))
    digits = tokenizer.convert_tokens_to_ids(list("0123456789"))
    with torch.no_grad():
        rows = loaded.get_input_embeddings().weight
        rows[digits] = rows[digits[1:] + digits[:1]].clone()
    write(place, loaded, tokenizer)
    return place


def registered(home: Home, model: Path, run: str) -> CandidateRegistered:
    artifact = kept(Artifacts(home.artifacts), model, "policy")
    return CandidateRegistered(role="sums", run=run, model=artifact)


async def played(
    home: Home, settings: Settings, *told: tuple[Sequence[Event], int]
) -> list[Envelope]:
    """Say something, wait until so many verifications have ended, and go on."""
    store = home.writer()
    house = await built(store, settings, home=home)
    running = asyncio.create_task(house.run())
    try:
        for events, ends in told:
            await append(store, *events, actor="test")
            await asyncio.wait_for(_ended(house, ends), 300)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    report = await audit(store, AGENTS, key=home.public_key)
    assert report.broken_at is None
    assert report.found["differences"] == 0
    found = await store.read(0, None, 1000)
    await house.close()
    return list(found)


async def _ended(house: House, many: int) -> None:
    ear = house.bus.ear(frozenset(JUDGED))
    while len(await house.store.read(0, None, 1000, JUDGED)) < many:
        await ear.wait(0.2)
    ear.close()


def of(found: Sequence[Envelope], wire: str) -> list[Any]:
    return [one.event() for one in found if one.type == wire]


def test_a_candidate_made_worse_is_found_and_withdrawn_and_the_one_before_it_stands_again(
    tmp_path: Path, adder: Path
) -> None:
    home = Home(tmp_path / "home")
    good = registered(home, adder, "good")
    bad = registered(home, damaged(adder, tmp_path / "bad"), "bad")
    found = asyncio.run(played(home, Settings(), ((ROLE, POLICY, good), 1), ((bad,), 2)))
    first, second = of(found, "VerificationJudged")
    assert (first.run, first.verdict) == ("good", "measured")  # nothing was there before it
    assert (second.run, second.verdict) == ("bad", "worse")
    assert second.evidence >= second.needed
    (regression,) = of(found, "RegressionDetected")
    assert regression.baseline == good.model
    assert regression.checks[0].high < 0.95
    (withdrawn,) = of(found, "CandidateWithdrawn")
    assert (withdrawn.run, withdrawn.stands_run) == ("bad", "good")
    verified = of(found, "ModelVerified")[-1]
    items = Artifacts(home.artifacts).read(verified.artifacts[0].sha256).splitlines()
    assert len(items) == verified.n == 120


@pytest.mark.proof
def test_benchmarks_of_ones_own_and_examples_of_experts_are_really_answered(
    tmp_path: Path, adder: Path
) -> None:
    home = Home(tmp_path / "home")
    kind = model_type("arithmetic_reasoning")
    solved = [(one, kind.completion(kind.solve(one))) for one in islice(kind.problems(9), 40)]
    _lines(
        home.folder / "tasks" / "sums.jsonl",
        [
            {"prompt": one.prompt, "answer": one.answer, "subject": f"{len(one.prompt)} signs"}
            for one in kind.suite(11, 30)
        ],
    )
    _lines(
        tmp_path / "experts.jsonl",
        [{"prompt": one.prompt, "completion": text} for one, text in solved],
    )
    ref = Artifacts(home.artifacts).put_file(tmp_path / "experts.jsonl")
    good = registered(home, adder, "good").model_copy(
        update={"made": (Artifact(kind="rows", sha256=ref.sha256, size=ref.size),)}
    )
    wanted = VerificationRequested(role="sums", suites=("fixed", "examples", "task.sums"))
    found = asyncio.run(played(home, Settings(), ((ROLE, POLICY, good), 1), ((wanted,), 2)))
    verified = of(found, "ModelVerified")[-1]
    by_suite = {one.suite: one for one in verified.suites}
    assert by_suite["fixed"].compared == "itself"
    assert by_suite["task.sums"].score.n == 30
    assert 0 < by_suite["task.sums"].score.value < 1
    assert (verified.examples.valid, by_suite["examples"].score.n) == (40, 40)
    assert not of(found, "RegressionDetected")  # it is what it was


def _lines(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
