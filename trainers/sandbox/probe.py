"""Tries to get out, before anybody else does: walls that do not hold are not used.

A program of ours runs behind them and attempts what a hostile one would. It tells what it was able
to do; a sandbox is fit for use when that is nothing, and when it can still do what a decent program
must. Two more runs see that what never ends is ended, in time and in what it says.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from pathlib import Path

from trainers.sandbox.launch import LOADER, NotEnclosed, Order, carry_out
from trainers.sandbox.plan import ENVIRONMENT, FILES, FOLDER, FOLDER_MB, Walls, limits
from trainers.sandbox.syscalls import numbers

MEMORY_MB = 256
TRIED_CALLS = """add_key bpf init_module io_setup io_uring_setup keyctl memfd_create mount mq_open
    msgget open_by_handle_at perf_event_open personality process_vm_readv ptrace semget setns
    shmget unshare userfaultfd"""
"""They are refused for what they are, before the kernel looks at what they are given."""

PROGRAM = """
import _thread, ctypes, json, os, resource, socket, threading

told = {"done": [], "missing": []}

def attempt(what, deed, *arguments):
    try:
        if deed(*arguments) is not False:
            told["done"].append(what)
    except (OSError, MemoryError, RuntimeError, ValueError):
        pass

def read(path):
    if os.path.isdir(path):
        return bool(os.listdir(path))
    with open(path, "rb") as file:
        file.read(1)

def write(path):
    there = os.path.exists(path)
    open(path, "ab").close()
    if not there:
        os.unlink(path)

def family(number, kind):
    socket.socket(number, kind).close()

def fork():
    if os.fork() == 0:
        os._exit(0)

def threads():
    before = threading.stack_size(1 << 16)  # so that not their memory is what ends it
    held = threading.Lock()
    held.acquire()
    try:
        for _ in range(GIVEN["threads"]):
            _thread.start_new_thread(held.__enter__, ())
    finally:
        threading.stack_size(before)

def fill():
    for number in range(2 * GIVEN["megabytes"]):
        with open(f"{GIVEN['folder']}/f{number}", "wb") as file:
            file.write(bytes(1 << 20))

def litter():
    for number in range(2 * GIVEN["files"]):
        open(f"{GIVEN['folder']}/n{number}", "wb").close()

def clean():
    for name in os.listdir(GIVEN["folder"]):
        os.unlink(f"{GIVEN['folder']}/{name}")

def call(number, first=0):
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(number, first, 0, 0, 0, 0, 0) >= 0 or ctypes.get_errno() not in (1, 38)

for path in GIVEN["read"]:
    attempt(f"read {path}", read, path)
for path in GIVEN["write"]:
    attempt(f"write {path}", write, path)
for number in range(1, 46):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        attempt(f"open a socket of family {number}", family, number, kind)
attempt("start a process", fork)
attempt("see its parent", os.kill, os.getppid(), 0)
attempt("signal everybody", os.kill, -1, 0)
attempt("see who started it", os.kill, GIVEN["pid"], 0)
attempt("signal its group", os.killpg, 0, 0)
attempt("become root", os.setuid, 0)
attempt("take more memory than its own", bytearray, 2 * GIVEN["memory"])
attempt("lift its limits", resource.setrlimit, resource.RLIMIT_AS, (1 << 40, 1 << 40))
for name, number in GIVEN["calls"].items():
    attempt(name, call, number, 99 if name == "ptrace" else 0)  # 0 would have it traced
for number in range(3, 256):
    attempt(f"use descriptor {number}", os.fstat, number)
if os.getuid() == 0:
    told["done"].append("be root")
if set(os.environ) - {"LC_CTYPE", *GIVEN["environment"]}:
    told["done"].append("read an environment")
if ctypes.CDLL(None).prctl(39, 0, 0, 0, 0) != 1:
    told["done"].append("gain privileges by starting a program")

try:
    quick = threading.Thread(target=int)
    quick.start()
    quick.join()
except RuntimeError:
    told["missing"].append("start a thread")
if GIVEN["may_write"]:
    try:
        write(GIVEN["folder"] + "/own")
        clean()
    except OSError:
        told["missing"].append("write in its own folder")
    attempt("fill its folder without end", fill)
    clean()
    attempt("make files without end", litter)
    clean()
attempt("start threads without end", threads)
print(json.dumps(told), flush=True)
os._exit(0)
"""

ENDLESS = """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    pass
"""
LOUD = "while True: print('x' * 4096)"


def breaches(walls: Walls) -> list[str]:
    """What a program can do here that it must not, or cannot do that it must."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        os.chmod(folder, 0o755)
        witness = Path(folder) / "witness"
        witness.touch()
        witness.chmod(0o666)  # so that not its mode, but a wall has to keep it
        found = _attempts(walls, witness)
    if carry_out(walls, Order(LOADER, ENDLESS.encode(), seconds=0.2)).how != "timeout":
        found.append("it was not ended in time")
    if carry_out(walls, Order(LOADER, LOUD.encode(), output=8192)).how != "output":
        found.append("it was not ended when it said too much")
    return found


def _attempts(walls: Walls, witness: Path) -> list[str]:
    known = numbers(platform.machine())
    given = {
        "read": [str(witness), str(witness.parent), "/etc/passwd", "/etc/hostname", "/proc", "/sys"]
        + ["/proc/self/status", f"/proc/{os.getpid()}/environ", "/dev/shm"]
        + (["/", "/home", "/dev"] if walls.landlock else []),  # else it sees a root of its own
        "write": [str(witness), walls.interpreter.python]
        + [f"{one}/{witness.parent.name}" for one in ("", "/var/tmp", "/dev/shm")]
        + [f"{one}/{witness.parent.name}" for one in walls.interpreter.paths],
        "pid": os.getpid(),
        "calls": {name: known[name] for name in TRIED_CALLS.split()},
        "memory": MEMORY_MB << 20,
        "environment": list(ENVIRONMENT),
        "folder": FOLDER,
        "threads": limits(walls, 1.0, MEMORY_MB)["RLIMIT_NPROC"][0] + 1,
        "may_write": walls.namespaces,
        "megabytes": FOLDER_MB,
        "files": FILES,
    }
    program = f"GIVEN = {given!r}\n{PROGRAM}"
    ending = carry_out(walls, Order(LOADER, program.encode(), seconds=20, memory_mb=MEMORY_MB))
    try:
        told = json.loads(ending.out)
    except ValueError:
        raise NotEnclosed(
            "the probe did not come to its end",
            where=ending.err.decode("utf-8", "replace").strip()[-300:] or ending.how,
        ) from None
    return [f"it could {one}" for one in told["done"]] + [
        f"it could not {one}" for one in told["missing"]
    ]
