"""What a server may read for us in a day: bounded, kept, and free again the day after."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.allowance import Allowance
from infra.embedders import Remote, configured
from infra.settings import Embedder
from memory.embedding import EmbedderAway
from tests.infra.test_knowledge_embedder import embeddings

NOW = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)


async def spend(allowance: Allowance, tokens: int) -> None:
    async with allowance.today().hold(tokens, 0.0):
        pass
    allowance.keep()


def left(file: Path, now: datetime) -> float:
    budget = Allowance(file, 100, lambda: now).today()
    limit = budget.limits["tokens"]
    assert limit is not None
    return limit - budget.spent()["tokens"]


def test_the_next_process_has_what_is_left_and_the_next_day_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "embedder.json"
    asyncio.run(spend(Allowance(file, 100, lambda: NOW), 70))
    assert left(file, NOW) == 30
    assert left(file, NOW + timedelta(minutes=2)) == 100


@pytest.mark.parametrize("text", ["", "{", "[]", '{"day": "2026-11-21"}', '{"tokens": "x"}',
                                  '{"day": "2026-11-21", "tokens": -5}',
                                  '{"day": "2026-11-21", "tokens": NaN}'])  # fmt: skip
def test_a_file_that_is_no_account_begins_anew(tmp_path: Path, text: str) -> None:
    file = tmp_path / "embedder.json"
    file.write_text(text)
    assert left(file, NOW) == 100


def test_a_home_that_has_gone_is_not_made_anew(tmp_path: Path) -> None:
    asyncio.run(spend(Allowance(tmp_path / "home" / "embedder.json", 100, lambda: NOW), 70))
    assert not (tmp_path / "home").exists()


def test_beyond_the_allowance_no_server_is_asked_and_the_words_say_what_to_set(
    tmp_path: Path,
) -> None:
    async def story(port: int, tokens: int) -> list[int]:
        model = Embedder(url=f"http://127.0.0.1:{port}/v1", model="letters", tokens_per_day=tokens)
        reached = configured(model, tmp_path)
        assert isinstance(reached, Remote)
        try:
            return [len(one) for one in await reached.embedder().embed(["parcels"], "passage")]
        finally:
            await reached.close()

    with embeddings() as port:  # bills one token for each call
        assert asyncio.run(story(port, 9)) == [384]
        with pytest.raises(EmbedderAway, match="of 8 tokens 7 are left") as spent:
            asyncio.run(story(port, 8))
    assert "models.embedder.tokens_per_day" in spent.value.right
