"""`ratchet demo` as a newcomer types it: a model is really made better, and the history agrees."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.house.source import ROOT
from tests.proofs import demo_seeds as seeds
from tests.proofs.demo_seeds import SEEDS

RATCHET = (sys.executable, "-m", "infra.cli.main")


def played(home: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [*RATCHET, "--home", str(home), "demo", "--json", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=1500, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def asked(home: Path, *words: str) -> Any:
    done = subprocess.run(
        [*RATCHET, "--home", str(home), *words, "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_a_model_is_made_better_on_this_machine_and_history_agrees(tmp_path: Path) -> None:
    home = tmp_path / "home"
    code, told, said = played(home, "--seed", "5")
    assert code == 0, said[-3000:]
    assert told["status"] == "completed"
    assert (told["pipeline"], told["seed"]) == ("srl_rlvr", 5)
    assert told["improvement"]["low"] > 0
    assert told["final"]["value"] > told["baseline"]["value"]
    names = [stage["name"] for stage in told["stages"]]
    assert names == ["data", "baseline", "srl", "rlvr", "verify"]
    kl = [
        check
        for stage in told["stages"]
        for check in (stage["gate"] or {"checks": []})["checks"]
        if check["metric"] == "kl"
    ]
    assert len(kl) == 2
    assert all(check["value"] > 0 and check["n"] >= 100 for check in kl)  # measured, not assumed
    assert told["audit"] == {**told["audit"], "chain": "intact", "differences": 0}
    assert "srl: gate pass" in said
    page = Path(told["report"])
    assert "polyline" in page.read_text()
    card = (page.parent / "model_card.md").read_text()
    assert "Made by run" in card
    shown = asked(home, "runs", "show", told["run"])
    assert shown["candidate"]["kind"] == "policy"
    assert asked(home, "audit")["differences"] == []
    (registered,) = asked(home, "events", "list", "--type", "CandidateRegistered")["events"]
    assert registered["data"]["model"] == shown["candidate"]
    assert asked(home, "why", str(registered["position"]))["causes"]


def test_a_pipeline_that_is_not_there_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    done = subprocess.run(
        [*RATCHET, "--home", str(tmp_path), "demo", "--pipeline", "dop"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "did you mean 'dpo'?" in done.stderr
    assert not (tmp_path / "log.db").exists()


@pytest.mark.proof
@pytest.mark.parametrize("seed", SEEDS)
def test_every_seed_ends_surely_better(seed: int) -> None:
    """Behind the last one the table of all is written into `benchmarks/results`."""
    one = seeds.played(seed)
    assert one["code"] == 0, one["said"]
    line = seeds.row(one)
    print(line)
    assert line["improvement"]["low"] > 0
    assert line["audit_differences"] == 0
    assert line["gates"]["passed"] == line["gates"]["of"] == 5
    assert all(0 < value <= 0.1 for value in line["gates"]["kl"].values())
    if seed == SEEDS[-1]:
        seeds.kept(seeds.row(seeds.played(one)) for one in SEEDS)


@pytest.mark.proof
@pytest.mark.parametrize("pipeline", ["dpo", "srf"])
def test_preferences_are_learned_behind_every_gate(tmp_path: Path, pipeline: str) -> None:
    code, told, said = played(tmp_path / "home", "--pipeline", pipeline, "--seed", "1")
    print({name: told[name] for name in ("seconds", "baseline", "final", "improvement")})
    assert code == 0, said[-3000:]
    assert len(told["stages"]) == 7
    judged = [stage["name"] for stage in told["stages"] if stage["gate"]]
    assert set(judged) >= {"prepare", "pairs", "optimise", "iterate", "evaluate"}
    assert told["improvement"]["low"] > 0
