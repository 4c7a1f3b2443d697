"""`models.embedder: local` from the settings on: knowledge and memories found in other words."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infra.embedders import PROCESS
from infra.recalling import AWAY, LATE, NO_EMBEDDER
from tests.infra.cli.saying import document
from tests.infra.processes import Running, up
from trainers.embedding.weights import ID

FACTS = (
    "Parcels to Norway take six days, because they pass the customs.",
    "The night shift restarts the label printer when it jams.",
)
MEMORY = "Refunds arrive within thirty days."
ROLE = "name: support\npurpose: Answers on orders.\nmodel_type: chat\n"
LOCAL = {"RATCHET__MODELS__EMBEDDER": "local"}


def test_what_is_said_in_other_words_is_found_and_what_is_personal_goes(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "support.yaml").write_text(ROLE)
    document(home, "roles", "apply", "support.yaml", cwd=tmp_path)
    document(home, "memories", "tell", "support", MEMORY, "--wait")
    asked = "When do customers get their money back?"
    plain = document(home, "memories", "recall", "support", asked)
    assert (plain["items"], plain["degraded"], plain["by"]) == ([], NO_EMBEDDER, "bm25")
    with up(home, **LOCAL) as running:
        for text in FACTS:
            running.ask("POST", "/events", {"type": "KnowledgeAdded", "data": {"text": text}})
        found = _until(running, "/knowledge/search?text=delivery+to+Scandinavia")
        assert (found["embedder"], found["hits"][0]["text"]) == (ID, FACTS[0])
        recall = f"/memories/recall?role=support&text={quote(asked)}"
        found = _until(running, recall)
        assert [one["text"] for one in found["items"]] == [MEMORY]
        assert found["by"] == f"{ID}+bm25"
        assert running.ask("GET", f"{recall}&reveal=true").status == 403
        assert running.ask("GET", "/memories/recall?role=nobody&text=x").status == 404

        told = {"role": "support", "subject": "ann", "text": "Ann lives in Oslo."}
        running.ask("POST", "/events", {"type": "PersonalMemoryProposed", "data": told})
        ask = "/memories/recall?role=support&text=In+which+city+is+her+home&reveal=true"
        token = running.note["token"]
        found = _until(running, ask, token, lambda one: bool(one["items"]))
        assert found["items"][0]["text"] == told["text"]
        (file,) = (home / "knowledge" / "memories").glob("*.vectors")
        whole = file.stat().st_size
        document(home, "forget", "ann", "--yes")
        _wait(lambda: file.stat().st_size < whole)

        (child,) = _children(running)
        os.kill(child, signal.SIGKILL)
        found = _until(running, recall, enough=lambda one: one["degraded"] in ("", AWAY, LATE))
        found = _until(running, recall)
        assert [one["text"] for one in found["items"]] == [MEMORY]
        (child,) = _children(running)
        running.signal(signal.SIGKILL)
        running.ends()
        _wait(lambda: not Path(f"/proc/{child}").exists())


def _children(running: Running) -> list[int]:
    """The embedders that were begun by it."""
    return [
        int(one.name)
        for one in Path("/proc").iterdir()
        if one.name.isdigit() and _is_child(one, running.process.pid)
    ]


def _is_child(process: Path, parent: int) -> bool:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
        parents = (process / "stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        return False
    return PROCESS.encode() in words and int(parents) == parent


def _until(
    running: Running,
    path: str,
    token: str = "",
    enough: Any = lambda one: one.get("degraded") == "",
) -> Any:
    ends = time.monotonic() + 120
    while True:
        answer = running.ask("GET", path, token=token).body
        if "error" not in answer and enough(answer):
            return answer
        assert time.monotonic() < ends, json.dumps(answer)[:500]
        time.sleep(0.1)


def _wait(condition: Any) -> None:
    ends = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)
