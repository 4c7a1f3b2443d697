"""What Alembic runs first: the connection of `events.sql.migrate`, all steps in one transaction;
or, where it gave only a dialect, the SQL of the steps, for a transaction of the caller."""

from alembic import context

from events.sql.tables import METADATA

attributes = context.config.attributes
if "dialect" in attributes:
    context.configure(
        dialect_name=attributes["dialect"], target_metadata=METADATA, literal_binds=True
    )
    context.run_migrations()
else:
    context.configure(
        connection=attributes["connection"],
        target_metadata=METADATA,
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
