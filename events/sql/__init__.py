"""The log in a database. SQLAlchemy, Alembic and database drivers live here and nowhere else."""
