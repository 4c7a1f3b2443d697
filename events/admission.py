"""What a batch of operations does to the log: one pure decision, shared by every store.

A store looks up what the batch depends on (`events.needs` says what), calls `admit`, and writes the
plan. Each operation gets its own answer or error, so that one caller's conflict never spoils its
neighbours' commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from events.chain import link
from events.envelope import Draft, Envelope
from events.errors import (
    CheckpointMoved,
    IdTaken,
    LeaseLost,
    Malformed,
    RatchetError,
    VersionConflict,
)
from events.ids import is_id
from events.keyring import Keyring
from events.needs import request_lease
from events.store import (
    EXISTS,
    Answer,
    Append,
    ClaimRequest,
    EndLocalLeases,
    Held,
    Lease,
    Move,
    Operation,
    PutSnapshot,
    ReleaseLease,
    RenewLease,
    Snapshot,
    TakeLease,
)


@dataclass(slots=True)
class Ledger:
    """What is known before the batch, and, while it is admitted, after each of its operations."""

    position: int
    hash: str
    recorded_at: str
    versions: dict[str, int]
    existing: dict[str, Envelope]
    checkpoints: dict[str, int]
    leases: dict[str, Lease]
    """Those asked for by name, and the oldest free requests of the kinds that are claimed."""
    keys: Keyring | None = None
    """Of the subjects under whose keys something is sealed; None where nothing is."""


@dataclass(slots=True)
class Plan:
    """What the store is to write, in one transaction, and what it is to answer."""

    rows: list[Envelope] = field(default_factory=list)
    checkpoints: dict[str, int] = field(default_factory=dict)
    leases: dict[str, Lease | None] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    keys: Keyring | None = None
    """Where something was sealed: what that does to the keys of its subjects."""
    answers: list[Answer | RatchetError] = field(default_factory=list)
    refused: bool = False
    """An append was among those refused."""

    def writes(self) -> bool:
        return bool(self.rows or self.checkpoints or self.leases or self.snapshots)


def admit(operations: Sequence[Operation], ledger: Ledger, recorded_at: str, now: float) -> Plan:
    """Decide the batch in order. `recorded_at` is never earlier than the log's newest event."""
    ledger.recorded_at = max(ledger.recorded_at, recorded_at)
    plan = Plan(keys=ledger.keys)
    for operation in operations:
        try:
            plan.answers.append(_one(operation, ledger, plan, now))
        except RatchetError as error:
            plan.answers.append(error)
            plan.refused |= isinstance(operation, Append)
    return plan


def _one(operation: Operation, ledger: Ledger, plan: Plan, now: float) -> Answer:
    match operation:
        case Append():
            return _append(operation, ledger, plan)
        case TakeLease(name=name, holder=holder, seconds=seconds, local=local):
            lease = ledger.leases.get(name) or Lease(name, "", 0, "", 0, 0.0, local)
            if lease.holder not in ("", holder) and lease.until > now:
                raise LeaseLost(
                    f"{name!r} is held by {lease.holder}",
                    where=name,
                    right=f"its lease ends in {lease.until - now:.1f} s unless it is renewed",
                )
            return _grant(lease, holder, now + seconds, local, ledger, plan)
        case ClaimRequest(kinds=kinds, holder=holder, seconds=seconds, local=local):
            free = (
                lease
                for lease in ledger.leases.values()
                if lease.kind in kinds
                and lease.name not in operation.without
                and (lease.holder == "" or lease.until <= now)
            )
            oldest = min(free, key=lambda lease: lease.position, default=None)
            if oldest is None:
                return None
            return _grant(oldest, holder, now + seconds, local, ledger, plan)
        case RenewLease(held=held, seconds=seconds):
            lease = _current(held, ledger)
            return _put(lease._replace(until=now + seconds), ledger, plan)
        case ReleaseLease(held=held):
            lease = _current(held, ledger)
            return _put(lease._replace(holder="", until=0.0), ledger, plan)
        case EndLocalLeases():
            for lease in list(ledger.leases.values()):
                if lease.local and lease.holder:
                    _put(lease._replace(holder="", until=0.0), ledger, plan)
            return None
        case PutSnapshot(snapshot=snapshot):
            plan.snapshots[snapshot.name] = snapshot
            return None


def _grant(
    lease: Lease, holder: str, until: float, local: bool, ledger: Ledger, plan: Plan
) -> Lease:
    granted = lease._replace(holder=holder, epoch=lease.epoch + 1, until=until, local=local)
    return _put(granted, ledger, plan)


def _put(lease: Lease, ledger: Ledger, plan: Plan) -> Lease:
    ledger.leases[lease.name] = plan.leases[lease.name] = lease
    return lease


def _current(held: Held, ledger: Ledger) -> Lease:
    lease = ledger.leases.get(held.name)
    if lease is None:
        raise LeaseLost(f"{held.name!r} was answered or withdrawn", where=held.name)
    if lease.epoch != held.epoch:
        raise LeaseLost(f"{held.name!r} was granted anew (epoch {lease.epoch})", where=held.name)
    if not lease.holder:
        raise LeaseLost(f"{held.name!r} was given back (epoch {lease.epoch})", where=held.name)
    return lease


