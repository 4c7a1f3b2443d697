"""Suites: comparisons, weak spots, areas, and benchmarks from files."""
