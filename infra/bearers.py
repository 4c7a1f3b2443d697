"""The tokens of a home, as a nats-server has to know those who bear them."""

from __future__ import annotations

from events.nats.permissions import Bearer
from infra.tokens import Tokens


def bearers(tokens: Tokens) -> tuple[Bearer, ...]:
    """Those of now. A token that is older than NATS here has no hash for it, and no user."""
    return tuple(
        Bearer(one.name, one.sha256, one.bcrypt, one.scopes) for one in tokens.all() if one.bcrypt
    )
