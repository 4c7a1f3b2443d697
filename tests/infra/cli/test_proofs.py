"""Proofs and sealed segments on the command line: made by a home, checked far from it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from events.chain import Signer
from tests.infra.cli.saying import document, kept, really, refused, said
from tests.infra.processes import ratchet, up


@pytest.fixture
def key(history: Path) -> str:
    return (history / "keys" / "head.pub").read_text().strip()


@pytest.fixture
def proof(history: Path, tmp_path: Path) -> Path:
    file = tmp_path / "proof.json"
    document(history, "prove", "3", "--to", str(file))
    return file


def test_a_proof_needs_neither_the_home_nor_the_folder_it_was_made_in(
    history: Path, proof: Path, key: str, tmp_path: Path
) -> None:
    home = tmp_path / "none"
    ended = really(home, "verify-proof", str(proof), "--key", key, cwd=tmp_path)
    assert ended.code == 0, ended
    assert ended.out.startswith("It holds: ")
    assert f"The key is {key}, as given." in ended.out
    assert not home.exists()
    [event] = document(history, "events", "list", "--after", "2", "--limit", "1")["events"]
    told = document(home, "verify-proof", str(proof), "--key", str(history / "keys" / "head.pub"))
    assert told == {
        "holds": True,
        "reason": "",
        "position": 3,
        "event_id": event["event_id"],
        "type": event["type"],
        "head": document(history, "audit")["head"]["position"],
        "key": key,
    }


def test_an_event_is_named_by_its_position_or_its_id(history: Path, proof: Path) -> None:
    made = json.loads(proof.read_text())
    assert document(history, "prove", made["event"]["event_id"]) == made
    assert document(history, "prove", "3") == made
    assert said(history, "prove", "3").out == proof.read_text()
    assert made["head"] == document(history, "audit")["head"]
    told = document(history, "prove", "1", "--to", str(proof))
    assert told["bytes"] == proof.stat().st_size
    for nothing in ("0", "999999", "00000000-0000-7000-8000-000000000000", "rubbish"):
        refused(said(history, "prove", nothing), 3, "there is no event")


def test_the_key_of_this_home_is_taken_where_none_is_named(
    history: Path, proof: Path, key: str, tmp_path: Path
) -> None:
    told = said(history, "verify-proof", str(proof))
    assert told.code == 0
    assert f"The key is {key}, that of this home, {history / 'keys' / 'head.pub'}" in told.out
    nowhere = said(tmp_path / "none", "verify-proof", str(proof))
    refused(nowhere, 3, "no public key", "the proof itself would prove nothing")
    assert "would prove nothing" in " ".join(said(history, "verify-proof", "--help").out.split())


def test_what_does_not_hold_ends_with_1_and_its_reason(
    history: Path, proof: Path, tmp_path: Path
) -> None:
    def told(code: int = 1, *words: str) -> Any:
        return document(history, "verify-proof", str(proof), *words, code=code)

    other = Signer.fresh().public
    assert "signed with another key" in told(1, "--key", other)["reason"]
    text = proof.read_text()
    proof.write_text(text.replace('"position":3', '"position":2'))
    assert "do not lead to the root" in told()["reason"]
    proof.write_text(text.replace('"key":"', f'"key":"{other}","was":"'))
    refused(said(history, "verify-proof", str(proof)), 2, "was")
    proof.write_text(text)
    assert told(0)["holds"]
    plain = said(tmp_path, "verify-proof", str(proof), "--key", other)
    assert plain.code == 1
    assert plain.out.startswith("It does NOT hold: its head is signed with another key")


def test_rubbish_is_told_in_a_sentence(history: Path, proof: Path, tmp_path: Path) -> None:
    check = ("verify-proof", str(proof))
    for key, code in (("none", 3), ("/", 2), (sys.executable, 2), ("ab" * 31, 3), ("\x00", 2)):
        refused(said(history, *check, "--key", key), code)
    for body in (b"", b"{}", b"[1]", b"\x00\xff" * 999, b"[" * 100_000, b'{"seal": 1}', b'"proof"'):
        proof.write_bytes(body)
        refused(said(history, *check), 2, str(proof))
    with proof.open("wb") as file:
        file.truncate(1 << 40)  # of holes: it takes no room, and is not read to its end
    refused(said(history, *check), 2, "at most")
    refused(said(history, "verify-proof", str(tmp_path / "none")), 3, "no such file")
    refused(said(history, "verify-proof", str(tmp_path)), 3, "no sealed segments")
    refused(said(history, "prove", "1", "--to", str(tmp_path)), 4, "cannot be written")
    refused(said(tmp_path / "new", "prove", "1"), 3, "the log is still empty")


def test_segments_are_sealed_checked_and_left_alone(
    history: Path, key: str, tmp_path: Path
) -> None:
    folder, before = tmp_path / "sealed", kept(history)
    assert document(history, "seal", str(folder))["sealed"] == []
    assert "Nothing new to seal" in said(history, "seal", str(folder)).out
    for until in ("5", "8"):
        [made] = document(history, "seal", str(folder), "--until", until)["sealed"]
        assert made["last"] == int(until)
    assert document(history, "seal", str(folder), "--until", "8")["kept"] == 2
    files = sorted(file.name for file in folder.iterdir())
    assert len(files) == 4
    elsewhere = tmp_path / "elsewhere"
    told = document(elsewhere, "verify-proof", str(folder), "--key", key)
    assert told == {"holds": True, "reason": "", "first": 1, "last": 8, "key": key}
    one = document(elsewhere, "verify-proof", str(folder / files[2]), "--key", key)
    assert (one["holds"], one["first"], one["last"]) == (True, 6, 8)
    lines = (folder / files[1]).read_text().splitlines()
    assert [json.loads(line)["position"] for line in lines] == [1, 2, 3, 4, 5]
    (folder / files[1]).write_text("\n".join([*lines[:2], *lines[3:], ""]))
    for place in (folder, folder / files[0]):
        told = document(elsewhere, "verify-proof", str(place), "--key", key, code=1)
        assert "other bytes than were sealed" in told["reason"]
    assert document(history, "seal", str(folder))["written_again"] == 1
    (folder / files[0]).write_text(
        (folder / files[0]).read_text().replace('"first": 1', '"first": 2')
    )
    assert not document(elsewhere, "verify-proof", str(folder), "--key", key, code=1)["holds"]
    refused(said(history, "seal", str(folder)), 1, "other segments")
    refused(said(history, "seal", str(folder), "--until", "999"), 2, "a position from 1 to")
    assert kept(history) == before


def test_nothing_is_sealed_without_the_key_of_the_home(copy: Path, tmp_path: Path) -> None:
    (copy / "keys" / "head.key").unlink()
    refused(said(copy, "seal", str(tmp_path / "sealed"), "--until", "2"), 1, "key", "backup")
    assert not (copy / "keys" / "head.key").exists()


def test_a_head_that_was_kept_by_an_earlier_version_still_counts(
    history: Path, tmp_path: Path
) -> None:
    file = tmp_path / "head.json"
    document(history, "audit", "--save-head", str(file))
    head = json.loads(file.read_text())
    assert document(history, "audit", "--head", str(file))["chain"] == "intact"
    signer = Signer.of(history / "keys")
    file.write_text(json.dumps(signer.sign(head["position"], head["hash"], "")._asdict()))
    assert document(history, "audit", "--head", str(file))["chain"] == "intact"
    old = json.loads(file.read_text())
    del old["root"]
    file.write_text(json.dumps(old))
    assert document(history, "audit", "--head", str(file))["chain"] == "intact"
    wrong = signer.sign(head["position"], head["hash"], "ab" * 32)
    file.write_text(json.dumps(wrong._asdict()))
    report = document(history, "audit", "--head", str(file), code=1)
    assert (report["broken_at"], report["reason"]) == (
        head["position"],
        "it is not what the kept head says",
    )
    file.write_text(json.dumps(head | {"root": "ab" * 32}))
    assert (
        "signature of the kept head"
        in document(history, "audit", "--head", str(file), code=1)["reason"]
    )


@pytest.mark.real
def test_beside_a_running_owner_all_of_it_works(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "proof.json"
    with up(home) as owner:
        for _ in range(5):
            owner.ask("POST", "/events", {"type": "AgentPaused", "data": {"agent": "trainer"}})
        assert ratchet(home, "prove", "2", "--to", str(file)).code == 0
        assert ratchet(home, "seal", str(tmp_path / "sealed"), "--until", "3").code == 0
        assert ratchet(home, "verify-proof", str(file)).document()["holds"]
        assert ratchet(home, "verify-proof", str(tmp_path / "sealed")).document()["last"] == 3


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
def test_a_program_in_another_language_agrees(proof: Path, key: str) -> None:
    program = Path(__file__).parents[2] / "events" / "verify_proof.mjs"
    ran = subprocess.run(["node", program, proof, key], capture_output=True, check=False)
    assert (ran.stdout, ran.returncode) == (b"holds\n", 0)
