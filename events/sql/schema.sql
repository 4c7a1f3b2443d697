-- The embedded log as its newest migration leaves it, so that a new home needs no Alembic.
-- A test compares the two.
CREATE TABLE events (
    position INTEGER PRIMARY KEY NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    schema INTEGER NOT NULL,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    cause_id TEXT,
    data TEXT NOT NULL,
    key_id TEXT,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE UNIQUE INDEX events_event_id ON events (event_id);
CREATE UNIQUE INDEX events_stream_version ON events (stream, version);
CREATE INDEX events_cause ON events (cause_id) WHERE cause_id IS NOT NULL;
CREATE INDEX events_type ON events (type);
CREATE INDEX events_key ON events (key_id) WHERE key_id IS NOT NULL;
CREATE TABLE head (
    id INTEGER PRIMARY KEY NOT NULL,
    position INTEGER NOT NULL,
    hash TEXT NOT NULL,
    signature TEXT NOT NULL,
    "key" TEXT NOT NULL,
    root TEXT DEFAULT '' NOT NULL
);
CREATE TABLE segments (
    number INTEGER PRIMARY KEY NOT NULL,
    root TEXT NOT NULL
);
CREATE TABLE subjects (
    token TEXT PRIMARY KEY NOT NULL,
    key_id TEXT NOT NULL,
    wrapped TEXT NOT NULL
);
CREATE UNIQUE INDEX subjects_key_id ON subjects (key_id);
CREATE TABLE checkpoints (
    name TEXT PRIMARY KEY NOT NULL,
    position INTEGER NOT NULL
);
CREATE TABLE leases (
    name TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    position INTEGER NOT NULL,
    holder TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    until FLOAT NOT NULL,
    local BOOLEAN NOT NULL
);
CREATE INDEX leases_open ON leases (kind, position);
CREATE TABLE snapshots (
    name TEXT PRIMARY KEY NOT NULL,
    fold TEXT NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL
);
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event is never changed'); END;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event is never removed'); END;
CREATE TRIGGER events_are_only_added BEFORE INSERT ON events
WHEN NEW.position <> coalesce((SELECT max(position) FROM events), 0) + 1
  OR EXISTS (SELECT 1 FROM events WHERE event_id = NEW.event_id)
  OR EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'the log is append-only: each event once, with no gap'); END;
