"""The way of sources to the outside: bounded, and never into somebody's own network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from agents.data_generator.sources.client import Page
from agents.data_generator.sources.source import SourceFailed
from infra.http import Http, is_public
from tests.infra.pages import Reply, Site, site

LOOPBACK = ("127.0.0.1",)
PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "2002:7f00:1::",
    "fe80::1%eth0", "nonsense",
]  # fmt: skip


@pytest.fixture
def pages() -> Iterator[Site]:
    with site({}) as made:
        yield made


async def got(url: str, own: tuple[str, ...] = LOOPBACK, patience: float = 5.0) -> Page:
    async with Http(own, patience) as http:
        return await http.get(url)


async def refused(url: str, own: tuple[str, ...] = LOOPBACK, patience: float = 5.0) -> str:
    with pytest.raises(SourceFailed) as error:
        await got(url, own, patience)
    return str(error.value)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_counts_as_public_however_it_is_wrapped(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


async def test_a_page_comes_with_its_kind(pages: Site) -> None:
    pages.pages["/a"] = Reply(b'{"x": 1}', "Application/JSON; charset=utf-8")
    page = await got(f"{pages.url}/a")
    assert page == Page(f"{pages.url}/a", 200, "application/json", b'{"x": 1}')
    assert pages.asked[0][1]["user-agent"] == "ratchet"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://2130706433/",
        "http://0x7f.1/", "http://169.254.169.254/latest/meta-data", "http://[::ffff:127.0.0.1]/",
    ],
)  # fmt: skip
async def test_what_leads_into_a_private_network_is_refused(url: str) -> None:
    said = await refused(url, own=())
    assert "not of the public network" in said or "leads nowhere" in said


async def test_a_redirect_into_a_private_network_is_refused(pages: Site) -> None:
    """As it would be from any public host: the first hop is allowed here, the second is not."""
    pages.pages["/a"] = Reply(status=302, headers={"Location": "http://[::1]:9/secret"})
    assert "::1, which is not of the public network" in await refused(f"{pages.url}/a")


async def test_the_connection_goes_to_the_address_that_was_looked_at(
    pages: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers otherwise the second time is not asked a second time."""
    port = int(pages.url.rpartition(":")[2])
    answers = ["127.0.0.1", "10.0.0.1"]
    names: list[str] = []

    async def resolved(_: object, host: str, port: int, **__: object) -> list[object]:
        names.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[len(names) - 1], port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolved)
    pages.pages["/a"] = Reply(b"[]")
    page = await got(f"http://turning.example:{port}/a", own=("turning.example",))
    assert page.status == 200
    assert names == ["turning.example"]
    assert pages.asked[0][1]["host"] == f"turning.example:{port}"


async def test_only_named_hosts_are_asked_after_redirects_too(pages: Site) -> None:
    pages.pages["/a"] = Reply(status=301, headers={"Location": "http://example.org/b"})
    async with Http(LOOPBACK) as http:
        with pytest.raises(SourceFailed, match="this host is not named"):
            await http.get(f"{pages.url}/a", hosts={"127.0.0.1"})


async def test_redirects_are_followed_and_end(pages: Site) -> None:
    pages.pages["/a"] = Reply(status=302, headers={"Location": "/b"})
    pages.pages["/b"] = Reply(b"here", "text/plain")
    pages.pages["/round"] = Reply(status=302, headers={"Location": "/round"})
    assert (await got(f"{pages.url}/a")).body == b"here"
    assert "more than 5 redirects" in await refused(f"{pages.url}/round")


async def test_a_key_does_not_follow_to_another_host(pages: Site) -> None:
    with site({"/b": Reply(b"[]")}) as other:
        pages.pages["/a"] = Reply(status=302, headers={"Location": f"{other.url}/b"})
        async with Http(LOOPBACK) as http:
            await http.get(f"{pages.url}/a", headers={"Authorization": "Bearer secret"})
        assert pages.asked[0][1]["authorization"] == "Bearer secret"
        assert "authorization" not in other.asked[0][1]


async def test_a_page_is_bounded_in_size_time_and_packing(pages: Site) -> None:
    pages.pages["/large"] = Reply(b"x" * 100_000)
    pages.pages["/slow"] = Reply(b"x", seconds=1.0)
    pages.pages["/packed"] = Reply(b"x", headers={"Content-Encoding": "gzip"})
    async with Http(LOOPBACK) as http:
        with pytest.raises(SourceFailed, match="larger than 1,000 bytes"):
            await http.get(f"{pages.url}/large", most=1000)
    assert "no page within 0.2 s" in await refused(f"{pages.url}/slow", patience=0.2)
    assert "packed" in await refused(f"{pages.url}/packed")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/", "gopher://x/", "http://", "nonsense", "http://[",
        "http://user:password@example.org/", "http://x:99999/",
    ],
)  # fmt: skip
async def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    assert await refused(url)


async def test_a_host_that_does_not_answer_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert "cannot be read" in await refused(url)
