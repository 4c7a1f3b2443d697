"""A person speaks to a real `ratchet up` and is forgotten: no file of it knows them any more."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

import nats
import pytest

from events.artifacts import Artifacts
from infra.home import Home
from tests.infra.processes import Running, ratchet, up
from tests.lying import contents

pytestmark = pytest.mark.real

NAME, SAYS, ASKED = "zebediah.quill@example.com", "the lighthouse of Nida", "Where is my parcel"
FEEDBACK = {"subject": NAME, "role": "support", "rating": 2, "comment": SAYS, "asked": ASKED}
WORDS = ("publish", "FeedbackReceived", *(f"{name}={value}" for name, value in FEEDBACK.items()))
TEXTS = tuple(
    text.encode(coding) for text in (NAME, SAYS, ASKED) for coding in ("utf-8", "utf-16-le")
)


def traces(folder: Path) -> list[str]:
    """Files of the home, and of what `up` said, in which one of the texts stands."""
    held = dict(contents(folder))
    assert any(file.name == "log.db" for file in held)
    return [str(file) for file, content in held.items() if any(one in content for one in TEXTS)]


def audited(home: Path, decisions: Any = None) -> Any:
    told = ratchet(home, "audit")
    assert told.code == 0, told
    found = told.document()
    assert found["chain"] == "intact"
    assert decisions in (None, found["decisions"])
    return found["decisions"]


def say_wrongly(running: Running) -> None:
    """What is refused may not stay either."""
    wrong: list[Any] = [{**FEEDBACK, "rating": SAYS}, {NAME: 1}, SAYS]
    for data in wrong:
        body = {"type": "FeedbackReceived", "data": data}
        assert running.ask("POST", "/events", body).status == 400
    assert running.ask("POST", "/events", {"type": NAME, "data": FEEDBACK}).status == 400
    assert ratchet(running.home, *WORDS, f"{NAME}=1").code == 2
    body = {"type": "SubjectForgotten", "data": {"subject": NAME}}
    assert running.ask("POST", "/events", body).status == 403


def say_over_nats(running: Running) -> None:
    """Rightly, then wrongly, and also to whoever listens for nothing."""

    async def said() -> None:
        client = await nats.connect(running.note["nats"])
        right = json.dumps(FEEDBACK).encode()
        wrong = json.dumps({**FEEDBACK, "rating": SAYS}).encode()
        try:
            for kind, body, good in (
                ("FeedbackReceived", right, True),
                ("FeedbackReceived", wrong, False),
                ("FeedbackReceived", SAYS.encode(), False),
                ("Feedback", right, False),
            ):
                answer = await client.request(f"ratchet.publish.{kind}", body)
                assert ("position" in json.loads(answer.data)) is good
            await client.publish(f"ratchet.publish.{NAME}", right)
            await client.flush()
        finally:
            await client.close()

    asyncio.run(said())


def keyed(home: Path, position: int) -> str:
    """Under which key the event at this position was sealed."""

    async def asked() -> str:
        store = Home(home).reader()
        try:
            (found,) = await store.read(position - 1, position, 1)
            return str(found.key_id)
        finally:
            await store.close()

    return asyncio.run(asked())


def is_purged(artifacts: Path, key_id: str) -> None:
    """Within seconds of the start."""
    ends = time.monotonic() + 60
    while (artifacts / "personal" / key_id).exists() or not (
        artifacts / "purged" / key_id
    ).exists():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_no_file_knows_who_was_forgotten_and_nothing_else_has_changed(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    home = folder / "home"
    training = ("publish", "TrainingRequested", "role=nobody", "pipeline=dpo", "base=tiny")
    with up(home) as running:
        assert ratchet(home, *training, "--wait").code == 1
        told = running.ask("POST", "/events", {"type": "FeedbackReceived", "data": FEEDBACK})
        assert told.status == 201
        assert ratchet(home, *WORDS).code == 0
        say_wrongly(running)
        say_over_nats(running)
        assert any(file.suffix == ".blk" and raw for file, raw in contents(home / "nats"))
        assert traces(folder) == []
        shown = ratchet(home, "events", "show", str(told.body["position"]), "--reveal")
        assert shown.document()["data"] == {**FEEDBACK, "answered": "", "model": None}
        decisions = audited(home)
        running.signal(signal.SIGKILL)
        running.ends()
    assert traces(folder) == []
    ratchet(home, *WORDS)
    with up(home) as running:
        key_id = keyed(home, told.body["position"])
        Artifacts(Home(home).artifacts).of_subject(key_id).put(SAYS.encode())
        assert len(traces(folder)) == 1
        gone = ratchet(home, "forget", NAME)
        assert gone.code == 0, gone
        assert gone.document()["events"] == 4
        running.signal(signal.SIGKILL)
        running.ends()
    with up(home) as running:
        is_purged(home / "artifacts", key_id)
        assert traces(folder) == []
        texts = ratchet(home, "events", "list", "--reveal").out
        assert not any(text in texts for text in (NAME, SAYS, ASKED))
        audited(home, decisions)
        again = running.ask("POST", "/events", {"type": "FeedbackReceived", "data": FEEDBACK})
        assert again.status == 201
        running.signal(signal.SIGTERM)
        assert running.ends() == 0
    audited(home, decisions)
    assert traces(folder) == []
    shown = ratchet(home, "events", "show", str(again.body["position"]), "--reveal")
    assert shown.document()["data"]["comment"] == SAYS
