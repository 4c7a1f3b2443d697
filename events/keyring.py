"""The keys that one batch of operations needs, and what the batch does to them: pure, in memory."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import uuid4

from events.envelope import Draft, Envelope, Sealing
from events.errors import LogDamaged
from events.sealing import SECRET, open_part, sealed


class SubjectKey(NamedTuple):
    """A subject's key, and the opaque id by which events name it."""

    key_id: str
    secret: bytes


def new_key() -> SubjectKey:
    return SubjectKey(str(uuid4()), secrets.token_bytes(SECRET))


@dataclass(slots=True)
class Keyring:
    """What the home holds of the subjects in question, before and during the batch."""

    of: dict[str, SubjectKey] = field(default_factory=dict)
    """By subject."""
    by_id: dict[str, SubjectKey] = field(default_factory=dict)
    """Those too under which events were sealed that are sent again."""
    damaged: frozenset[str] = frozenset()
    """Subjects, and ids of keys, whose rows the home's key does not open."""
    fresh: Callable[[], SubjectKey] = new_key
    changed: dict[str, SubjectKey | None] = field(default_factory=dict)
    """By subject: the key that it has from now on, or none. One that it had before is deleted."""
    forgets: bool = False
    """A key was deleted, and no trace of it may stay."""

    def check(self, drafts: Sequence[Draft]) -> None:
        """Stop before anything is sealed under a key that nobody could open again."""
        for one in drafts:
            if one.sealing is not None and one.sealing.subject in self.damaged:
                raise unreadable()

    def seal(self, one: Draft, sealing: Sealing) -> tuple[str, str]:
        """The id of the subject's key, made now for one who has none, and the data under it."""
        subject = sealing.subject
        key = self.of.get(subject)
        if key is None:
            key = self.of[subject] = self.changed[subject] = self.fresh()
            self.by_id[key.key_id] = key
        if sealing.forgets:
            del self.of[subject], self.by_id[key.key_id]
            self.changed[subject], self.forgets = None, True
        return key.key_id, sealed(one.data, sealing.fields, key.secret, one.event_id)

    def alike(self, one: Draft, old: Envelope) -> bool:
        """Whether the draft is what lies in the log. Once the key is gone, what was never sealed
        decides: nobody can tell any more what the rest was."""
        if one.sealing is None or old.key_id is None:
            return False
        if old.key_id in self.damaged:
            raise unreadable()
        key, fields = self.by_id.get(old.key_id), one.sealing.fields
        if key is not None:
            return old.data == sealed(one.data, fields, key.secret, one.event_id)
        return open_part(old.data, fields) == open_part(one.data, fields)


def unreadable() -> LogDamaged:
    return LogDamaged(
        "a subject's key does not open under the key of this home",
        where="keys/subjects.key",
        right="bring back the file that belongs to this log, from a backup",
    )
