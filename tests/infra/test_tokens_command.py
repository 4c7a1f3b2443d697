"""`ratchet tokens`: a token is shown once, listed without it, and removed by its name."""

from pathlib import Path

from infra.tokens import Tokens
from tests.infra.processes import ratchet


def test_tokens_come_and_go(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert ratchet(home, "tokens", "list").document() == {"tokens": []}
    made = ratchet(home, "tokens", "add", "ci", "--scope", "read", "--scope", "publish").document()
    assert set(made) == {"name", "scopes", "token", "nats"}
    assert made["nats"] == {"user": "ci", "inbox": "_INBOX_ci"}
    assert made["scopes"] == ["publish", "read"]
    bearer = Tokens(home / "tokens.json").bearer(made["token"])
    assert bearer is not None
    assert bearer.name == "ci"
    (listed,) = ratchet(home, "tokens", "list").document()["tokens"]
    assert set(listed) == {"name", "scopes", "created"}
    assert ratchet(home, "tokens", "remove", "ci").document() == {"removed": "ci"}
    assert Tokens(home / "tokens.json").bearer(made["token"]) is None


def test_mistakes_are_told_in_a_sentence(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert ratchet(home, "tokens", "add", "a", "--scope", "read").code == 0
    for code, words in (
        (1, ("add", "a", "--scope", "read")),
        (2, ("add", "b", "--scope", "reed")),
        (2, ("add", "b")),
        (2, ("add", "no name", "--scope", "read")),
        (3, ("remove", "b")),
    ):
        ended = ratchet(home, "tokens", *words)
        assert ended.code == code, (words, ended)
        assert set(ended.document()["error"]) == {"what", "where", "right"}
        assert "Traceback" not in ended.err
