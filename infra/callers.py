"""Who calls, by the token they bear: known the same way at every door."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from events.errors import NotYours, RatchetError
from infra.tokens import SCOPES, Token, Tokens, digest

log = logging.getLogger(__name__)

RIGHT = "Authorization: Bearer TOKEN; `ratchet tokens add` makes one"


class Stranger(NotYours):
    """Whoever bears no token of this home."""


@dataclass(frozen=True)
class Caller:
    """Who stands behind a call, as the log will name them, and what they may do."""

    actor: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


OWNER = Caller("cli", frozenset(SCOPES))
"""Commands of whoever may read the home's note."""
NOBODY = Caller("nobody", frozenset())


class Callers:
    """Those who bear a token. `owner` is the token that the owner's own note holds."""

    def __init__(self, tokens: Tokens, owner: str = "") -> None:
        self._tokens = tokens
        self._owner = digest(owner) if owner else ""
        self._complaint = ""

    def bearer(self, given: Sequence[str]) -> Caller:
        """Who bears what an Authorization header says, given once."""
        scheme, _, secret = given[0].strip().partition(" ")
        secret = secret.strip()
        if len(given) > 1 or scheme.lower() != "bearer" or not secret:
            what = "the Authorization header bears no token"
            raise Stranger(what, where="token", right=RIGHT)
        if self._owner and hmac.compare_digest(self._owner, digest(secret)):
            return OWNER
        token = self._known(secret)
        if token is None:
            raise Stranger("this token is not known here", where="token", right=RIGHT)
        return Caller(f"token:{token.name}", frozenset(token.scopes))

    def _known(self, secret: str) -> Token | None:
        try:
            token = self._tokens.bearer(secret)
        except (RatchetError, OSError) as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                log.error("no token is accepted: %s", error)
            return None
        self._complaint = ""
        return token
