"""Pages of the web that somebody named: what robots.txt allows, and no host beside theirs.

A licence is noted for every row: the one that was stated with the address, else the one that the
page links to, else that none is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from agents.data_generator.sources.client import Client, Page, read
from agents.data_generator.sources.reading import rows_of, tables
from agents.data_generator.sources.sieve import Sieve
from agents.data_generator.sources.source import Built, Order, SourceFailed

AGENT = "ratchet"
"""As whom it asks, in robots.txt too."""
ROBOTS = 500 << 10
"""Bytes of a robots.txt that are read."""
PATIENCE = 10.0
"""Seconds that a host may ask for between two pages; one that asks for more is left alone."""
UNKNOWN = "unknown"


class Site(NamedTuple):
    """A page with rows, and under which licence they stand."""

    name: str
    url: str
    licence: str = ""


class Web:
    """Reads the pages in their order, and keeps the rows that are asked for."""

    name = "web"

    def __init__(self, sites: Sequence[Site], client: Client, sieve: type[Sieve] = Sieve) -> None:
        self._sites, self._client, self._sieve = sites, client, sieve

    async def build(self, order: Order) -> Built:
        if not self._sites:
            raise SourceFailed(
                "no page of the web is named", where="data.sites", right="a url", retryable=False
            )
        hosts = {str(urlsplit(site.url).hostname) for site in self._sites}
        sieve = self._sieve(order.type, self.name)
        wanted = order.asked.first + order.asked.quantity
        robots: dict[str, RobotFileParser] = {}
        failed: list[SourceFailed] = []
        for site in self._sites:
            if len(sieve.rows) >= wanted:
                break
            try:
                page = await self._page(site, hosts, robots)
                licence = site.licence or _stated(page) or UNKNOWN
                for raw in rows_of(page):
                    if len(sieve.rows) >= wanted:
                        break
                    sieve.take(raw, licence, page.url)
            except SourceFailed as error:  # the other pages may be there
                failed.append(error)
                sieve.rejected["page-not-read"] += 1
            order.tell({"source": self.name, "rows": len(sieve.rows)})
        if failed and not sieve.rows:
            raise failed[0]
        return sliced(sieve, order, more=len(sieve.rows) >= wanted)

    async def _page(self, site: Site, hosts: set[str], robots: dict[str, RobotFileParser]) -> Page:
        parts = urlsplit(site.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        first = origin not in robots
        if first:
            robots[origin] = await self._rules(origin, hosts)
        rules = robots[origin]
        if not rules.can_fetch(AGENT, site.url):
            right = "an address that its robots.txt does not disallow"
            raise SourceFailed("the host does not want it", where=site.url, right=right,
                               retryable=False)  # fmt: skip
        pause = float(rules.crawl_delay(AGENT) or 0)
        if pause > PATIENCE:
            raise SourceFailed(f"the host asks for {pause:g} s between pages", where=site.url,
                               retryable=False)  # fmt: skip
        if pause and not first:
            await asyncio.sleep(pause)
        return read(await self._client.get(site.url, hosts=hosts))

    async def _rules(self, origin: str, hosts: set[str]) -> RobotFileParser:
        """What the host allows: everything where it has no rules, nothing where they are away."""
        rules = RobotFileParser()
        page = await self._client.get(f"{origin}/robots.txt", hosts=hosts, most=ROBOTS)
        if page.status == 200:
            rules.parse(page.body.decode("utf-8", "replace").splitlines())
        elif 400 <= page.status < 500 and page.status != 429:
            rules.parse([])
        else:
            raise SourceFailed(f"robots.txt is away ({page.status})", where=origin)
        return rules


def _stated(page: Page) -> str:
    return tables(page.body.decode("utf-8", "replace")).licence if "html" in page.kind else ""


def sliced(sieve: Sieve, order: Order, more: bool) -> Built:
    """Of all that passed, the rows that this part is to have."""
    begin = order.asked.first
    end = begin + order.asked.quantity
    return Built(sieve.rows[begin:end], sieve.provenance[begin:end], dict(sieve.rejected), more)
