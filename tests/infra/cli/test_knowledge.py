"""`ratchet knowledge`, beside a running owner and without one, and what survives kill -9."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from events.catalog.knowledge import KnowledgeAdded
from events.store import append
from infra.home import Home
from tests.infra.cli.saying import document, refused, said
from tests.infra.processes import Running, up

NORWAY = "Parcels to Norway take six days, because they pass the customs."
REFUND = "A refund above 500 EUR needs the approval of a second person."
HITS = {"id", "score", "text", "source_event", "tags"}
MANY = 3000


def add(home: Path) -> dict[str, Any]:
    """Two facts; the receipt of the second."""
    document(home, "knowledge", "add", REFUND, "--kind", "rule", "--role", "support")
    found: dict[str, Any] = document(home, "knowledge", "add", NORWAY, "--tag", "norway")
    return found


def searched(home: Path, *words: str) -> list[dict[str, Any]]:
    found = document(home, "knowledge", "search", *words)
    assert found["embedder"]
    assert all(found_one.keys() >= HITS for found_one in found["hits"])
    hits: list[dict[str, Any]] = found["hits"]
    return hits


def test_what_was_added_is_found_and_cites_its_event(tmp_path: Path) -> None:
    home = tmp_path / "home"
    receipt = add(home)
    (best, *_) = searched(home, "how long to norway?")
    assert best["text"] == NORWAY
    assert best["tags"] == ["norway"]
    assert best["source_event"] == receipt["event_id"]
    cited = document(home, "events", "show", best["source_event"])
    assert cited["data"]["text"] == NORWAY
    assert document(home, "knowledge", "stats")["points"] == 2
    assert receipt["event_id"] in said(home, "knowledge", "search", "norway").out
    assert [one["text"] for one in searched(home, "x", "--kind", "rule")] == [REFUND]


def test_a_home_without_a_log_knows_nothing_and_stays_so(tmp_path: Path) -> None:
    home = tmp_path / "none"
    found = document(home, "knowledge", "search", "anything")
    assert found["hits"] == []
    assert document(home, "knowledge", "stats")["points"] == 0
    assert not home.exists()


def test_a_file_is_added_whole_or_not_at_all_and_once(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "facts.jsonl"
    rows = [{"text": NORWAY, "tags": ["norway"]}, {"text": REFUND, "valid_to": "2020-01-01T00:00Z"}]
    file.write_text("\n".join(map(json.dumps, rows)))
    for _ in range(2):
        assert document(home, "knowledge", "add", "--file", str(file))["added"] == 2
    assert _added(home) == [1, 2]
    assert [one["text"] for one in searched(home, "refund norway")] == [NORWAY]
    then = searched(home, "refund norway", "--at", "2019-01-01T00:00:00Z")
    assert {one["text"] for one in then} == {NORWAY, REFUND}
    file.write_text('{"text": "fine"}\n{"txt": "wrong"}\n')
    refused(said(home, "knowledge", "add", "--file", str(file)), 2, "facts.jsonl, line 2", "text")
    assert _added(home) == [1, 2]


def _added(home: Path) -> list[int]:
    """The positions of what was added."""
    listed = document(home, "events", "list", "--type", "KnowledgeAdded")["events"]
    return [one["position"] for one in listed]


@pytest.mark.parametrize(
    ("name", "body", "wrong"),
    [
        ("facts.jsonl", b'["a list"]\n', "line 1"),
        ("facts.txt", b'[{"text": "one"}, {"text": "two"}]', "one a line"),
        ("facts.txt", b'[\n  {"text": "one"}\n]', "line 1"),
        ("facts.jsonl", b'{"text": "x", "valid_from": "2026-02-01T00:00Z", "valid_to": '
                        b'"2026-01-01T00:00Z"}', "line 1: valid_to"),
    ],
)  # fmt: skip
def test_a_file_that_is_meant_otherwise_is_not_taken_for_a_text(
    tmp_path: Path, name: str, body: bytes, wrong: str
) -> None:
    file = tmp_path / name
    file.write_bytes(body)
    refused(said(tmp_path / "home", "knowledge", "add", "--file", str(file)), 2, wrong)
    assert not (tmp_path / "home").exists()


def test_a_mark_of_the_order_of_bytes_is_no_part_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"text": NORWAY}).encode() + b"\r\n")
    document(tmp_path / "home", "knowledge", "add", "--file", str(file))
    assert searched(tmp_path / "home", "norway")[0]["text"] == NORWAY


def test_a_text_is_added_by_its_paragraphs(tmp_path: Path) -> None:
    file = tmp_path / "handbook.txt"
    file.write_text(f"{NORWAY}\n\n\n{REFUND}\nIt is asked for in writing.\n")
    assert document(tmp_path / "home", "knowledge", "add", "--file", str(file))["added"] == 2
    (best, *_) = searched(tmp_path / "home", "refund in writing")
    assert best["text"] == f"{REFUND}\nIt is asked for in writing."
    assert best["source"] == str(file)


def test_what_is_wrong_is_told_in_a_sentence(tmp_path: Path) -> None:
    for words, code, part in (
        (("search", " "), 2, "nothing is asked"),
        (("search", b"\xff"), 2, "UTF-8"),
        (("search", "x", "--at", "yesterday"), 2, "no time"),
        (("search", "x", "--limit", "1000"), 2, "limit"),
        (("search", "x", "--role", "no role"), 2, "role"),
        (("add",), 2, "TEXT or --file"),
        (("add", "x" * 9000), 2, "text"),
        (("add", "--file", "/none"), 3, "no such file"),
    ):
        refused(said(tmp_path / "home", "knowledge", *words), code, part)


def test_the_same_commands_work_beside_an_owner(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as running:
        receipt = add(home)
        (best, *_) = searched(home, "how long to norway?")
        assert best["source_event"] == receipt["event_id"]
        said_so = running.ask(
            "POST", "/events", {"type": "KnowledgeAdded", "data": {"text": "Zebra."}}
        )
        asked = running.ask("GET", "/knowledge/search?text=zebra")
        assert asked.body["hits"][0]["source_event"] == said_so.body["event_id"]
        assert running.ask("GET", "/knowledge").body["points"] == 3
        assert document(home, "knowledge", "rebuild")["generation"].endswith("_2")
        assert searched(home, "how long to norway?")[0]["id"] == best["id"]


def test_who_may_ask_is_asked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    data = {"subject": "customer-1", "text": "Prefers to be called in the evening."}
    with up(home) as running:
        running.ask("POST", "/events", {"type": "PersonalKnowledgeAdded", "data": data})
        admin = running.note["token"]
        path = "/knowledge/search?text=evening"
        assert running.ask("GET", path).body["hits"] == []
        assert running.ask("GET", f"{path}&personal=true").status == 403
        (hit,) = running.ask("GET", f"{path}&personal=true", token=admin).body["hits"]
        assert hit["text"] == data["text"]
        assert running.ask("POST", "/knowledge/rebuild").status == 403
        assert running.ask("GET", path, token="wrong").status == 401
        assert running.ask("GET", "/knowledge/search").status == 400
        assert running.ask("GET", "/knowledge/search?text=" + quote("x" * 9000)).status == 400
        assert running.ask("GET", "/knowledge/search?text=x&limit=0").status == 400
        assert running.ask("GET", "/knowledge/search?text=x&surplus=1").status == 400
        document(home, "forget", "customer-1", "--yes")
        ends = time.monotonic() + 90
        while running.ask("GET", "/knowledge").body["generation"] != _generation(home):
            assert time.monotonic() < ends
            time.sleep(0.1)
        assert running.ask("GET", f"{path}&personal=true", token=admin).body["hits"] == []


def _generation(home: Path) -> str:
    """The second generation, made because somebody was forgotten."""
    made = document(home, "events", "list", "--type", "KnowledgeGenerationMade")["events"]
    return str(made[-1]["data"]["generation"]) if len(made) > 1 else "not yet"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with many facts and no index."""
    home = Home(tmp_path_factory.mktemp("many") / "home")

    async def written() -> None:
        home.folder.mkdir()
        store = home.writer()
        for first in range(0, MANY, 500):
            facts = [fact(number) for number in range(first, first + 500)]
            await append(store, *[KnowledgeAdded(text=text) for text in facts], actor="test")
        await store.close()

    asyncio.run(written())
    return home.folder


