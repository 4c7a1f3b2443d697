"""An embedder behind an endpoint, as it is configured: used, missed, and told apart."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from memory.lexical import lexical
from tests.infra.processes import Running, up

FACT = "Parcels to Norway take six days, because they pass the customs."


class Embeddings(BaseHTTPRequestHandler):
    """`/v1/embeddings` with vectors by letters; in another order, from another model."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        step = -1 if getattr(self.server, "other", False) else 1
        data = [
            {"object": "embedding", "index": number, "embedding": list(lexical(text))[::step]}
            for number, text in enumerate(asked["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        told = {"object": "list", "data": data, "model": asked["model"], "usage": usage}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody listens."""


@contextmanager
def embeddings(port: int = 0, other: bool = False) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", port), Embeddings)
    server.other = other  # type: ignore[attr-defined]
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def settings(port: int) -> dict[str, str]:
    return {
        "RATCHET__MODELS__EMBEDDER__URL": f"http://127.0.0.1:{port}/v1",
        "RATCHET__MODELS__EMBEDDER__MODEL": "letters",
    }


def found(running: Running) -> Any:
    return running.ask("GET", "/knowledge/search?text=how+long+to+norway").body


def test_a_configured_embedder_is_used_missed_and_told_apart(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with embeddings() as port, up(home, **settings(port)) as running:
        running.ask("POST", "/events", {"type": "KnowledgeAdded", "data": {"text": FACT}})
        answer = found(running)
        assert (answer["embedder"], answer["degraded"]) == ("endpoint/letters", "")
        assert answer["hits"][0]["meaning"]["place"] == 1
    with up(home, **settings(port)) as running:  # the endpoint is gone
        answer = _until(running, lambda told: "hits" in told)
        assert answer["hits"][0]["text"] == FACT
        assert answer["hits"][0]["meaning"] is None
        assert "words alone" in answer["degraded"]
        ready = running.ask("GET", "/readyz")
        assert ready.status == 503
        assert "embedder" in ready.body["troubles"]["knowledge"]
    with embeddings(port, other=True), up(home, **settings(port)) as running:
        answer = _until(running, lambda told: "hits" in told)
        assert "words alone" in answer["degraded"]
        told = _until_ready(running, "is not the one that made the vectors")
        assert "ratchet knowledge rebuild" in told
        running.ask("POST", "/knowledge/rebuild", token=running.note["token"])
        answer = _until(running, lambda told: told["degraded"] == "")
        assert answer["hits"][0]["meaning"]["place"] == 1


def _until(running: Running, enough: Any) -> Any:
    ends = time.monotonic() + 90
    while not enough(answer := found(running)):
        assert time.monotonic() < ends, answer
        time.sleep(0.1)
    return answer


def _until_ready(running: Running, words: str) -> str:
    ends = time.monotonic() + 90
    while True:
        told = str(running.ask("GET", "/readyz").body["troubles"].get("knowledge", ""))
        if words in told:
            return told
        assert time.monotonic() < ends, told
        time.sleep(0.1)
