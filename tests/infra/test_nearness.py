"""Evaluation items found by meaning, from the thread in which data is looked at."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agents.data_generator.sources.aside import aside
from infra.nearness import Nearness
from memory.embedding import EmbedderAway
from tests.memory.knowledge.shelves import FACTS, Counting


def test_each_text_has_its_nearest_item_and_is_embedded_once(tmp_path: Path) -> None:
    async def story(embedder: Counting) -> None:
        nearness = Nearness(embedder, tmp_path / "items")
        nearest = await aside(nearness.of, FACTS)
        texts = [FACTS[2], "Parcels to Norway take six days.", "", FACTS[2]]
        found = await aside(nearest, texts)
        assert [one and one[0] for one in found] == [2, 1, None, 2]
        assert found[0] is not None
        assert found[0][1] == pytest.approx(1.0, abs=1e-5)
        assert await aside(nearest, texts) == found
        nearness.close()

    first, second = Counting(), Counting()
    asyncio.run(story(first))
    assert len(first.texts) == len(set(first.texts)) + 1  # FACTS[2] is an item, and a text
    asyncio.run(story(second))
    assert not set(FACTS) & set(second.texts) - {FACTS[2]}  # items come from the file


def test_an_embedder_that_is_away_is_no_reason_to_let_leaks_pass(tmp_path: Path) -> None:
    async def story() -> None:
        embedder = Counting()
        embedder.away = True
        with pytest.raises(EmbedderAway):
            await aside(Nearness(embedder, tmp_path).of, FACTS)

    asyncio.run(story())
