"""Which files are begun first where several processes share the tests: the longest ones.

Each process takes one file after the other; with a long one left for the end, all others would wait
for it. A test by itself runs where it stands, and none may depend on those before it.
"""

from __future__ import annotations

LONG = (
    "tests/infra/test_demo.py",
    "tests/infra/training/test_poisoned.py",
    "tests/infra/training/test_killed.py",
    "tests/trainers/test_training.py",
    "tests/agents/trainer/workers/test_stages_measure.py",
    "tests/infra/test_worker_over_nats.py",
    "tests/infra/test_verifying.py",
    "tests/infra/training/test_far_trainers.py",
    "tests/trainers/test_trl_trainings.py",
    "tests/trainers/test_executor.py",
    "tests/infra/test_outsider.py",
    "tests/infra/test_up.py",
    "tests/trainers/test_readme.py",
    "tests/infra/test_people_in_runs.py",
)
"""The longest first. All of them together take a third of the time of all tests."""


def turn(test: str) -> int:
    """The place in the line of a test that is named by its file and its function."""
    file = test.partition("::")[0]
    return LONG.index(file) if file in LONG else len(LONG)
