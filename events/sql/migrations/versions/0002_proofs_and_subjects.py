"""Proofs and subjects: the root in the head, roots of whole segments, a key for each subject.

The tree over what an older log holds is built by the store, when it first writes to it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

FUNCTIONS = (
    """
    CREATE FUNCTION hold_log() RETURNS SETOF head LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(8241924308127970164);
        RETURN QUERY SELECT * FROM head WHERE id = 1;
    END $$
    """,
    """
    CREATE FUNCTION add_events(
        after bigint, behind text, said_at text, ids text[], types text[], schemas integer[],
        streams text[], versions bigint[], actors text[], correlations text[], causes text[],
        bodies text[], key_ids text[], hashes text[], signed text, signer text, tree text,
        numbers bigint[], roots text[]
    ) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(8241924308127970164);
        IF behind <> coalesce((SELECT hash FROM head WHERE id = 1), repeat('0', 64)) THEN
            RETURN false;
        END IF;
        INSERT INTO events SELECT after + n, i, t, s, w, v, said_at, a, o, c, b, k, p, h
        FROM unnest(
            ids, types, schemas, streams, versions, actors, correlations, causes, bodies, key_ids,
            behind || hashes[1:cardinality(hashes) - 1], hashes
        ) WITH ORDINALITY AS added (i, t, s, w, v, a, o, c, b, k, p, h, n);
        INSERT INTO head VALUES (
            1, after + cardinality(hashes), hashes[cardinality(hashes)], signed, signer, tree
        ) ON CONFLICT (id) DO UPDATE SET position = excluded.position, hash = excluded.hash,
            signature = excluded.signature, key = excluded.key, root = excluded.root;
        IF cardinality(numbers) > 0 THEN
            INSERT INTO segments SELECT * FROM unnest(numbers, roots)
            ON CONFLICT (number) DO UPDATE SET root = excluded.root;
        END IF;
        RETURN true;
    END $$
    """,
)
"""Of Postgres. The lock is taken before anything is looked at, so what is seen is the newest; an
append that is made for another end of the log than there is changes nothing."""


def upgrade() -> None:
    op.add_column("head", sa.Column("root", TEXT, nullable=False, server_default=""))
    op.create_table(
        "segments",
        sa.Column("number", LONG, primary_key=True, autoincrement=False),
        sa.Column("root", TEXT, nullable=False),
    )
    op.create_table(
        "subjects",
        sa.Column("token", TEXT, primary_key=True),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("wrapped", TEXT, nullable=False),
    )
    op.create_index("subjects_key_id", "subjects", ["key_id"], unique=True)
    op.create_index(
        "events_key",
        "events",
        ["key_id"],
        sqlite_where=sa.text("key_id IS NOT NULL"),
        postgresql_where=sa.text("key_id IS NOT NULL"),
    )
    if op.get_context().dialect.name == "postgresql":
        for statement in FUNCTIONS:
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a log is not taken back to an older schema: use a backup")
