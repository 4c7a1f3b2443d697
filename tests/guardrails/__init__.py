"""Tests of what stands between us and models."""
