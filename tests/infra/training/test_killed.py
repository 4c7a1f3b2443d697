"""Kill -9 of everything at random moments: a run ends as it would have, nothing is done twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from events.catalog.gates import (
    CandidateRegistered,
    GateFailed,
    GatePassed,
    IterationDecided,
    RemedyApplied,
    RunRolledBack,
)
from events.catalog.training import (
    RunAbandoned,
    RunCompleted,
    StageCompleted,
    StageFailed,
    StageRequested,
)
from infra.home import Home
from tests.infra.training.conftest import FEW, Spoiled
from tests.infra.training.killing import PROC, Storm, Who
from tests.infra.training.small import Asked, Ended, begun, ended, true

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (PROC / "self").exists(), reason="who started whom is read in /proc"),
]

DECIDED = (
    StageRequested, GatePassed, GateFailed, RemedyApplied, RunRolledBack, IterationDecided,
    RunCompleted, RunAbandoned, CandidateRegistered,
)  # fmt: skip
OF_THE_RUN = {"run", "model", "made", "inputs", "artifacts", "model_type"}
"""What bears the run's own name, or holds a hash of something that does."""


def decisions(run: Ended) -> list[tuple[str, Mapping[str, Any]]]:
    """What was decided in this run, with the figures that it was decided by."""
    wanted = {kind.wire for kind in DECIDED}
    return [
        (one.type, {k: v for k, v in one.event().model_dump().items() if k not in OF_THE_RUN})
        for one in run.events
        if one.type in wanted
    ]


def jobs(home: Home, run: Ended) -> dict[str, Path]:
    """By what they do and their seeds, which are the same in every home."""
    found = {}
    for folder in (home.folder / "work" / "training" / "jobs").glob(f"{run.run}-*"):
        name = folder.name.partition("-")[2].rpartition("-")[0]
        found[f"{name} {json.loads((folder / 'spec.json').read_text())['seed']}"] = folder
    return found


def weights(home: Home, run: Ended) -> dict[str, str]:
    """Of each model that was trained, the hash of its weights."""
    found = {}
    for name, folder in jobs(home, run).items():
        made = json.loads((folder / "manifest.json").read_text())["files"]
        if "model/model.safetensors" in made:
            found[name] = made["model/model.safetensors"]["sha256"]
    return found


def weathered(
    calm: Home, wanted: Ended, folder: Path, path: str, asked: Asked, seed: int,
    strikes: Sequence[tuple[Who, float]],
) -> None:  # fmt: skip
    """The same run with kills as without: what must be alike, and what must not be there."""
    wild = Home(folder / "wild" / "home")
    wild.folder.mkdir(parents=True)
    runs = asyncio.run(begun(wild, [asked]))
    storm = Storm(wild, seed, path)
    try:
        for who, within in strikes:
            if not storm.over(1):
                storm.strike(who, within)
        storm.calm(1, 900)
    finally:
        storm.stop()
    (found,) = asyncio.run(true(wild, runs))
    print(f"\n{storm.kills} kills: {'; '.join(storm.moments)}; {len(found.events)} events")
    assert storm.kills == len(strikes), "the run was over before: let the strikes come sooner"
    assert decisions(found) == decisions(wanted)
    assert jobs(wild, found).keys() == jobs(calm, wanted).keys()
    assert weights(wild, found) == weights(calm, wanted)
    each_once(wild, found)


def each_once(home: Home, run: Ended) -> None:
    """Every request has one outcome, and no training has an end that was not the first."""
    asked = [(one.stage, one.attempt) for one in run.all(StageRequested)]
    ends = [(one.stage, one.attempt) for one in run.all(StageCompleted)]
    ends += [(one.stage, one.attempt) for one in run.all(StageFailed)]
    assert max(Counter(asked).values()) == max(Counter(ends).values()) == 1
    for name, folder in jobs(home, run).items():
        steps = [json.loads(line)["step"] for line in _lines(folder / "metrics.jsonl")]
        assert steps == sorted(set(steps)), f"{name} was trained twice: {steps}"
        began = [json.loads(line) for line in _lines(folder / "starts.jsonl")]
        assert [one["from"] for one in began] == sorted(one["from"] for one in began), name


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def test_three_kills_change_nothing(tmp_path: Path, path: str, spoiled: Spoiled) -> None:
    strikes: list[tuple[Who, float]] = [("all", 7.0), ("training", 1.0), ("keeping", 0.0)]
    weathered(spoiled.home, spoiled.few, tmp_path, path, FEW, 20261121, strikes)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(6))
def test_thirty_kills_change_nothing(tmp_path: Path, path: str, seed: int) -> None:
    """Five of them in each of six runs, of all pipelines, at moments of all kinds."""
    who: list[Who] = ["all", "training", "keeping", "owner", "all"]
    strikes = [(one, 8.0) for one in who[seed % 5 :] + who[: seed % 5]]
    pipeline = ("dpo", "srf", "srl_rlvr")[seed % 3]
    kind = "arithmetic_reasoning" if pipeline == "srl_rlvr" else "sound_replies"
    asked = Asked("some", kind, pipeline, seed)
    calm = Home(tmp_path / "calm" / "home")
    calm.folder.mkdir(parents=True)
    (wanted,) = asyncio.run(ended(calm, asked))
    weathered(calm, wanted, tmp_path, path, asked, seed, strikes)
