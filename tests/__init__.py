"""Tests: what the system promises, in the words of those who use it."""
