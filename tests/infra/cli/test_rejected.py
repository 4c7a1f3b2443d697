"""`ratchet rejected`: what was refused or given up is listed, shown, and tried again; and the
AsyncAPI document is printed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from events.envelope import Envelope
from events.memory import MemoryStore
from events.store import append
from infra.rejected import Rejected
from tests.events.messages import Noted
from tests.infra.cli.saying import document, refused, said
from tests.infra.cli.test_help import HEAVY, loaded
from tests.infra.processes import ratchet, up

DENIED = {"what": "this takes a token", "where": "token", "right": "one"}
WRONG = {"what": "'role' may not be 7", "where": "role", "right": "a name"}
DATA = {"role": "nobody", "pipeline": "dpo", "base": "tiny"}
ID = "01a1fd4d-a5a8-7acb-87b3-db439c6b2612"


def told(home: Path) -> dict[str, str]:
    """One of each sort is kept; their ids."""
    home.mkdir(exist_ok=True)
    kept = Rejected(home)
    kept.keep("nats", DENIED, json.dumps(DATA).encode(), "TrainingRequested", ID)
    message = {"type": "TrainingRequested", "data": {**DATA, "role": 7}}
    kept.keep("http", WRONG, json.dumps(message).encode())
    kept.keep("token:crm", DENIED, b'{"subject": "ann"}', "FeedbackReceived")
    return dict(zip(("good", "wrong", "person"), (one["id"] for one in kept.all()), strict=True))


async def noted() -> Envelope:
    store = MemoryStore()
    (one,) = await append(store, Noted(about="a"))
    await store.close()
    return one


def test_an_empty_home_has_nothing_and_nothing_is_made_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert document(home, "rejected", "list") == {"rejected": [], "older": 0}
    assert said(home, "rejected", "list").out == "There is nothing.\n"
    refused(said(home, "rejected", "show", "x"), 3, "no message 'x' is kept here")
    refused(said(home, "rejected", "retry", "x"), 3, "no message 'x' is kept here")
    assert not home.exists()


def test_what_was_refused_is_listed_without_its_body_and_shown_with_it(tmp_path: Path) -> None:
    ids = told(tmp_path)
    listed = document(tmp_path, "rejected", "list")["rejected"]
    assert [one["id"] for one in listed] == list(ids.values())
    assert all("body" not in one for one in listed)
    text = said(tmp_path, "rejected", "list").out.splitlines()
    assert len(text) == 4
    for part in (ids["wrong"], "refused", "TrainingRequested", "http", "'role' may not be 7"):
        assert part in text[2]
    newest = document(tmp_path, "rejected", "list", "--limit", "1")
    assert [one["id"] for one in newest["rejected"]] == [ids["person"]]
    assert newest["older"] == 2
    assert "--limit 3" in said(tmp_path, "rejected", "list", "--limit", "1").out
    shown = document(tmp_path, "rejected", "show", ids["good"])
    assert json.loads(shown["body"]) == DATA
    assert (shown["actor"], shown["event_id"], shown["reason"]) == ("nats", ID, DENIED)
    assert "ann" not in said(tmp_path, "rejected", "show", ids["person"]).out


def test_a_message_that_is_right_by_now_is_published_once_and_leaves_the_list(
    tmp_path: Path,
) -> None:
    ids = told(tmp_path)
    first = document(tmp_path, "rejected", "retry", ids["good"])
    assert (first["event_id"], first["type"], first["kind"]) == (ID, "TrainingRequested", "refused")
    again = document(tmp_path, "rejected", "retry", ids["good"])
    assert again == first
    (event,) = document(tmp_path, "events", "list", "--type", "TrainingRequested")["events"]
    assert (event["event_id"], event["actor"]) == (ID, "cli")
    left = document(tmp_path, "rejected", "list")["rejected"]
    assert [one["id"] for one in left] == [ids["wrong"], ids["person"]]
    whole = document(tmp_path, "rejected", "list", "--all")["rejected"]
    assert whole[0]["retried"]["position"] == first["position"]
    assert "refused, tried again" in said(tmp_path, "rejected", "list", "--all").out


def test_what_is_still_wrong_or_was_not_kept_is_told_in_one_sentence(tmp_path: Path) -> None:
    ids = told(tmp_path)
    refused(said(tmp_path, "rejected", "retry", ids["wrong"]), 2, "(role)", "may not be 7")
    person = said(tmp_path, "rejected", "retry", ids["person"])
    refused(person, 3, "nothing of this message was kept", "let 'token:crm' send it again")
    assert document(tmp_path, "events", "list")["events"] == []
    assert len(document(tmp_path, "rejected", "list")["rejected"]) == 3


async def test_what_was_given_up_asks_for_a_running_owner(tmp_path: Path) -> None:
    entry = Rejected(tmp_path).give_up("RATCHET", "mail", 1, 5, "ValueError: no", await noted())
    assert "mail" in said(tmp_path, "rejected", "list").out.splitlines()[1]
    refused(said(tmp_path, "rejected", "retry", entry["id"]), 4, "no owner", "`ratchet up`")
    shown = document(tmp_path, "rejected", "show", entry["id"])
    assert (shown["kind"], shown["deliveries"], shown["position"]) == ("given up", 5, 1)


@pytest.mark.real
async def test_an_owner_publishes_and_one_without_nats_says_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ids = told(home)
    entry = Rejected(home).give_up("RATCHET", "mail", 1, 5, "ValueError: no", await noted())
    with up(home, RATCHET__NATS__SERVER="none") as owner:
        done = ratchet(home, "rejected", "retry", ids["good"])
        assert done.code == 0, done
        shown = owner.ask("GET", f"/events/{done.document()['position']}").body
        assert (shown["event_id"], shown["actor"]) == (ID, "cli")
        without = ratchet(home, "rejected", "retry", entry["id"])
        assert without.code == 4
        assert "this owner has no NATS" in without.err


def test_the_asyncapi_document_needs_no_home_and_nothing_heavy(tmp_path: Path) -> None:
    home = tmp_path / "none"
    whole = document(home, "events", "asyncapi")
    assert whole["asyncapi"] == "3.0.0"
    assert json.loads(said(home, "events", "asyncapi").out) == whole
    assert "publish.TrainingRequested" in whole["operations"]
    assert not loaded("--home", str(home), "events", "asyncapi") & (HEAVY | {"yaml", "sqlite3"})
    assert not home.exists()
