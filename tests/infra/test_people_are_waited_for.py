"""Who waits for pairs that people score: told what is waited for, and of the end when they have."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from uuid import uuid4

from tests.infra.cli.saying import document, said
from tests.infra.processes import RATCHET, ROOT, environment, ratchet

PROFILE = {"name": "desk", "purpose": "Answer.", "model_type": "support_replies"}
ASKED = ("DataRequested", "role=desk", "kind=pairs", "quantity=3", "scorer=people", "seed=3")


def test_the_end_is_seen_when_people_have_answered_and_till_then_it_is_told_what_waits(
    tmp_path: Path,
) -> None:
    home, same = tmp_path / "home", str(uuid4())
    document(home, "publish", "RoleDefined", "role=desk", f"profile={json.dumps(PROFILE)}")
    line = [*RATCHET, "--home", str(home), "--json", "publish", *ASKED, "--id", same]
    waits = subprocess.Popen(
        [*line, "--wait", "50"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        queue = _queue(home)
        late = said(home, "publish", *ASKED, "--id", same, "--wait", "0.1", "--json")
        for item in range(1, 5):
            document(home, "review", "answer", queue, str(item), "a")
    finally:
        out, err = waits.communicate(timeout=60)
    assert late.code == 4
    assert "people have not answered within 0.1 s" in late.err
    assert f"`ratchet review list {queue}`" in late.err
    assert json.loads(late.out)["waits_for"] == {"review": queue, "count": 4}
    assert (waits.returncode, json.loads(out)["outcome"]["type"]) == (0, "DatasetAccepted")
    assert f"4 pairs wait for people, `ratchet review list {queue}`" in err


def test_so_is_the_end_when_nobody_has_answered_in_time(tmp_path: Path) -> None:
    home = tmp_path / "home"
    document(home, "publish", "RoleDefined", "role=desk", f"profile={json.dumps(PROFILE)}")
    policy = json.dumps({"agent": "data_generator", "people_hours": 0.0002})
    document(home, "publish", "PolicyAdopted", f"policy={policy}")
    ended = ratchet(home, "publish", *ASKED, "--wait", "50")
    assert ended.code == 1
    assert "nobody has answered" in ended.document()["outcome"]["data"]["reason"]


def _queue(home: Path) -> str:
    ends = time.monotonic() + 40
    while time.monotonic() < ends:
        for one in document(home, "review", "list")["reviews"]:
            return str(one["review"])
        time.sleep(0.2)
    raise AssertionError("no queue was opened")
