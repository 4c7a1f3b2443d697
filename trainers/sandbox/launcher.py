"""Runs in the child: raises the walls one after the other, and the program inside the last.

It is sent as compiled code to a bare interpreter, so it imports little, and nothing of ours. What
it is to do stands in the plan; nothing is decided here, and nothing is left out: a wall that is in
the plan and cannot be raised ends the run before the program has begun.

    descend   root only: becomes an ordinary user, and goes on with what follows
    enclose   namespaces of its own, and in them a file system with the interpreter alone
    within    bubblewrap has done that already
    bare      no namespaces are to be had: Landlock, the filter and the limits alone

Each ends with a process that watches over the program, and is the first of its pid namespace where
there is one: when it goes, the kernel kills whatever else is in there. In a room (`room.py`) that
process stays, and the namespaces with it: there it runs one program after the other.
"""

from __future__ import annotations

import _socket  # not socket, which takes longer than most programs
import ctypes
import fcntl
import marshal
import os
import resource
import select
import time

TYPE_CHECKING = False  # not from typing, which takes as long as all else together
if TYPE_CHECKING:
    from typing import Any, NoReturn

    # it runs before this file, in the same namespace
    from trainers.sandbox.mounting import (
        NEWNS,
        NODEV,
        NOSUID,
        PRIVATE,
        REC,
        build_root,
        call,
        clear,
        hidden_from_others,
        libc,
        mount,
        reveal,
    )

    Plan = dict[str, Any]

NEWCGROUP, NEWUTS, NEWIPC = 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
PDEATHSIG, DUMPABLE, SECCOMP, DROP_BOUND, NO_NEW_PRIVS, AMBIENT = 1, 4, 22, 24, 38, 47
SIGKILL = 9
FIRST_HIGH = 100  # descriptors from here on are ours


def descend(plan: Plan) -> None:
    hidden = hidden_from_others(plan["paths"])
    if hidden:
        call("unshare", NEWNS, about=f"to show other users what lies in {hidden[0]}")
        mount("none", "/", "", REC | PRIVATE)
        for folder in hidden:
            reveal(folder, [one for one in plan["paths"] if one.startswith(folder + "/")])
    os.setgroups([])
    os.setresgid(plan["user"], plan["user"], plan["user"])
    os.setresuid(plan["user"], plan["user"], plan["user"])
    call("prctl", DUMPABLE, 1, 0, 0, 0)  # or its own uid_map would belong to root
    call("prctl", PDEATHSIG, SIGKILL, 0, 0, 0)
    if plan["bwrap"]:
        os.execve(plan["bwrap"][0], plan["bwrap"], {})
    (enclose if plan["namespaces"] else bare)(plan)


def enclose(plan: Plan) -> None:
    user, group = os.geteuid(), os.getegid()
    call("unshare", NEWUSER | NEWNS | NEWPID)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    for more in (NEWNET, NEWIPC, NEWUTS, NEWCGROUP):
        libc.unshare(more)  # where it is refused, the filter has none of these calls anyway
    call("prctl", PDEATHSIG, SIGKILL, 0, 0, 0)
    child = os.fork()
    if child:
        os.closerange(0, 1 << 16)
        os.waitpid(child, 0)
        os._exit(0)
    call("prctl", PDEATHSIG, SIGKILL, 0, 0, 0)
    build_root(plan)
    supervise(plan)


def within(plan: Plan) -> None:
    """Bubblewrap cannot bound the number of files, so the folder is mounted here."""
    call("prctl", PDEATHSIG, SIGKILL, 0, 0, 0)
    mount("tmpfs", plan["folder"], "tmpfs", NOSUID | NODEV, plan["room"])
    supervise(plan)


def bare(plan: Plan) -> None:
    call("prctl", PDEATHSIG, SIGKILL, 0, 0, 0)
    supervise(plan)


def supervise(plan: Plan) -> NoReturn:
    call("prctl", DUMPABLE, 0, 0, 0, 0)  # nobody looks into this process, nor at its descriptors
    (_watch if plan["orders"] is None else _serve)(plan)
    os._exit(0)


def _serve(plan: Plan) -> None:
    """One program after the other, until nobody has asked for a while, or whoever asks is gone."""
    if os.getpid() != 1:
        raise OSError(0, "a room without a namespace of its own")
    door = _socket.socket(fileno=plan["orders"])
    asked = select.poll()
    asked.register(plan["orders"], select.POLLIN)
    while asked.poll(1000 * plan["idle"]):
        said, beside, _, _ = door.recvmsg(1 << 16, 256, _socket.MSG_CMSG_CLOEXEC)
        if not said:
            return
        numbers = memoryview(beside[0][2]).cast("i").tolist()
        order = {"status": numbers[0], "lifeline": numbers[1], "handed": numbers[2:], "first": 0}
        _watch({**plan, **marshal.loads(said), **order})
        for number in numbers:
            os.close(number)
        _tidy(plan)