def _append(operation: Append, ledger: Ledger, plan: Plan) -> Answer:
    repeated = _repeated(operation.drafts, ledger)
    if repeated is None and operation.expected:
        _check_versions(operation.expected, ledger)
    if operation.move is not None:
        _check_move(operation.move, ledger)
    if repeated is None:
        _check_authority(operation, ledger)
        if ledger.keys is not None:
            ledger.keys.check(operation.drafts)
        repeated = tuple([_linked(one, operation, ledger, plan) for one in operation.drafts])
        if operation.answers is not None:
            _close(operation.answers.name, ledger, plan)
    if operation.move is not None:
        name, new = operation.move.name, operation.move.new
        ledger.checkpoints[name] = plan.checkpoints[name] = new
    return repeated


def _check_authority(operation: Append, ledger: Ledger) -> None:
    """An answer needs the lease of the request that caused it, and an outcome is an answer."""
    if not operation.actor.isprintable():
        raise Malformed(f"{operation.actor!r} is no name for an actor", where="actor")
    if operation.correlation is not None and not is_id(operation.correlation):
        raise Malformed(f"{operation.correlation!r} is no id", where="correlation", right="a uuid")
    answers, cause = operation.answers, operation.cause
    if answers is not None:
        _current(answers, ledger)
        if cause is None or answers.name != request_lease(cause.event_id):
            raise Malformed(
                "an answer has another cause than the request whose lease it bears",
                where=answers.name,
                right="append it with the request itself as its cause",
            )
        return
    for one in operation.drafts:
        if one.outcome:
            raise LeaseLost("an outcome is admitted only under the lease of its request")


def _close(lease: str, ledger: Ledger, plan: Plan) -> None:
    if ledger.leases.pop(lease, None) is not None:
        plan.leases[lease] = None


def _repeated(drafts: tuple[Draft, ...], ledger: Ledger) -> tuple[Envelope, ...] | None:
    """The old answer, when all of this was said before; an error when it was said otherwise."""
    if len(drafts) > 1 and len({one.event_id for one in drafts}) < len(drafts):
        raise IdTaken("two events of one append bear the same id", where="id")
    known = [ledger.existing.get(one.event_id) for one in drafts]
    if not any(known):
        return None
    for one, old in zip(drafts, known, strict=True):
        if (
            old is None
            or (old.type, old.schema, old.stream) != (one.type, one.schema, one.stream)
            or (old.data != one.data and not (ledger.keys and ledger.keys.alike(one, old)))
        ):
            taken = one.event_id if old is not None else "some of these events"
            raise IdTaken(
                f"{taken} already stands in the log with other content",
                where="id",
                right="the same id always means the same event; take a new id for a new event",
            )
    return tuple(old for old in known if old is not None)


def _check_versions(expectations: Mapping[str, int], ledger: Ledger) -> None:
    for stream, expected in expectations.items():
        actual = ledger.versions.get(stream, 0)
        if expected == actual or (expected == EXISTS and actual > 0):
            continue
        wanted = "to exist" if expected == EXISTS else f"at version {expected}"
        raise VersionConflict(
            f"stream {stream!r} is at version {actual}, expected {wanted}",
            where=stream,
            right="read the stream again and decide anew",
        )


def _check_move(move: Move, ledger: Ledger) -> None:
    if move.lease is not None:
        _current(move.lease, ledger)
    actual = ledger.checkpoints.get(move.name, 0)
    if move.new < move.old:
        raise CheckpointMoved(
            f"checkpoint {move.name!r} would go back from {move.old} to {move.new}",
            where=move.name,
            right="a checkpoint only goes forward; read on from where it stands",
        )
    if actual != move.old:
        raise CheckpointMoved(
            f"checkpoint {move.name!r} stands at {actual}, not at {move.old}",
            where=move.name,
            right="another reader has gone on; begin again from its checkpoint",
        )


def _linked(one: Draft, operation: Append, ledger: Ledger, plan: Plan) -> Envelope:
    event_id, kind, schema, stream, data, _, opens, closes, _, sealing = one
    cause, actor, recorded_at = operation.cause, operation.actor, ledger.recorded_at
    correlation, cause_id, key_id = operation.correlation or event_id, None, None
    if sealing is not None:
        assert ledger.keys is not None, "a store that looks up no keys can take no personal fields"
        key_id, data = ledger.keys.seal(one, sealing)
    if cause is not None:
        correlation, cause_id = cause.correlation_id, cause.event_id
    position = ledger.position = ledger.position + 1
    version = ledger.versions[stream] = ledger.versions.get(stream, 0) + 1
    previous = ledger.hash
    ledger.hash = link(
        previous, position, event_id, kind, schema, stream, version, recorded_at, actor,
        correlation, cause_id, key_id, data,
    )  # fmt: skip
    row = Envelope(
        position, event_id, kind, schema, stream, version, recorded_at, actor, correlation,
        cause_id, data, key_id, previous, ledger.hash,
    )  # fmt: skip
    ledger.existing[event_id] = row
    plan.rows.append(row)
    if opens:
        _put(Lease(request_lease(event_id), kind, position, "", 0, 0.0, True), ledger, plan)
    if closes:
        _close(request_lease(closes), ledger, plan)
    return row
