"""Verification by a worker far away: only where its place of artifacts is the owner's."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from events.artifacts import Artifacts
from events.catalog.roles import RoleDefined
from tests.infra.far import owned, until
from trainers.model_types import model_type

pytestmark = pytest.mark.real

KIND = model_type(RoleDefined.example["profile"]["model_type"])


def test_who_shares_the_artifacts_verifies_and_whose_place_is_another_says_so(
    tmp_path: Path,
) -> None:
    with owned(tmp_path) as owner:
        home = owner.running.home
        rows = [{**one._asdict(), "completion": KIND.completion(KIND.solve(one))}
                for one in islice(KIND.problems(3), 20)]  # fmt: skip
        kept = Artifacts(str(home / "artifacts")).put(
            "".join(json.dumps(one) + "\n" for one in rows).encode()
        )
        astray = owner.hire(artifacts=str(tmp_path / "elsewhere"))
        until(lambda: "of rehearsals alone" in astray.err)
        assert "another place than the owner's, its mark is not there" in astray.err
        examples = {"kind": "rows", "sha256": kept.sha256, "size": kept.size}
        wanted = {"role": "support", "suites": ["examples"], "examples": examples}
        body = {"type": "VerificationRequested", "data": wanted}
        assert owner.running.ask("POST", "/events", body).status == 201
        owner.train()
        until(lambda: owner.told("RunCompleted"))  # the one astray is of some use all the same
        assert owner.told("ModelVerified") == []
        token = owner.tokens.add("gpu-2", ("worker",))
        near = owner.hire(token=token, artifacts=f"file://{home / 'artifacts'}")
        until(lambda: owner.told("VerificationJudged"), 60)
        (verified,) = owner.told("ModelVerified")
        assert verified["actor"] == "worker:token:gpu-2"
        assert verified["data"]["examples"] == {"valid": 20, "invalid": {}}
        assert "Traceback" not in near.err + astray.err
