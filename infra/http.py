"""HTTP to the outside for sources of data: the only holder of httpx.

Whatever an address leads to, by name, by redirect or by what a name server says, only hosts of the
public network are asked, and those of one's own network that the settings name. A name is resolved
once, its addresses are looked at, and the connection goes to one of these and no other. Pages are
bounded in size and time; the environment's proxies and cookies are not used.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx

from agents.data_generator.sources.client import LARGEST, Page
from agents.data_generator.sources.source import SourceFailed

AGENT = "ratchet"
PATIENCE = 30.0
"""Seconds for a page, its redirects included."""
REDIRECTS = 5
REDIRECTING = (301, 302, 303, 307, 308)
SECRET = ("authorization", "cookie", "proxy-authorization")
"""Headers that do not follow to another host."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_6TO4 = ipaddress.ip_network("2002::/16")


class Http:
    """Reads pages for sources; one for all of them."""

    def __init__(self, own: Collection[str] = (), patience: float = PATIENCE) -> None:
        """`own` are hosts that may be asked although their addresses are private."""
        self._own, self._patience = frozenset(one.lower() for one in own), patience
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(patience),
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=0),
            headers={"User-Agent": AGENT, "Accept-Encoding": "identity"},
        )

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        hosts: Collection[str] | None = None,
        most: int = LARGEST,
    ) -> Page:
        """The page behind an address and its redirects; with `hosts`, from these alone."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._followed(url, dict(headers), hosts, most)
        except TimeoutError:
            raise SourceFailed(f"no page within {self._patience:g} s", where=url) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            said = " ".join(str(error).split())[:200] or type(error).__name__
            raise SourceFailed(f"the page cannot be read ({said})", where=url) from None

    async def text(self, url: str) -> str:
        """A page as text, for instance what a rules engine says."""
        page = await self.get(url, most=1 << 20)
        if page.status != 200:
            raise SourceFailed(f"the answer is {page.status}", where=url)
        return page.body.decode("utf-8", "replace")

    async def _followed(
        self, url: str, headers: dict[str, str], hosts: Collection[str] | None, most: int
    ) -> Page:
        for _ in range(REDIRECTS + 1):
            parts = _plain(url)
            host = str(parts.hostname).lower()
            if hosts is not None and host not in {one.lower() for one in hosts}:
                right = "one of these hosts: " + ", ".join(sorted(hosts))
                raise SourceFailed("this host is not named", where=url, right=right,
                                   retryable=False)  # fmt: skip
            page, leads = await self._asked(parts, await self._address(parts), headers, most)
            if not leads:
                return page
            url = urljoin(url, leads)
            if (parts.scheme, parts.netloc) != urlsplit(url)[:2]:
                headers = {name: v for name, v in headers.items() if name.lower() not in SECRET}
        raise SourceFailed(f"more than {REDIRECTS} redirects", where=url, retryable=False)

    async def _asked(
        self, parts: SplitResult, address: str, headers: dict[str, str], most: int
    ) -> tuple[Page, str]:
        """One answer, and where it redirects to. The connection goes to the address that was
        looked at; host and certificate are those of the name."""
        host = str(parts.hostname)
        url = httpx.URL(parts.geturl()).copy_with(host=address)
        asked = {**headers, "Host": parts.netloc.rpartition("@")[2]}
        named = {"sni_hostname": host} if parts.scheme == "https" else {}
        request = self._client.build_request("GET", url, headers=asked, extensions=named)
        answer = await self._client.send(request, stream=True)
        try:
            if answer.status_code in REDIRECTING and "location" in answer.headers:
                return Page(parts.geturl(), answer.status_code, "", b""), answer.headers["location"]
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise SourceFailed("the answer is packed, and was asked for plain",
                                   where=parts.geturl(), retryable=False)  # fmt: skip
            body = bytearray()
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > most:
                    raise SourceFailed(f"the page is larger than {most:,} bytes",
                                       where=parts.geturl(), retryable=False)  # fmt: skip
        finally:
            await answer.aclose()
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Page(parts.geturl(), answer.status_code, kind, bytes(body)), ""

    async def _address(self, parts: SplitResult) -> str:
        """Where the name leads to, when all its addresses may be asked."""
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError):
            raise SourceFailed("the name leads nowhere", where=parts.geturl()) from None
        addresses = [str(one[4][0]) for one in found]
        if host.lower() not in self._own:
            for address in addresses:
                if not is_public(address):
                    raise SourceFailed(
                        f"{host} leads to {address}, which is not of the public network",
                        where=parts.geturl(),
                        right="a public host, or its name among data.own_hosts",
                        retryable=False,
                    )
        return addresses[0]

    async def close(self) -> None:
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def is_public(text: str) -> bool:
    """Whether an address belongs to the public network, whatever it is wrapped in."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if address in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        if address in _6TO4 or address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


def _plain(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SourceFailed("this is no address", where=url[:200], retryable=False) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise SourceFailed("this is no address of the web", where=url[:200], right="https://...",
                           retryable=False)  # fmt: skip
    if parts.username is not None or parts.password is not None:
        raise SourceFailed("an address holds no names and no passwords",
                           where=str(parts.hostname), retryable=False)  # fmt: skip
    return parts
