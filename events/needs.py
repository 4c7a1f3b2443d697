"""What must be looked up before a batch of operations can be admitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from events.store import (
    Append,
    ClaimRequest,
    EndLocalLeases,
    Operation,
    ReleaseLease,
    RenewLease,
    TakeLease,
)


def request_lease(event_id: str) -> str:
    """The name of the lease under which a request is granted."""
    return f"request/{event_id}"


@dataclass(slots=True)
class Needs:
    """What must be looked up before a batch can be admitted."""

    ids: set[str] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    """Those under whose keys something will be sealed."""
    checkpoints: set[str] = field(default_factory=set)
    leases: set[str] = field(default_factory=set)
    claims: list[tuple[str, ...]] = field(default_factory=list)
    """Kinds of requests of which one is asked for."""
    passed_by: int = 0
    """Requests that those who ask for one do not want."""
    all_leases: bool = False

    def depth(self) -> int:
        """How many free requests of a kind suffice: the batch can take no more away before."""
        return len(self.claims) + len(self.leases) + self.passed_by


def needs(operations: Sequence[Operation], every_id: bool = False) -> Needs:
    """`every_id` also looks up those that nobody is expected to have used before."""
    found = Needs()
    for operation in operations:
        match operation:
            case Append(drafts=drafts, move=move, answers=answers):
                for one in drafts:
                    found.streams.add(one.stream)
                    if one.known_id or every_id:
                        found.ids.add(one.event_id)
                    if one.closes:
                        found.leases.add(request_lease(one.closes))
                    if one.sealing is not None:
                        found.subjects.add(one.sealing.subject)
                if operation.expected:
                    found.streams.update(operation.expected)
                if move is not None:
                    found.checkpoints.add(move.name)
                    if move.lease is not None:
                        found.leases.add(move.lease.name)
                if answers is not None:
                    found.leases.add(answers.name)
            case TakeLease(name=name):
                found.leases.add(name)
            case RenewLease(held=held) | ReleaseLease(held=held):
                found.leases.add(held.name)
            case ClaimRequest(kinds=kinds, without=without):
                found.claims.append(kinds)
                found.passed_by += len(without)
            case EndLocalLeases():
                found.all_leases = True
    return found
