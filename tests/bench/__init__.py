"""The project's own benchmarks, peers beside them: `python -m tests.bench [NAME...] [--short]`."""
