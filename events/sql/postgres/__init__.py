"""The log in Postgres: many processes on many machines, one writer at a time."""
