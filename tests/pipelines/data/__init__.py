"""Tests of what good data is."""
