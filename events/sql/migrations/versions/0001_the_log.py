"""The log: events, their signed head, and what readers and workers keep beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TRIGGERS = {
    "sqlite": (
        """
        CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event is never changed'); END
        """,
        """
        CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event is never removed'); END
        """,
        """
        CREATE TRIGGER events_are_only_added BEFORE INSERT ON events
        WHEN NEW.position <> coalesce((SELECT max(position) FROM events), 0) + 1
          OR EXISTS (SELECT 1 FROM events WHERE event_id = NEW.event_id)
          OR EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND version = NEW.version)
        BEGIN SELECT RAISE(ABORT, 'the log is append-only: each event once, with no gap'); END
        """,
    ),
}
"""By dialect: what makes the table append-only, whoever writes."""


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("position", LONG, primary_key=True),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("schema", sa.Integer, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("version", LONG, nullable=False),
        sa.Column("recorded_at", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sa.Column("cause_id", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.create_index("events_event_id", "events", ["event_id"], unique=True)
    op.create_index("events_stream_version", "events", ["stream", "version"], unique=True)
    op.create_index(
        "events_cause",
        "events",
        ["cause_id"],
        sqlite_where=sa.text("cause_id IS NOT NULL"),
    )
    op.create_index("events_type", "events", ["type"])
    op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("position", LONG, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
    )
    op.create_table(
        "checkpoints",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("position", LONG, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("position", LONG, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("epoch", LONG, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("local", sa.Boolean, nullable=False),
    )
    op.create_index("leases_open", "leases", ["kind", "position"])
    op.create_table(
        "snapshots",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("fold", sa.Text, nullable=False),
        sa.Column("position", LONG, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a log is not taken back to an older schema: use a backup")