def fact(number: int) -> str:
    return f"Shelf {number} holds part {number * 7919 % 100_003} of the machine w{number % 97}."


def whole(running: Running, seconds: float = 60) -> dict[str, Any]:
    """What there is as soon as all is in."""
    ends = time.monotonic() + seconds
    while True:
        stats = running.ask("GET", "/knowledge").body
        if stats["points"] == MANY and not stats["building"]:
            return dict(stats)
        assert time.monotonic() < ends, (stats, running.err)
        time.sleep(0.05)


def finds_all(running: Running) -> None:
    for number in (0, 1, 1234, MANY - 1):
        found = running.ask("GET", f"/knowledge/search?text={quote(fact(number))}&limit=1").body
        assert found["hits"][0]["text"] == fact(number), found


def test_killed_while_it_fills_and_while_it_is_rebuilt_nothing_is_lost(
    many: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(many, home)
    with up(home) as running:  # while it is filled for the first time
        assert _killed_while_building(running)
    with up(home) as running:
        first = whole(running)
        finds_all(running)
    shutil.rmtree(home / "knowledge" / "index")
    with up(home) as running:  # by replay, with vectors from the cache
        assert _killed_while_building(running)
    with up(home) as running:
        second = whole(running)
        finds_all(running)
        assert second["vectors"] == first["vectors"] == MANY
        running.ask("POST", "/knowledge/rebuild", token=running.note["token"])
        finds_all(running)
        assert _killed_while_building(running)
    with up(home) as running:
        whole(running)
        finds_all(running)
    assert document(home, "audit")["chain"] == "intact"
    assert len(list((home / "knowledge" / "index").glob("kb_*"))) == 1


def _killed_while_building(running: Running) -> bool:
    """Whether it was caught in the middle."""
    ends = time.monotonic() + 90
    while time.monotonic() < ends:
        building = running.ask("GET", "/knowledge").body["building"]
        if building and building["done"] > 0:
            os.kill(running.process.pid, signal.SIGKILL)
            running.process.wait()
            return True
        time.sleep(0.01)
    return False
