"""Who may say and hear what on a server: from tokens and catalogue to the text of its accounts.

Nothing here acts. What a scope opens is the same as over HTTP. Nobody but the system and the owner
may speak to JetStream, because a consumer can be told to deliver into any subject, with the
server's own rights; and nobody else may hear what is being published or worked on. The doors check
every message once more: the server knows users, the doors know what they say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from events.ingress import ANYONE, OPERATOR
from events.message import event_classes
from events.nats import subjects
from events.nats.users import (
    INBOX,
    NEIGHBOUR,
    OWNER,
    SYSTEM,
    inbox_of,
    is_name,
    user_of_digest,
)

ACCOUNT = "RATCHET"
EVERYTHING = ">"


class Bearer(NamedTuple):
    """A token as the server has to know it."""

    name: str
    digest: str
    """The sha256 of the token, in hex."""
    password: str
    """Its bcrypt hash."""
    scopes: tuple[str, ...]


class User(NamedTuple):
    """A user of the server. What is not allowed is forbidden; what is denied is so in any case."""

    name: str
    password: str
    says: tuple[str, ...]
    hears: tuple[str, ...]
    never_says: tuple[str, ...] = ()
    never_hears: tuple[str, ...] = ()


def users(bearers: Iterable[Bearer], system: str, owner: str, neighbours: bool) -> tuple[User, ...]:
    """All users; `system` and `owner` are the hashes of their passwords, and '' is no such user."""
    found = [User(SYSTEM, system, (EVERYTHING,), (EVERYTHING,))]
    if owner:
        everything = ((EVERYTHING,), (EVERYTHING,))
        # the position of an event there is its sequence: only the relay may add one
        never = ((f"{subjects.EVENTS}.>",), (f"{inbox_of(SYSTEM)}.>",))
        found.append(User(OWNER, owner, *everything, *never))
    for bearer in bearers:
        names = [user_of_digest(bearer.digest)]
        if is_name(bearer.name):
            names.append(bearer.name)
        found += [_of(name, bearer.password, bearer.scopes, inbox_of(name)) for name in names]
    if neighbours:
        found.append(_of(NEIGHBOUR, "", ("publish", "read"), INBOX))
    return tuple(found)


def _of(name: str, password: str, scopes: Sequence[str], inbox: str) -> User:
    says, hears = [], [f"{inbox}.>"]
    everything = "admin" in scopes
    if everything or "publish" in scopes:
        may = OPERATOR if everything else ANYONE
        says += [f"{subjects.PUBLISH}.{kind}" for kind in _types(may)]
    if everything or "read" in scopes:
        hears += [f"{subjects.EVENTS}.>", subjects.PROGRESS]
    if everything or "worker" in scopes:
        says += [f"{subjects.WORK}.{operation}" for operation in subjects.OPERATIONS]
        hears += [subjects.of_type(kind) for kind, one in event_classes().items() if one.opens]
    return User(name, password, tuple(says), tuple(hears))


def _types(may: frozenset[str]) -> list[str]:
    return [kind for kind, one in event_classes().items() if one.publisher in may]


def accounts(known: Iterable[User]) -> str:
    """The part of a nats-server's configuration that says who may do what."""
    known = tuple(known)
    lines = ["accounts {", f"  {ACCOUNT} {{", "    jetstream: enabled", "    users: ["]
    for user in known:
        lines += _written(user)
    lines += ["    ]", "  }", "}"]
    if any(user.name == NEIGHBOUR for user in known):
        lines.append(f"no_auth_user: {NEIGHBOUR}")
    return "\n".join(lines)


def _written(user: User) -> list[str]:
    password = f", password: {json.dumps(user.password)}" if user.password else ""
    return [
        f"      {{ user: {json.dumps(user.name)}{password}",
        "        permissions: {",
        f"          publish: {_rule(user.says, user.never_says)}",
        f"          subscribe: {_rule(user.hears, user.never_hears)}",
        "        } }",
    ]


def _rule(allowed: Sequence[str], denied: Sequence[str]) -> str:
    """An empty list of what is allowed would allow everything."""
    if not allowed:
        return f'{{ deny: ["{EVERYTHING}"] }}'
    deny = f", deny: {json.dumps(list(denied))}" if denied else ""
    return f"{{ allow: {json.dumps(list(allowed))}{deny} }}"
