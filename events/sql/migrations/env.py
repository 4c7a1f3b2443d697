"""What Alembic runs first: the connection of `events.sql.migrate`, all steps in one transaction."""

from alembic import context

from events.sql.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
