"""The programs of the README run as they stand there, and are told what is wrong with a message."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.processes import ROOT, Running, environment, ratchet, up

pytestmark = pytest.mark.real

README = (ROOT / "README.md").read_text()
NPM = "nats@2.29.3"
SUBJECT = re.compile(r"ratchet\.events\.(\w+)\.\d\d$")


def program(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A folder with a home in which the role of the README is known, and its owner."""
    folder = tmp_path_factory.mktemp("programs")
    home = folder / ".ratchet"
    init = subprocess.run(
        [sys.executable, "-m", "infra.cli.main", "init", "--home", str(home)],
        cwd=folder, env=environment(PYTHONPATH=str(ROOT)), capture_output=True, check=False,
    )  # fmt: skip
    assert init.returncode == 0, init.stderr
    assert ratchet(home, "roles", "apply", str(folder / "roles")).code == 0
    with up(home) as running:
        yield running


@pytest.fixture(scope="module")
def node(place: Running) -> str:
    """The client for JavaScript, installed beside the home."""
    found = shutil.which("node")
    npm = shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("there is no node here")
    words = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(place.home.parent), NPM]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install {NPM}: {done.stderr[-300:]}")
    return found


def ran(place: Running, words: list[str], name: str, text: str) -> list[str]:
    file = place.home.parent / name
    file.write_text(text)
    done = subprocess.run(
        [*words, str(file)],
        cwd=file.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def follows(lines: list[str], position: int) -> None:
    """Five events, the request first, in the order of the log."""
    seen = [line.split() for line in lines]
    assert [int(one[0]) for one in seen] == list(range(position, position + 5))
    kinds = [match[1] for one in seen if (match := SUBJECT.match(one[1]))]
    assert kinds[:2] == ["TrainingRequested", "RunStarted"]
    assert len(kinds) == 5


def quiet(place: Running) -> None:
    """Wait until the run of whoever came before has ended."""
    ends = time.monotonic() + 60
    while '"running"' in json.dumps(ratchet(place.home, "runs", "list").document()):
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_the_program_in_python_sees_what_follows(place: Running) -> None:
    quiet(place)
    text = program("python")
    assert len([line for line in text.splitlines() if line.strip()]) <= 10
    receipt, *events = ran(place, [sys.executable], "say.py", text)
    told = json.loads(receipt.removeprefix("b'").removesuffix("'"))
    assert (told["type"], told["stream"]) == ("TrainingRequested", "role/support")
    follows(events, told["position"])
    (found,) = place.ask("GET", f"/events?after={told['position'] - 1}&limit=1").body["events"]
    assert found["event_id"] == told["event_id"]


def test_the_program_in_javascript_sees_what_follows(place: Running, node: str) -> None:
    quiet(place)
    text = program("js").replace("console.log((await", "console.log(JSON.stringify((await")
    lines = ran(place, [node], "say.mjs", text.replace(".json());", ".json()));"))
    told = json.loads(lines[0])
    assert (told["type"], told["stream"]) == ("TrainingRequested", "role/support")
    follows(lines[1:], told["position"])


WRONG: list[tuple[str, str, str]] = [
    ("TrainingRequested", '{"role": "support", "pipeline": "dpo"}', "base"),
    ("TrainingRequested", '{"role": 7, "pipeline": "dpo", "base": "tiny"}', "role"),
    ("TrainingRequested", '{"role": "support", "pipeline": "dpo", "base": "x", "x": 1}', "x"),
    ("TrainingRequested", "half a {", "body"),
    ("TrainingRequested", "", "body"),
    ("RunStarted", "{}", "type"),
    ("NoSuchThing", "{}", "type"),
]

PYTHON = """
import asyncio, json, sys, nats

async def main():
    nc = await nats.connect(json.load(open(".ratchet/up.json"))["nats"])
    for kind, text, _ in json.load(open("wrong.json")):
        reply = await nc.request(f"ratchet.publish.{kind}", text.encode())
        print(reply.data.decode())
    await nc.close()

asyncio.run(main())
"""
JAVASCRIPT = """
import { readFileSync } from "node:fs";
import { connect } from "nats";

const up = new URL(JSON.parse(readFileSync(".ratchet/up.json")).nats);
const nc = await connect({ servers: up.host, user: up.username, pass: up.password });
for (const [kind, text] of JSON.parse(readFileSync("wrong.json"))) {
  console.log((await nc.request(`ratchet.publish.${kind}`, text)).string());
}
await nc.close();
"""


def told_where(lines: list[str]) -> None:
    answers: list[dict[str, Any]] = [json.loads(line)["error"] for line in lines]
    assert [one["where"] for one in answers] == [where for _, _, where in WRONG]
    for one in answers:
        assert set(one) == {"what", "where", "right", "kind"}
        assert one["what"]


def test_what_is_malformed_is_answered_with_field_and_reason(place: Running) -> None:
    (place.home.parent / "wrong.json").write_text(json.dumps(WRONG))
    told_where(ran(place, [sys.executable], "wrong.py", PYTHON))


def test_in_javascript_too(place: Running, node: str) -> None:
    (place.home.parent / "wrong.json").write_text(json.dumps(WRONG))
    told_where(ran(place, [node], "wrong.mjs", JAVASCRIPT))
