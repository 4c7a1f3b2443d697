"""Tests of what models remember."""
