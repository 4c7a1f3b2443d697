"""The preloaded host: it forks jobs that come out the same, and nothing that happens hurts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from events.catalog.jobs import JobSpec, Recipe, Resources
from tests.house.source import ROOT
from tests.trainers import torch_line
from tests.trainers.executor_contract import at_step, ended
from tests.trainers.jobs import metrics, spec, until
from tests.trainers.test_executor import fetch
from trainers import lock
from trainers.hosting import Host
from trainers.local import LocalExecutor
from trainers.processes import process


def ready(host: Host) -> Host:
    """The host, as soon as it has loaded."""
    until(lambda: host.health() != "loading")
    return host


def with_torch(job: str, threads: int = 1) -> JobSpec:
    recipe = Recipe(trainer=torch_line.TRAINER)
    wanted = spec(job, resources=Resources(threads=threads))
    return wanted.model_copy(update={"recipe": recipe})


@pytest.fixture(scope="module")
def fresh_weights(tmp_path_factory: pytest.TempPathFactory) -> float:
    """What the torch job comes to in a process of its own."""
    executor = LocalExecutor(tmp_path_factory.mktemp("fresh"), fetch)
    executor.submit(with_torch("one"))
    outcome = ended(executor, "one").outcome
    executor.close()
    assert outcome is not None
    found = outcome.metrics["weights"]
    assert found is not None
    return found


def test_a_forked_job_comes_out_as_in_a_process_of_its_own(
    tmp_path: Path, fresh_weights: float
) -> None:
    host = ready(Host(("torch",)))
    assert host.health() == "ready"
    executor = LocalExecutor(tmp_path, fetch, threads=2, host=host)
    for number in range(2):
        executor.submit(with_torch(f"j{number}"))
    outcomes = [ended(executor, f"j{number}").outcome for number in range(2)]
    assert [one and one.metrics for one in outcomes] == 2 * [
        {"threads": 1, "weights": fresh_weights}
    ]
    executor.submit(with_torch("two", threads=2))
    outcome = ended(executor, "two").outcome
    assert outcome is not None
    assert outcome.metrics["threads"] == 2
    executor.close()


def test_a_job_that_dies_leaves_the_host_as_it_was(tmp_path: Path) -> None:
    host = ready(Host(("json",)))
    executor = LocalExecutor(tmp_path, fetch, threads=2, host=host, most_starts=1)
    assert host.process is not None
    pid = host.process.pid
    for wrong in ("die", "error", "greedy"):
        executor.submit(spec(wrong, wrong=wrong, resources=Resources(memory_mb=400)))
        found = ended(executor, wrong).outcome
        assert found is not None
        assert found.status == "failed"
    assert (host.health(), host.process.pid) == ("ready", pid)
    children = Path(f"/proc/{pid}/task/{pid}/children")
    until(lambda: not children.read_text())  # nobody is left unburied
    executor.close()


def test_a_host_that_was_killed_is_replaced_and_its_jobs_go_on(tmp_path: Path) -> None:
    host = ready(Host(("json",)))
    executor = LocalExecutor(tmp_path, fetch, threads=2, host=host)
    executor.submit(spec("first", steps=80, pause=0.01))
    at_step(executor, "first", 3)
    assert host.process is not None
    before = host.process.pid
    os.kill(before, signal.SIGKILL)
    executor.submit(spec("second"))  # asked of a host that may be dying just now
    second = ended(executor, "second").outcome
    assert second is not None
    assert second.status == "completed"
    assert ended(executor, "first").starts == 1
    executor.submit(spec("third"))
    assert ended(executor, "third").starts == 1
    assert host.process.pid != before
    assert '"hosted": true' in (executor.folder("third") / "starts.jsonl").read_text()
    executor.close()


OWNER = """
import sys, time
from pathlib import Path
from tests.trainers.jobs import spec
from tests.trainers.test_executor import fetch
from trainers.hosting import Host
from trainers.local import LocalExecutor

host = Host(("json",))
executor = LocalExecutor(Path(sys.argv[1]), fetch, host=host)
executor.submit(spec(steps=100, pause=0.01))
while executor.poll("one").step < 3:
    time.sleep(0.01)
print(host.process.pid, flush=True)
time.sleep(60)
"""


def test_a_host_goes_with_its_owner_and_its_jobs_stay(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    host = int(owner.stdout.readline())
    assert process(host) is not None
    owner.kill()
    owner.communicate()
    until(lambda: process(host) is None, 60)
    folder = tmp_path / "jobs" / "one"
    assert lock.held(folder)
    until(lambda: (folder / "outcome.json").exists())
    assert len(metrics(folder)) == 100


def test_a_library_that_begins_a_thread_is_not_forked_from(tmp_path: Path) -> None:
    host = ready(Host(("tests.trainers.starts_a_thread",)))
    assert (host.health(), host.failure) == ("none", "2 threads run, and a fork keeps one")
    executor = LocalExecutor(tmp_path, fetch, host=host)
    executor.submit(spec())
    assert ended(executor, "one").step == 20
    assert '"hosted": false' in (executor.folder("one") / "starts.jsonl").read_text()
    executor.close()


def test_without_a_host_that_can_load_jobs_run_all_the_same(tmp_path: Path) -> None:
    said = tmp_path / "host.log"
    host = ready(Host(("no_such_library",), said))
    assert host.health() == "none"
    assert "No module named 'no_such_library'" in said.read_text()
    executor = LocalExecutor(tmp_path, fetch, host=host)
    executor.submit(spec())
    assert ended(executor, "one").step == 20
    executor.close()
