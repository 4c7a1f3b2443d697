"""The tables as classes: what migrations are compared with, and what small reads may use.

The log is written and read without them: an event loaded as an object of the ORM costs five times
as much, and a table class checks nothing when it is made.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, Text, text
from sqlmodel import Field, SQLModel

METADATA = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_name)s",
        "uq": "%(table_name)s_%(column_0_name)s_once",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_name)s_of_%(referred_table_name)s",
        "pk": "%(table_name)s_pk",
    }
)
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared by bytes everywhere, as Python does."""
LONG = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts in 64 bits anyway, and only an INTEGER key is the number of its row."""


class Table(SQLModel):
    """The base of them all, with metadata of its own, so that no other table strays in."""

    metadata: ClassVar[MetaData] = METADATA


class EventRow(Table, table=True):
    """One event with its envelope."""

    __tablename__ = "events"
    __table_args__: ClassVar[Any] = (
        Index("events_event_id", "event_id", unique=True),
        Index("events_stream_version", "stream", "version", unique=True),
        Index(
            "events_cause",
            "cause_id",
            sqlite_where=text("cause_id IS NOT NULL"),
            postgresql_where=text("cause_id IS NOT NULL"),
        ),
        Index("events_type", "type"),
        Index(
            "events_key",
            "key_id",
            sqlite_where=text("key_id IS NOT NULL"),
            postgresql_where=text("key_id IS NOT NULL"),
        ),
    )

    position: int = Field(sa_column=Column(LONG, primary_key=True, autoincrement=False))
    event_id: str = Field(sa_type=TEXT)
    type: str = Field(sa_type=TEXT)
    schema_: int = Field(sa_column=Column("schema", Integer, nullable=False))
    stream: str = Field(sa_type=TEXT)
    version: int = Field(sa_type=LONG)
    recorded_at: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    correlation_id: str = Field(sa_type=TEXT)
    cause_id: str | None = Field(default=None, sa_type=TEXT)
    data: str = Field(sa_type=TEXT)
    key_id: str | None = Field(default=None, sa_type=TEXT)
    previous_hash: str = Field(sa_type=TEXT)
    hash: str = Field(sa_type=TEXT)


class HeadRow(Table, table=True):
    """Where the log ends, under signature: one row, with the id 1."""

    __tablename__ = "head"

    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    position: int = Field(sa_type=LONG)
    hash: str = Field(sa_type=TEXT)
    signature: str = Field(sa_type=TEXT)
    key: str = Field(sa_type=TEXT)
    root: str = Field(sa_column=Column(TEXT, nullable=False, server_default=text("''")))


class SegmentRow(Table, table=True):
    """The root of the Merkle tree over one whole segment of events: a cache."""

    __tablename__ = "segments"

    number: int = Field(sa_column=Column(LONG, primary_key=True, autoincrement=False))
    """From 0."""
    root: str = Field(sa_type=TEXT)


class SubjectRow(Table, table=True):
    """The key of one subject, wrapped by the key of the home. Without its row it is forgotten."""

    __tablename__ = "subjects"
    __table_args__: ClassVar[Any] = (Index("subjects_key_id", "key_id", unique=True),)

    token: str = Field(primary_key=True, sa_type=TEXT)
    key_id: str = Field(sa_type=TEXT)
    wrapped: str = Field(sa_type=TEXT)


class CheckpointRow(Table, table=True):
    """How far a reader has come."""

    __tablename__ = "checkpoints"

    name: str = Field(primary_key=True, sa_type=TEXT)
    position: int = Field(sa_type=LONG)


class LeaseRow(Table, table=True):
    """Who may act under a name, and until when."""

    __tablename__ = "leases"
    __table_args__: ClassVar[Any] = (Index("leases_open", "kind", "position"),)

    name: str = Field(primary_key=True, sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    position: int = Field(sa_type=LONG)
    holder: str = Field(sa_type=TEXT)
    epoch: int = Field(sa_type=LONG)
    until: float = Field(sa_type=Float)
    local: bool


class SnapshotRow(Table, table=True):
    """A fold's state at a position."""

    __tablename__ = "snapshots"

    name: str = Field(primary_key=True, sa_type=TEXT)
    fold: str = Field(sa_type=TEXT)
    position: int = Field(sa_type=LONG)
    state: str = Field(sa_type=TEXT)
