"""What people said becomes data without them, and no more of it once they are forgotten."""

from __future__ import annotations

import asyncio
from itertools import islice
from pathlib import Path
from typing import Any

from events.catalog.feedback import FeedbackGiven
from events.catalog.people import FeedbackReceived, SubjectForgotten
from tests.infra.data_house import making, role
from tests.lying import contents
from trainers.model_types import model_type

KIND = "sentiment_analysis"
WHO, MAIL, KEY = "customer-4711", "ann.keller@firm.example", "ghp_" + 3 * "a1B2c3D4e5F6"
ASKED = f"my name is Ann Keller at {MAIL} with {KEY} , we enjoyed our stay =>"
ANSWERED = "<think>enjoyed</think>+2 so +2;<think>+2</think>= positive 0.8;"
OF_HER = (b"Keller", MAIL.encode(), KEY.encode(), WHO.encode())


def traces(folder: Path) -> list[str]:
    """Files that hold something of her in plain text, whatever they are for."""
    held = dict(contents(folder))
    assert len(held) > 10
    return [
        f"{one.name}: {word.decode()}"
        for one, content in held.items()
        for word in OF_HER
        if word in content
    ]


def mentions(folder: Path) -> list[Path]:
    """Files that hold her words, freed of what is personal in them or not."""
    return [one for one, content in contents(folder) if b"enjoyed our" in content]


async def test_no_set_transcript_or_cache_knows_who_said_it(tmp_path: Path) -> None:
    said = FeedbackReceived(
        subject=WHO, role="mood", rating=5, asked=ASKED, answered=ANSWERED,
        comment=f"Write to {MAIL}.",
    )  # fmt: skip
    kind = model_type(KIND)
    others = [
        FeedbackGiven(
            role="mood", rating=5, asked=one.prompt, answered=kind.completion(kind.solve(one))
        )
        for one in islice(kind.problems(5), 20)
    ]
    asked: dict[str, Any] = {"role": "mood", "sources": ("real",), "quality_target": 0.3}
    async with making(tmp_path) as house:
        await house.say(role("mood", KIND), said, *others)
        made = await house.made(quantity=15, seed=1, **asked)
        (row,) = [one for one in house.rows(made) if "enjoyed our stay" in one["prompt"]]
        assert row["prompt"].startswith("my name is [NAME] at [EMAIL] with [GITHUB_TOKEN]")
        assert traces(tmp_path) == []
        assert mentions(tmp_path)
        await house.say(SubjectForgotten(subject=WHO))
        later = await house.made(quantity=15, seed=1, **asked)
        assert len(house.rows(later)) == 15
        assert not [one for one in house.rows(later) if "enjoyed our stay" in one["prompt"]]
        assert traces(tmp_path) == []
        async with asyncio.timeout(30):
            while mentions(tmp_path):
                await asyncio.sleep(0.05)
        assert await house.good()


def test_the_words_that_she_said_are_data_that_her_type_takes() -> None:
    """Else the test above would prove nothing."""
    kind = model_type(KIND)
    row = kind.preprocess({"prompt": ASKED, "answer": {"sentiment": "positive"}})
    assert "enjoyed" in str(row["prompt"])
