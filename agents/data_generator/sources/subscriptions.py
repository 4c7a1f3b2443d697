"""Data that is sold or lent: HTTP interfaces and paid data sets, by configuration.

An answer is a page of rows, and may name the next one, at the same host. What a row costs is
counted, and a page that the budget would not pay is not asked for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from agents.data_generator.sources.client import Client, read
from agents.data_generator.sources.reading import following, rows_of
from agents.data_generator.sources.sieve import Sieve
from agents.data_generator.sources.source import Built, Order, SourceFailed
from agents.data_generator.sources.web import UNKNOWN, sliced
from events.catalog.costs import Spent

PAGES = 1000
"""Pages of one subscription that are read for one part."""


class Subscription(NamedTuple):
    """An address that gives rows to whoever has its key."""

    name: str
    url: str
    key: str = ""
    licence: str = ""
    usd_per_page: float = 0.0

    def __repr__(self) -> str:
        return f"Subscription({self.name!r})"


class Subscriptions:
    """Reads them in their order, page by page, until there are rows enough."""

    name = "subscriptions"

    def __init__(
        self, subscriptions: Sequence[Subscription], client: Client, sieve: type[Sieve] = Sieve
    ) -> None:
        self._subscriptions, self._client, self._sieve = subscriptions, client, sieve

    async def build(self, order: Order) -> Built:
        if not self._subscriptions:
            raise SourceFailed(
                "there is no subscription",
                where="data.subscriptions",
                right="a url, and a key where it wants one",
                retryable=False,
            )
        sieve = self._sieve(order.type, self.name)
        bill = _Bill(order.asked.limits.money, order.folder / "bill.json")
        wanted = order.asked.first + order.asked.quantity
        failed: list[SourceFailed] = []
        for one in self._subscriptions:
            try:
                await self._read(one, sieve, bill, wanted)
            except SourceFailed as error:  # the others may answer
                failed.append(error)
                sieve.rejected["page-not-read"] += 1
            order.tell({"source": self.name, "rows": len(sieve.rows)})
        spent = Spent(calls=bill.pages, money=bill.money)
        if failed and not sieve.rows:
            first = failed[0]
            raise SourceFailed(
                first.what, where=first.where, right=first.right, retryable=first.retryable,
                spent=spent,
            )  # fmt: skip
        built = sliced(sieve, order, more=len(sieve.rows) >= wanted)
        return built._replace(spent=spent)

    async def _read(self, one: Subscription, sieve: Sieve, bill: _Bill, wanted: int) -> None:
        url, host = one.url, str(urlsplit(one.url).hostname)
        headers = {"Authorization": f"Bearer {one.key}"} if one.key else {}
        seen: set[str] = set()
        while url and url not in seen and len(seen) < PAGES and len(sieve.rows) < wanted:
            seen.add(url)
            bill.pay(one)
            page = read(await self._client.get(url, headers=headers, hosts={host}))
            for raw in rows_of(page):
                if len(sieve.rows) >= wanted:
                    return
                sieve.take(raw, one.licence or UNKNOWN, f"subscription {one.name}")
            named = following(page)
            url = urljoin(page.url, named) if named else ""


class _Bill:
    """What the pages of a part have cost, in all its attempts."""

    def __init__(self, most: float | None, kept: Path) -> None:
        self._most, self._kept = most, kept
        self.pages, self.money = 0, 0.0
        with suppress(OSError, ValueError):
            self.pages, self.money = json.loads(kept.read_text())

    def pay(self, one: Subscription) -> None:
        """Written down before the page is asked for: a crash pays at most one page too much."""
        money = self.money + one.usd_per_page
        if self._most is not None and money > self._most:
            raise SourceFailed(
                f"the next page would cost {one.usd_per_page:g} dollars, and "
                f"{max(0.0, self._most - self.money):.2f} are left",
                where=one.name,
                right="a larger budget",
                retryable=False,
            )
        self.pages, self.money = self.pages + 1, money
        self._kept.write_text(json.dumps([self.pages, self.money]))
