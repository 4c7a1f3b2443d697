"""Names by which callers are known to a server, and where replies reach each of them.

Who has a token has an inbox of its own, and nobody else reads it. The usual inbox, which clients
take when nobody tells them otherwise, is shared by the owner and by neighbours: programs on the
same machine, where that is trusted.
"""

from __future__ import annotations

import re
from hashlib import sha256

SYSTEM = "system"
"""What belongs to the log itself: the relay, the doors, the readers."""
OWNER = "owner"
"""Who may read the note of the home."""
NEIGHBOUR = "neighbour"
"""Any program on the same machine that comes without credentials."""
INBOX = "_INBOX"
"""What clients take where nobody tells them otherwise."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,100}").fullmatch
_DIGEST = re.compile(r"[0-9a-f]{20}").fullmatch
_REPLY = re.compile(r"_INBOX(_[A-Za-z0-9_-]{1,100})?(\.[!-)+,\-/-=?-~]{1,200}){1,8}").fullmatch


def user_of(token: str) -> str:
    """The user that a token is, for who knows the token and not its name."""
    return user_of_digest(sha256(token.encode("utf-8", "surrogateescape")).hexdigest())


def user_of_digest(digest: str) -> str:
    """The same, of the token's sha256."""
    return digest[:20]


def is_name(name: str) -> bool:
    """Whether a token of this name has a user of this name: it must be mistaken for no other.

    A dot would lay its inbox inside that of another.
    """
    return bool(_PLAIN(name)) and not _DIGEST(name) and name not in (SYSTEM, OWNER, NEIGHBOUR)


def inbox_of(user: str) -> str:
    """The prefix under which replies reach this user, and nobody else."""
    return f"{INBOX}_{user}"


def is_inbox(subject: str) -> bool:
    """Whether a reply may go there.

    Replies are sent with the rights of the system, so the address in a message must not lead
    anywhere else: not into the log's subjects, and not to the system itself.
    """
    return bool(_REPLY(subject)) and not subject.startswith(f"{inbox_of(SYSTEM)}.")
