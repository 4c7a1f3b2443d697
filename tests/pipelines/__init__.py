"""Tests of the pipelines, and of the data that they learn from."""
