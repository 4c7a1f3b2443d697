"""The log: events, their signed head, and what readers and workers keep beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Compared by bytes everywhere, as Python does."""

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
    "postgresql": (
        """
        CREATE FUNCTION events_stay() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
                MESSAGE = 'the log is append-only: an event is never '
                || CASE TG_OP WHEN 'UPDATE' THEN 'changed' ELSE 'removed' END;
        END $$
        """,
        """
        CREATE FUNCTION events_follow() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            first bigint; newest bigint; number bigint;
        BEGIN
            SELECT min(position), max(position), count(*) INTO first, newest, number FROM added;
            IF number > 0 AND (number <> newest - first + 1 OR first <> 1 + coalesce(
                (SELECT max(position) FROM events WHERE position < first), 0
            )) THEN
                RAISE EXCEPTION 'the log is append-only: each event once, with no gap'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END $$
        """,
        """
        CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
        FOR EACH STATEMENT EXECUTE FUNCTION events_stay()
        """,
        """
        CREATE TRIGGER events_are_never_removed BEFORE DELETE OR TRUNCATE ON events
        FOR EACH STATEMENT EXECUTE FUNCTION events_stay()
        """,
        """
        CREATE TRIGGER events_are_only_added AFTER INSERT ON events
        REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION events_follow()
        """,
        "REVOKE UPDATE, DELETE, TRUNCATE ON events FROM PUBLIC, CURRENT_USER",
    ),
}
"""By dialect: what makes the table append-only, whoever writes."""


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("position", LONG, primary_key=True, autoincrement=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("schema", sa.Integer, nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("version", LONG, nullable=False),
        sa.Column("recorded_at", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("correlation_id", TEXT, nullable=False),
        sa.Column("cause_id", TEXT),
        sa.Column("data", TEXT, nullable=False),
        sa.Column("key_id", TEXT),
        sa.Column("previous_hash", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
    )
    op.create_index("events_event_id", "events", ["event_id"], unique=True)
    op.create_index("events_stream_version", "events", ["stream", "version"], unique=True)
    op.create_index(
        "events_cause",
        "events",
        ["cause_id"],
        sqlite_where=sa.text("cause_id IS NOT NULL"),
        postgresql_where=sa.text("cause_id IS NOT NULL"),
    )
    dialect = op.get_context().dialect.name
    by_type = ["type"] if dialect == "sqlite" else ["type", "position"]  # there it is implied
    op.create_index("events_type", "events", by_type)
    op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", LONG, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("signature", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
    )
    op.create_table(
        "checkpoints",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("position", LONG, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("position", LONG, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("epoch", LONG, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("local", sa.Boolean, nullable=False),
    )
    op.create_index("leases_open", "leases", ["kind", "position"])
    op.create_table(
        "snapshots",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("fold", TEXT, nullable=False),
        sa.Column("position", LONG, nullable=False),
        sa.Column("state", TEXT, nullable=False),
    )
    for statement in TRIGGERS[dialect]:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a log is not taken back to an older schema: use a backup")
