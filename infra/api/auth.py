"""Who calls: by token, or from this machine without one; and what a web page may not make us do.

On loopback no token is asked for, so a call without one must name a loopback host (else any name
that an attacker lets point at 127.0.0.1 would do), must not come from a page of another site, and
must not have been passed on by a proxy. Beyond loopback every call bears a token.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.datastructures import Headers
from starlette.requests import Request

from infra.api.problems import TurnedAway
from infra.callers import NOBODY, RIGHT, Caller, Callers, Stranger
from infra.sockets import is_loopback
from infra.tokens import SCOPES, Tokens

CALLER = "ratchet.caller"
"""Under which name a request carries its caller."""


NEIGHBOUR = Caller("http", frozenset(SCOPES) - {"admin"})
"""Anyone on this machine, where the door listens on loopback only. What is personal is not for all
who share a machine: that takes a token everywhere."""


class Guard:
    """Stands at the door. `owner` is the token that the owner's own note holds."""

    def __init__(self, tokens: Tokens, loopback: bool, owner: str = "") -> None:
        self._callers, self.loopback = Callers(tokens, owner), loopback

    def caller(self, headers: Headers) -> Caller:
        """Who calls, or why they are turned away."""
        if "authorization" in headers:
            return self._bearer(headers.getlist("authorization"))
        if not self.loopback:
            raise unknown("this door asks for a token")
        check_local(headers)
        return NEIGHBOUR

    def _bearer(self, given: list[str]) -> Caller:
        try:
            return self._callers.bearer(given)
        except Stranger as stranger:
            raise unknown(stranger.what) from None


def unknown(what: str) -> TurnedAway:
    headers = {"WWW-Authenticate": "Bearer"}
    return TurnedAway(401, what, where="token", right=RIGHT, headers=headers)


def check_local(headers: Headers) -> None:
    """Let through what a program on this machine sends, and nothing that a web page could."""
    named = headers.getlist("host")
    if len(named) != 1 or not is_loopback(_hostname(f"//{named[0]}")):
        what = f"{', '.join(named)[:100]!r} is not this machine"
        right = "call it localhost or 127.0.0.1, or bear a token"
        raise TurnedAway(403, what, where="Host", right=right)
    origin = headers.get("origin")
    foreign = origin is not None and not is_loopback(_hostname(origin))
    if foreign or headers.get("sec-fetch-site", "").lower() == "cross-site":
        what = "a page of another site may not call here"
        raise TurnedAway(403, what, where="Origin", right="call without a browser, or bear a token")
    if "forwarded" in headers or "x-forwarded-for" in headers:
        raise unknown("a call that a proxy passed on needs a token")


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def caller_of(request: Request) -> Caller:
    found = request.scope.get(CALLER)
    return found if isinstance(found, Caller) else NOBODY


def needs(scope: str) -> Any:
    """The dependency of a route that only callers with this scope may use."""

    async def check(request: Request) -> Caller:
        return insist(request, scope)

    return Depends(check)


def insist(request: Request, scope: str) -> Caller:
    """Who calls, if they have this scope."""
    caller = caller_of(request)
    if not caller.may(scope):
        whose = "this token is" if caller is not NEIGHBOUR else "a call without a token is"
        what, right = f"{whose} not for {scope!r}", f"a token with --scope {scope}"
        raise TurnedAway(403, what, where="token", right=right)
    return caller