def _tidy(plan: Plan) -> None:
    """Nothing that one program started or wrote is there for the next."""
    try:
        os.kill(-1, SIGKILL)  # all in here but this process
        while True:
            os.waitpid(-1, 0)
    except (ChildProcessError, ProcessLookupError):
        pass
    clear(plan["folder"], plan["room"])


def _watch(plan: Plan) -> None:
    """Run the program, and see to it that it ends: by itself, in time, or with whoever asked."""
    began = time.monotonic()
    child = os.fork()
    if not child:
        _become(plan)
    watched = select.poll()
    ended = os.pidfd_open(child)
    watched.register(ended, select.POLLIN)
    watched.register(plan["lifeline"], select.POLLIN)
    events = watched.poll(1000 * plan["seconds"])
    how = "ended"
    if not events:
        how = "timeout"
    elif all(number == plan["lifeline"] for number, _ in events):
        how = "stopped"
    if how != "ended":
        os.kill(child, SIGKILL)
    _, status, used = os.wait4(child, 0)
    seconds = time.monotonic() - began
    code = os.waitstatus_to_exitcode(status)
    os.close(ended)
    tell(plan, f"{how} {code} {seconds:.6f} {used.ru_maxrss}")


def _become(plan: Plan) -> NoReturn:
    try:
        call("prctl", PDEATHSIG, SIGKILL, 0, 0, 0)
        _keep_only(plan)
        os.chdir(plan["folder"] if plan["namespaces"] else "/")
        for name, (soft, hard) in plan["limits"].items():
            resource.setrlimit(getattr(resource, name), (soft, hard))
        call("prctl", NO_NEW_PRIVS, 1, 0, 0, 0)
        if plan["landlock"]:
            _take_files_away(plan)
        _take_privileges_away()
        _filter_calls(plan["filter"])
        command = [plan["python"], "-I", "-S", "-c", plan["loader"]]
        os.execve(plan["python"], command, plan["environment"])
    except OSError as fault:
        failed(plan, fault)
    finally:
        os._exit(1)


def _keep_only(plan: Plan) -> None:
    """The three streams, the program at 3, and at 4 the way out for answers, where there is one.

    Where there is a room, the streams are handed too; else they are those it was started with.
    """
    first = plan["first"]
    ours = fcntl.fcntl(plan["status"], fcntl.F_DUPFD_CLOEXEC, FIRST_HIGH)
    kept = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, FIRST_HIGH) for one in plan["handed"]]
    for number, one in enumerate(kept, first):
        os.dup2(one, number, inheritable=True)
    os.closerange(first + len(kept), ours)
    os.closerange(ours + 1, 1 << 16)
    plan["status"] = ours


def _take_files_away(plan: Plan) -> None:
    rule, restrict = plan["numbers"]["landlock_add_rule"], plan["numbers"]["landlock_restrict_self"]
    size, handled, rules = plan["landlock"]
    what = (ctypes.c_uint64 * 3)(*handled)
    number = plan["numbers"]["landlock_create_ruleset"]
    ruleset = call("syscall", number, what, size, 0, about="landlock")
    for path, rights in rules:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
        packed = (rights & handled[0]).to_bytes(8, "little") + beneath.to_bytes(4, "little")
        call("syscall", rule, ruleset, 1, packed, 0, about=f"landlock {path}")
        os.close(beneath)
    call("syscall", restrict, ruleset, 0, about="landlock")
    os.close(ruleset)


def _take_privileges_away() -> None:
    number = 0
    while libc.prctl(DROP_BOUND, number, 0, 0, 0) == 0:  # until there are no more, or it may not
        number += 1
    libc.prctl(AMBIENT, 4, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())


def _filter_calls(lines: list[tuple[int, int, int, int]]) -> None:
    pid = os.getpid()
    text = b"".join(
        code.to_bytes(2, "little")
        + bytes((yes, no))
        + (pid if operand == OWN_PID else operand).to_bytes(4, "little")
        for code, yes, no, operand in lines
    )
    held = ctypes.create_string_buffer(text, len(text))
    program = (ctypes.c_uint64 * 2)(len(lines), ctypes.addressof(held))
    call("prctl", SECCOMP, 2, program, 0, 0, about="seccomp")


def tell(plan: Plan, line: str) -> None:
    os.write(plan["status"], line.encode("utf-8", "replace") + b"\n")


def failed(plan: Plan, fault: OSError) -> None:
    tell(plan, f"failed {fault.filename or ''}: {fault.strerror}")


OWN_PID = 0x5EED0001
STAGES = {"descend": descend, "enclose": enclose, "within": within, "bare": bare}


def main(plan: Plan, stage: str) -> None:
    try:
        mask = (ctypes.c_uint64 * 16)()
        call("sigprocmask", 2, mask, None)  # whoever asked may have blocked some signals
        STAGES[stage](plan)
    except OSError as fault:
        failed(plan, fault)
        os._exit(1)
