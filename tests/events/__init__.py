"""Tests of the language, the log and what reads it."""
