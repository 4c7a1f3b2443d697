"""`python -m trainers.job SPEC.json`: carry out one job in the folder where its spec lies.

Everything that can be wrong is looked at first, in a second: the spec, the settings, the rows, the
model. Then threads and seeds are set, and only then the trainer is imported, which may take
another five. It ends with the exit code of its failure (see trainers/failures.py), its outcome in
outcome.json. Killed at any moment and started again, it goes on from its last whole checkpoint;
started again after its end, it says once more how it ended.

A trainer of somebody's own is named by import path, `package.module:function`. It is called with a
Run and returns an Outcome, as ours do; what it may be set to says a class `Settings` in its module,
and without one it takes any settings, as a dict.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from events.catalog.jobs import JobSpec
from trainers.data import Checked, check
from trainers.failures import FAILURES, Busy, Homeless, JobFailed, Unstable, Usage, classified
from trainers.folder import lines_of, outcome_of, put_outcome, read_spec, tidy
from trainers.lock import sign, take
from trainers.model_types.finding import model_type
from trainers.needs import check_needs
from trainers.outcome import Outcome, failed
from trainers.recipes import checked, settings_of
from trainers.resources import hold_memory, seed_libraries, set_threads
from trainers.run import Run
from trainers.through import ADAPTER, check_way, goes_through_trl
from trainers.watch import DESERTED, Watch, leave

TRAINERS: dict[str, str] = {
    "sft": "trainers.sft",
    "reward": "trainers.reward",
    "dpo": "trainers.dpo",
    "grpo": "trainers.grpo",
    "ppo": "trainers.ppo",
    "srl": "trainers.srl",
    "rlvr": "trainers.rlvr",
    "distill": "trainers.distill",
    "measure": "trainers.measure",
    "begin": "trainers.begin",
    "harness": "trainers.harness.asking",
}
"""The module of each of our trainers, imported when a job asks for it; each has a `train`."""

Train = Callable[[Run], Outcome]


class Ready(NamedTuple):
    """A job that may begin."""

    spec: JobSpec
    settings: Any
    checked: dict[str, Checked]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m trainers.job", description=__doc__)
    parser.add_argument("spec", metavar="SPEC.json", type=Path, help="a JobSpec, in its folder")
    parser.add_argument("--check", action="store_true", help="look at everything, train nothing")
    parser.add_argument("--lock", type=int, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--deserted", type=float, default=DESERTED, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    file: Path = asked.spec.absolute()
    if asked.check:
        sys.exit(_only_check(file))
    terminal = os.dup(2)
    if asked.lock is None and file.parent.is_dir():  # else whoever started it has seen to that
        log = os.open(file.parent / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
    code, words = carry_out(file, asked.lock, asked.deserted)
    if asked.lock is None:
        os.write(terminal, f"{words}\n".encode())
    leave(code)


def carry_out(file: Path, lock: int | None = None, deserted: float = DESERTED) -> tuple[int, str]:
    """The whole of one job: its exit code, and how it ended in words.

    `lock` is held already, where it is given. It stays held until the process is gone, so that a
    lock that is free means that nobody is left.
    """
    folder = file.parent
    try:
        handle = lock if lock is not None else _locked(folder)
    except JobFailed as failure:
        return failure.exit_code, str(failure)
    watch = Watch(file, deserted=deserted)
    try:
        sign(handle)
        ended = outcome_of(folder)
        if ended is not None:
            return _code(ended), _words(ended)
        tidy(folder)
        watch.listen()
        watch.begin()
        return _to_its_end(file, watch)
    except OSError as error:  # not even how it ended can be written down
        unsaid = classified(error)
        return unsaid.exit_code, f"{unsaid.kind}: {unsaid}"
    finally:
        watch.end()


def ready(file: Path) -> Ready:
    """Look at all that can be wrong before anything heavy loads."""
    spec = read_spec(file)
    set_threads(spec.resources.threads)
    if ":" in spec.trainer:
        settings: Any = _own_settings(spec)
    else:
        settings = settings_of(spec.recipe)
        model_type(spec.model_type)
    found = check(spec, file.parent, settings)
    check_needs(spec, settings)
    check_way(spec, settings)
    if goes_through_trl(settings):
        _imported(ADAPTER).check(spec, settings)
    return Ready(spec, settings, found)


def _to_its_end(file: Path, watch: Watch) -> tuple[int, str]:
    began, run = time.time(), None
    try:
        job = ready(file)
        watch.limit(job.spec.limits.seconds)
        if (stop := watch.stop()) is not None:
            raise stop
        run = Run(job.spec, job.settings, watch)
        run.note("rows", {name: one._asdict() for name, one in job.checked.items()})
        outcome = _trained(job.spec, run)
        run.manifest.finish(watch.folder)
    except BaseException as error:
        failure = classified(error)
        traceback.clear_frames(error.__traceback__)  # what they hold open takes room on the disk
        if not file.exists():
            return Homeless.exit_code, str(Homeless("the home of the job is gone"))
        if failure.kind == "defect":
            with suppress(OSError):
                traceback.print_exception(error)
        if failure.goes_on:
            return failure.exit_code, str(failure)
        outcome = failed(failure)
    outcome = outcome.model_copy(
        update={
            "steps": run.step if run is not None else 0,
            "seconds": round(run.seconds if run is not None else time.time() - began, 3),
            "starts": max(1, len(lines_of(watch.folder / "starts.jsonl"))),
        }
    )
    kept = put_outcome(watch.folder, outcome)
    with suppress(OSError):  # the log is full, the outcome is kept
        print(_words(kept), file=sys.stderr, flush=True)
    return _code(kept), _words(kept)


def _trained(spec: JobSpec, run: Run) -> Outcome:
    hold_memory(spec.resources)
    random.seed(spec.seed)
    train = _trainer(f"{ADAPTER}:train" if goes_through_trl(run.settings) else spec.trainer)
    seed_libraries(spec.seed, spec.resources.threads)
    outcome = train(run)
    reason = run.guard.reason
    if reason is not None and reason.harm:
        right = "a lower learning rate, or more weight on the KL"
        harmed = failed(Unstable(reason.text, where="metrics.jsonl", right=right))
        measured = {"metrics": outcome.metrics, "per_item": outcome.per_item}
        return harmed.model_copy(update=measured)
    if reason is not None and not outcome.stopped_by:
        return outcome.model_copy(update={"stopped_by": reason.text})
    return outcome


def _trainer(name: str) -> Train:
    module, _, function = name.partition(":")
    found: Train | None = getattr(
        _imported(TRAINERS.get(module, module)), function or "train", None
    )
    if found is None:
        right = "a function of a Run that returns an Outcome"
        raise Usage(f"{module} has no {function!r}", where="recipe.trainer", right=right)
    return found


def _own_settings(spec: JobSpec) -> Any:
    kind = getattr(_imported(spec.trainer.partition(":")[0]), "Settings", None)
    return dict(spec.recipe.settings) if kind is None else checked(kind, spec.recipe.settings)


def _imported(module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # the module is there, and misses another one
        right = "a module that Python finds from the folder where the job is started"
        raise Usage(f"there is no module {module!r}", where="recipe.trainer", right=right) from None


def _locked(folder: Path) -> int:
    if not folder.is_dir():
        raise Usage("there is no such folder", where=str(folder), right="the folder of a spec.json")
    for _ in range(20):  # whoever only looks whether it is held holds it for a moment
        if (handle := take(folder)) is not None:
            return handle
        time.sleep(0.01)
    raise Busy("another process carries out this job just now", where=str(folder / "lock"))


def _only_check(file: Path) -> int:
    try:
        job = ready(file)
    except Exception as error:  # whatever is wrong is what was asked for
        failure = classified(error)
        print(f"{failure.kind}: {failure}", file=sys.stderr)
        return failure.exit_code
    rows = ", ".join(f"{name} {one.rows:,} rows" for name, one in job.checked.items())
    print(f"job {job.spec.job!r} may begin: {job.spec.trainer}, {rows or 'no rows'}")
    return 0


def _code(outcome: Outcome) -> int:
    return FAILURES[outcome.failure].exit_code if outcome.failure else 0


def _words(outcome: Outcome) -> str:
    if not outcome.failure:
        early = f", stopped by: {outcome.stopped_by}" if outcome.stopped_by else ""
        return f"completed in {outcome.steps} steps and {outcome.seconds:.1f} s{early}"
    return f"{outcome.failure}: {failure_of(outcome)}"


def failure_of(outcome: Outcome) -> JobFailed:
    """The failure that an outcome tells of."""
    kind = FAILURES[outcome.failure]
    return kind(outcome.stopped_by, where=outcome.where, right=outcome.right)


if __name__ == "__main__":
    main()
