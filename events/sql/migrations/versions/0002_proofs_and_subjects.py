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


def upgrade() -> None:
    op.add_column("head", sa.Column("root", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "segments",
        sa.Column("number", LONG, primary_key=True, autoincrement=False),
        sa.Column("root", sa.Text, nullable=False),
    )
    op.create_table(
        "subjects",
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.Text, nullable=False),
    )
    op.create_index("subjects_key_id", "subjects", ["key_id"], unique=True)
    op.create_index(
        "events_key",
        "events",
        ["key_id"],
        sqlite_where=sa.text("key_id IS NOT NULL"),
        postgresql_where=sa.text("key_id IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("a log is not taken back to an older schema: use a backup")
