"""The sources one by one: the web, subscriptions, other roles' sets, and what people said."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agents.data_generator.sources.collaborative import Collaborative, Shared
from agents.data_generator.sources.real import Heard, Real
from agents.data_generator.sources.source import SourceFailed
from agents.data_generator.sources.subscriptions import Subscription, Subscriptions
from agents.data_generator.sources.web import Site, Web
from events.artifacts import Artifacts
from events.catalog.costs import Limits
from pipelines.data.rows import written
from tests.agents.data_generator.sources.orders import Table, order, page, problems, reviews
from trainers.model_types import model_type

URL = "https://example.org/reviews.json"
ROBOTS = "https://example.org/robots.txt"
KIND = model_type("sentiment_analysis")


def body(rows: Sequence[Any], **more: Any) -> str:
    return json.dumps({"rows": list(rows), **more})


async def test_the_web_gives_rows_with_their_page_and_licence(tmp_path: Path) -> None:
    client = Table({URL: page(URL, body(reviews(12)))})
    built = await Web([Site("one", URL, "CC-BY-4.0")], client).build(order(tmp_path, "web"))
    assert len(built.rows) == 10
    assert built.more
    assert built.provenance[0] == {
        "source": "web", "method": "web", "licence": "CC-BY-4.0", "origin": URL,
    }  # fmt: skip
    assert client.asked == [ROBOTS, URL]


async def test_parts_of_the_web_do_not_overlap(tmp_path: Path) -> None:
    web = Web([Site("one", URL)], Table({URL: page(URL, body(reviews(15)))}))
    first = await web.build(order(tmp_path, "web"))
    second = await web.build(order(tmp_path, "web", first=10))
    prompts = [row["prompt"] for row in (*first.rows, *second.rows)]
    assert len(set(prompts)) == len(prompts) == 15
    assert not second.more
    assert first.provenance[0]["licence"] == "unknown"


@pytest.mark.parametrize(
    ("robots", "status", "said"),
    [
        ("User-agent: *\nDisallow: /reviews", 200, "does not want it"),
        ("User-agent: ratchet\nDisallow: /", 200, "does not want it"),
        ("User-agent: *\nCrawl-delay: 3600", 200, "3600 s between pages"),
        ("", 503, "robots.txt is away"),
        ("", 429, "robots.txt is away"),
    ],
)
async def test_what_robots_forbid_is_not_read(
    tmp_path: Path, robots: str, status: int, said: str
) -> None:
    client = Table(
        {ROBOTS: page(ROBOTS, robots, "text/plain", status), URL: page(URL, body(reviews(3)))}
    )
    with pytest.raises(SourceFailed, match=said):
        await Web([Site("one", URL)], client).build(order(tmp_path, "web"))
    assert client.asked == [ROBOTS]


async def test_one_page_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    other = "https://other.org/b.json"
    client = Table({URL: SourceFailed("no answer"), other: page(other, body(reviews(3)))})
    sites = [Site("one", URL), Site("two", other)]
    built = await Web(sites, client).build(order(tmp_path, "web"))
    assert len(built.rows) == 3
    assert built.rejected == {"page-not-read": 1}


async def test_sources_without_anything_configured_say_so(tmp_path: Path) -> None:
    for source in (Web([], Table({})), Subscriptions([], Table({}))):
        with pytest.raises(SourceFailed) as failed:
            await source.build(order(tmp_path, source.name))
        assert not failed.value.retryable


async def test_a_subscription_is_read_page_by_page_with_its_key(tmp_path: Path) -> None:
    rows, second = reviews(8), "https://example.org/reviews.json?page=2"
    client = Table(
        {
            URL: page(URL, body(rows[:4], next="?page=2")),
            second: page(second, body(rows[4:], next=URL)),
        }
    )
    one = Subscription("acme", URL, "secret", "paid", 0.5)
    built = await Subscriptions([one], client).build(order(tmp_path, "subscriptions"))
    assert len(built.rows) == 8
    assert (built.spent.calls, built.spent.money) == (2, 1.0)
    assert [one["Authorization"] for one in client.headers] == ["Bearer secret"] * 2
    assert "secret" not in json.dumps(built.provenance) + repr(one)


async def test_a_page_that_the_budget_does_not_pay_is_not_asked_for(tmp_path: Path) -> None:
    client = Table({URL: page(URL, body(reviews(4), next=f"{URL}?2"))})
    source = Subscriptions([Subscription("acme", URL, usd_per_page=0.6)], client)
    limited = order(tmp_path, "subscriptions", limits=Limits(money=1.0))
    built = await source.build(limited)
    assert client.asked == [URL]
    assert (len(built.rows), built.spent.money) == (4, 0.6)
    with pytest.raises(SourceFailed, match=r"0\.40 are left"):
        await source.build(limited)
    assert client.asked == [URL], "the next attempt knows what the first has paid"


async def test_other_roles_share_their_sets_with_licence_and_name(tmp_path: Path) -> None:
    artifacts = Artifacts(str(tmp_path / "artifacts"))
    note = "a\u2028b\x85c"  # which end lines elsewhere
    rows = [{"prompt": one.prompt, "answer": one.answer, "note": note} for one in problems(KIND, 6)]
    kept = artifacts.put(written(rows)).sha256
    beside = artifacts.put(b'{"row": 0, "source": "web", "licence": "CC0"}\n' * 6).sha256
    gone = Shared("gone", "mood", "sha256:" + "0" * 64, "sha256:" + "0" * 64)

    async def shared(model_type: str, role: str, before: int) -> Sequence[Shared]:
        assert (model_type, role, before) == ("sentiment_analysis", "support", 100)
        return [gone, Shared("77aa", "mood", kept, beside)]

    source = Collaborative(shared, artifacts)
    built = await source.build(order(tmp_path, "collaborative"))
    assert len(built.rows) == 6
    assert built.provenance[0]["licence"] == "CC0"
    assert built.provenance[0]["origin"] == "dataset 77aa of role mood"
    assert built.rejected == {"set-not-read": 1}


async def test_good_answers_and_corrections_of_people_are_taken(tmp_path: Path) -> None:
    one, two, three, four = problems(KIND, 4)

    def right(number: int) -> str:
        asked = (one, two, three, four)[number]
        return str(KIND.completion(KIND.solve(asked)))

    said = [
        Heard("e1", one.prompt, right(0), "", 5),
        Heard("e2", two.prompt, "= positive 0.9;", right(1), 1),
        Heard("e3", three.prompt, right(2), "", 2),
        Heard("e4", four.prompt, "I do not know", "", 5),
        Heard("e5", "", right(3), "", 5),
    ]

    async def hears(role: str, before: int) -> AsyncIterator[Heard]:
        assert (role, before) == ("support", 100)
        for heard in said:
            yield heard

    built = await Real(hears).build(order(tmp_path, "real"))
    assert [row["prompt"] for row in built.rows] == [one.prompt, two.prompt]
    assert [row["origin"] for row in built.provenance] == ["event e1", "event e2"]
    assert built.rejected == {"rated-low": 1, "no-answer": 1, "no-question": 1}


async def test_where_nobody_has_said_anything_there_is_nothing_real(tmp_path: Path) -> None:
    async def hears(_role: str, _before: int) -> AsyncIterator[Heard]:
        for heard in list[Heard]():
            yield heard

    with pytest.raises(SourceFailed, match="nobody has said anything"):
        await Real(hears).build(order(tmp_path, "real"))
