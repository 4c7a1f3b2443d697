"""Runs programs as the one who inherits all orphans, and tells what is left: RUNS KIND.

The process is made the reaper of whatever comes from it, so that nothing can be left behind
unseen, whichever session or group it hides in.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from tests.trainers.sandbox.grounds import raised, traces
from tests.trainers.sandbox.weighing import WEIGHING
from trainers.sandbox.plan import FILES
from trainers.sandbox.sandbox import Sandbox

SUBREAPER = 36
PLAIN = "import os\nprint(os.getpid())\ntry: open('note', 'w').write('x' * 1000)\nexcept OSError: 0"
MEAN = [one for one in WEIGHING if "timeout" not in one.ends]


def children() -> list[str]:
    """All processes that come from this one and have not been buried, in whatever state."""
    found = []
    for one in Path("/proc").iterdir():
        with suppress(OSError):  # it ends while we look
            if one.name.isdecimal():
                fields = (one / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if int(fields[1]) == os.getpid():
                    found.append(one.name)
    return found


def standing() -> dict[str, object]:
    return {
        "children": children(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "mounts": Path("/proc/self/mounts").read_text().count(f"nr_inodes={FILES}"),
        "temporary": sorted(os.listdir(os.environ["TMPDIR"])),
        "traces": traces(),
    }


def peak_kb() -> int:
    """Of this program alone: `ru_maxrss` would count what its parent held at the fork."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def main() -> None:
    runs, kind = int(sys.argv[1]), sys.argv[2]
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    box = Sandbox(raised(kind))
    before = standing()

    def one(number: int) -> str:
        if number % 10:
            return box.run(PLAIN).ended
        mean = MEAN[number // 10 % len(MEAN)]
        return "mean" if box.run(mean.program).ended in mean.ends else mean.name

    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(one, range(runs)))
    told = {"ends": sorted(set(ends)), "before": before, "after": standing(), "peak_kb": peak_kb()}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
