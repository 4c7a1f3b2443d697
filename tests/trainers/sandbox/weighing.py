"""Hostile programs that go for time, memory, room and the patience of whoever waits for them."""

import platform

from tests.trainers.sandbox.hostile import Hostile, ending, reaching

MACHINE_CODE = """
import ctypes, mmap
room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
room.write(bytes.fromhex("{code}"))
address = ctypes.addressof(ctypes.c_char.from_buffer(room))
print("ESCAPED", ctypes.CFUNCTYPE(ctypes.c_int)(address)())
"""
"""Calls the kernel by numbers of another kind, where 20 and 39 are getpid."""

OTHER_NUMBERS = (
    ending(
        "calls by the numbers of 32 bits", "killed", MACHINE_CODE.format(code="b814000000cd80c3")
    ),
    ending("calls by the numbers of x32", "killed", MACHINE_CODE.format(code="b8270000400f05c3")),
)

WEIGHING: tuple[Hostile, ...] = (
    ending(
        "is a fork bomb",
        "timeout",
        """
import os
while True:
    try:
        os.fork()
        print("ESCAPED")
    except OSError:
        pass
""",
    ),
    ending(
        "is a thread bomb",
        "timeout finished killed memory",
        """
import threading, time
threading.stack_size(1 << 15)
while True:
    try:
        threading.Thread(target=time.sleep, args=(9,)).start()
    except (RuntimeError, MemoryError):
        pass
    if threading.active_count() > 64:
        print("ESCAPED")
""",
    ),
    ending("takes all memory at once", "memory", "x = bytearray(1 << 40)"),
    ending("takes all memory by and by", "memory", "x = []\nwhile True: x.append(bytes(1 << 20))"),
    ending(
        "takes memory and does not take no",
        "timeout memory killed",
        """
held = []
while True:
    try:
        held.append(bytearray(1 << 20))
    except MemoryError:
        pass
    if len(held) > 300:
        print("ESCAPED")
""",
    ),
    ending(
        "takes memory from C",
        "finished",
        """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
taken = 0
while taken < 300 and (room := libc.malloc(1 << 20)):
    ctypes.memset(room, 1, 1 << 20)
    taken += 1
print("ESCAPED" if taken == 300 else "held")
""",
    ),
    ending("makes a text too long", "memory", "x = 'x' * (1 << 36)"),
    ending("sleeps forever", "timeout", "import time\nwhile True: time.sleep(1000)"),
    ending("waits for what never comes", "timeout", "import threading\nthreading.Event().wait()"),
    ending(
        "does not heed signals",
        "timeout",
        """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
while True:
    pass
""",
    ),
    ending("stops itself", "timeout", "import os\nos.kill(os.getpid(), 19)\nwhile True: pass"),
    ending("reckons forever", "timeout", "x = 10 ** 10 ** 8"),
    ending("matches forever", "timeout", "import re\nre.match('(a+)+$', 'a' * 64 + 'b')"),
    ending(
        "hangs when it leaves", "timeout", "import atexit, time\natexit.register(time.sleep, 99)"
    ),
    ending(
        "hangs when it is cleared away",
        "timeout",
        "class A:\n    def __del__(self):\n        while True: pass\nx = A()",
    ),
    ending(
        "leaves threads running",
        "timeout finished",
        """
import os, threading, time
for _ in range(5):
    threading.Thread(target=lambda: [time.sleep(0.01) for _ in iter(int, 1)]).start()
os._exit(0)
""",
    ),
    ending("talks without end", "output", "while True: print('x' * 1000)"),
    ending("complains without end", "output", "import os\nwhile True: os.write(2, b'x' * 4096)"),
    ending(
        "talks on both streams at once",
        "output",
        """
import os, threading
def talk(number):
    while True:
        os.write(number, b"x" * 8192)
threading.Thread(target=talk, args=(2,)).start()
talk(1)
""",
    ),
    ending("says one huge thing", "output", "import os\nos.write(1, b'x' * (100 << 20))"),
    ending(
        "closes all it has, and goes on",
        "timeout",
        "import os\nos.closerange(0, 1000)\nwhile True: pass",
    ),
    ending("closes its streams and leaves", "finished", "import os\nos.close(1)\nos.close(2)"),
    ending(
        "enlarges its pipe",
        "finished",
        """
import fcntl
try:
    fcntl.fcntl(1, 1031, 1 << 20)
    print("ESCAPED")
except OSError:
    print("held")
""",
    ),
    reaching(
        "makes huge files full of nothing",
        """
def sparse(size):
    with open("sparse", "wb") as file:
        file.truncate(size)
for shift in (25, 30, 40, 60):
    attempt(f"2**{shift}", sparse, 1 << shift)
""",
    ),
    reaching(
        "fills its folder",
        """
def fill():
    for number in range(64):
        with open(f"f{number}", "wb") as file:
            file.write(bytes(1 << 20))
attempt("64 MB", fill)
""",
    ),
    reaching(
        "makes very many files",
        """
def litter():
    for number in range(2000):
        open(f"n{number}", "wb").close()
attempt("2000 files", litter)
""",
    ),
    reaching(
        "makes folders in folders",
        """
def deeper():
    for _ in range(2000):
        os.mkdir("d")
        os.chdir("d")
attempt("2000 deep", deeper)
""",
    ),
    reaching(
        "hoards descriptors",
        """
def hoard():
    return [os.pipe() for _ in range(500)]
attempt("1000 descriptors", hoard)
""",
    ),
    ending(
        "calls itself without end",
        "memory killed finished timeout",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
    ),
    ending(
        "goes too deep in C",
        "killed memory finished",
        """
import sys
sys.setrecursionlimit(10**9)
x = []
for _ in range(10**6):
    x = [x]
repr(x)
""",
    ),
    ending("is nested too deeply to be read", "finished memory killed output", "(" * 100_000),
    ending("reads from nowhere", "killed", "import ctypes\nctypes.string_at(0)"),
    ending("aborts", "killed", "import os\nos.abort()"),
    ending("kills itself", "killed", "import os\nos.kill(os.getpid(), 9)\nwhile True: pass"),
    ending(
        "jumps into its own data",
        "killed",
        """
import ctypes
room = ctypes.create_string_buffer(b"\\xff" * 64)
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(room))()
""",
    ),
    ending("is no text", "refused", "x = '\ud800'"),
    ending("is a novel", "refused", "#" * (2 << 20)),
    *(OTHER_NUMBERS if platform.machine() == "x86_64" else ()),
)
