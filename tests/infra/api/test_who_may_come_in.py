"""Tokens and scopes beyond loopback; on loopback none, but nothing that a web page could send."""

from pathlib import Path

import pytest

from events.errors import Conflict, Malformed, NotFound
from infra.tokens import Tokens, digest
from tests.infra.api.doors import OWNER, TRAINING, bearing, front, is_refusal

READS = ("/events", "/events/types", "/events/1", "/why/1", "/projections", "/readyz", "/metrics")


async def test_beyond_loopback_every_call_but_one_needs_a_token(tmp_path: Path) -> None:
    async with front(tmp_path, loopback=False) as door:
        assert (await door.client.get("/healthz")).json() == {"ok": True}
        for method, path in [("GET", p) for p in (*READS, "/x")] + [("POST", "/events")]:
            answer = await door.client.request(method, path)
            assert (answer.status_code, answer.json()["error"]["where"]) == (401, "token")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert is_refusal(answer)


async def test_a_token_opens_what_its_scopes_say(tmp_path: Path) -> None:
    async with front(tmp_path, loopback=False) as door:
        paths = {
            "read": ("GET", "/events", None),
            "publish": ("POST", "/events", {"type": "TrainingRequested", "data": TRAINING}),
            "worker": ("POST", "/work/claim", {"kinds": ["StageRequested"], "holder": "w"}),
        }
        for scope in ("read", "publish", "worker", "admin"):
            token = door.tokens.add(f"only-{scope}", [scope])
            for wanted, (method, path, body) in paths.items():
                answer = await door.client.request(method, path, json=body, headers=bearing(token))
                if scope in (wanted, "admin"):
                    assert answer.is_success, (scope, wanted, answer.text)
                else:
                    assert answer.status_code == 403, (scope, wanted)
                    assert answer.json()["error"]["where"] == "token"


async def test_history_names_who_spoke(tmp_path: Path) -> None:
    async with front(tmp_path, loopback=False) as door:
        token = door.tokens.add("build-7.x", ["publish"])
        body = {"type": "TrainingRequested", "data": TRAINING}
        await door.client.post("/events", json=body, headers=bearing(token))
        await door.client.post("/events", json=body, headers=bearing(OWNER))
        actors = [one.actor for one in await door.store.read(types=["TrainingRequested"])]
        assert actors == ["token:build-7.x", "cli"]


@pytest.mark.parametrize("loopback", [True, False])
@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Bearer ", "Bearer", "", "Basic b3duZXI6eA==", "Bearer \xff\xfe"]
)
async def test_a_wrong_token_is_turned_away_everywhere(
    tmp_path: Path, loopback: bool, header: str
) -> None:
    async with front(tmp_path, loopback) as door:
        headers = [(b"Authorization", header.encode("latin-1"))]
        answer = await door.client.get("/events", headers=headers)
        assert (answer.status_code, answer.json()["error"]["where"]) == (401, "token")


async def test_a_token_counts_from_the_next_call_and_no_longer_than_it_is_kept(
    tmp_path: Path,
) -> None:
    async with front(tmp_path, loopback=False) as door:
        beside = Tokens(tmp_path / "tokens.json")
        token = beside.add("late", ["read"])
        assert (await door.client.get("/events", headers=bearing(token))).is_success
        beside.remove("late")
        assert (await door.client.get("/events", headers=bearing(token))).status_code == 401


async def test_where_the_tokens_cannot_be_read_nobody_comes_in_but_the_owner(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with front(tmp_path, loopback=False) as door:
        token = door.tokens.add("a", ["read"])
        (tmp_path / "tokens.json").write_text('{"tokens": [{"name": "a"')
        assert (await door.client.get("/events", headers=bearing(token))).status_code == 401
        assert (await door.client.get("/events", headers=bearing(OWNER))).is_success
        assert "no token is accepted" in caplog.text


HOSTS = [
    ("localhost", True),
    ("LOCALHOST:8750", True),
    ("127.0.0.1:8750", True),
    ("127.9.9.9", True),
    ("[::1]:8750", True),
    ("evil.example", False),
    ("localhost.evil.example:8750", False),
    ("127.0.0.1.evil.example", False),
    ("10.0.0.1:8750", False),
    ("0.0.0.0:8750", False),
    ("[::1", False),
    ("localhost@evil.example", False),
    ("evil.example#localhost", False),
    ("", False),
]


@pytest.mark.parametrize(("host", "welcome"), HOSTS)
async def test_on_loopback_a_call_names_this_machine_or_bears_a_token(
    tmp_path: Path, host: str, welcome: bool
) -> None:
    async with front(tmp_path) as door:
        answer = await door.client.get("/events", headers={"host": host})
        assert answer.status_code == (200 if welcome else 403)
        assert welcome or answer.json()["error"]["where"] == "Host"
        with_token = await door.client.get("/events", headers={"host": host, **bearing(OWNER)})
        assert with_token.is_success


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://localhost:3000"}, 200),
        ({"origin": "http://127.0.0.1:8750", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"x-forwarded-for": "203.0.113.9"}, 401),
        ({"forwarded": "for=203.0.113.9"}, 401),
    ],
)
async def test_a_page_of_another_site_and_a_proxy_do_not_pass_for_a_neighbour(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with front(tmp_path) as door:
        assert (await door.client.get("/events", headers=headers)).status_code == status


def test_only_hashes_are_kept_and_only_for_this_user(tmp_path: Path) -> None:
    tokens, file = Tokens(tmp_path / "home" / "tokens.json"), tmp_path / "home" / "tokens.json"
    secret = tokens.add("a", ["read", "publish", "read"])
    assert secret not in file.read_text()
    assert digest(secret) in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    (kept,) = Tokens(file).all()
    assert (kept.name, kept.scopes) == ("a", ("publish", "read"))


def test_a_name_is_given_once_and_scopes_are_known_ones(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    tokens.add("a", ["admin"])
    with pytest.raises(Conflict):
        tokens.add("a", ["read"])
    for name in ("", "a b", "a\nb", "a" * 101):
        with pytest.raises(Malformed):
            tokens.add(name, ["read"])
    with pytest.raises(Malformed, match="publish"):
        tokens.add("b", ["publsh"])
    with pytest.raises(Malformed):
        tokens.add("b", [])
    with pytest.raises(NotFound):
        tokens.remove("b")
