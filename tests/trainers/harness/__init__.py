"""Benchmarks: our own loop beside EleutherAI's, and programs behind walls."""
