"""Runs in the child: raises the walls one after the other, and the program inside the last.

It is sent as compiled code to a bare interpreter, so it imports little, and nothing of ours. What
it is to do stands in the plan; nothing is decided here, and nothing is left out: a wall that is in
the plan and cannot be raised ends the run before the program has begun.

    descend   root only: becomes an ordinary user, and goes on with what follows
    enclose   namespaces of its own, and in them a file system with the interpreter alone
    within    bubblewrap has done that already
    bare      no namespaces are to be had: Landlock, the filter and the limits alone

Each ends with a process that watches over the program, and is the first of its pid namespace where
there is one: when it goes, the kernel kills whatever else is in there.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import select
import time

TYPE_CHECKING = False  # not from typing, which takes as long as all else together
if TYPE_CHECKING:
    from typing import Any, NoReturn

    Plan = dict[str, Any]

libc = ctypes.CDLL(None, use_errno=True)

RDONLY, NOSUID, NODEV, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
PDEATHSIG, DUMPABLE, SECCOMP, DROP_BOUND, NO_NEW_PRIVS, AMBIENT = 1, 4, 22, 24, 38, 47
DETACH, RECURSIVE, SIGKILL = 2, 0x8000, 9
FIRST_HIGH = 100  # descriptors from here on are ours
NEW_ROOT = "/proc"  # a folder that is always there, and of no use inside


def call(name: str, *arguments: Any, about: object = "") -> int:
    """A function of the C library, by its name, or a system call, by its number."""
    numbers = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    found = int(getattr(libc, name)(*numbers))
    if found < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"{name} {about or ''}".strip())
    return found


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    words = [one.encode() or None for one in (source, target, kind)]
    call("mount", *words, flags, data.encode() or None, about=target)


def descend(plan: Plan) -> None:
    hidden = _hidden_from_others(plan["paths"])
    if hidden:
        call("unshare", NEWNS, about=f"to show other users what lies in {hidden[0]}")
        mount("none", "/", "", REC | PRIVATE)
        for folder in hidden:
            _reveal(folder, [one for one in plan["paths"] if one.startswith(folder + "/")])
    os.setgroups([])
    os.setresgid(plan["user"], plan["user"], plan["user"])
    os.setresuid(plan["user"], plan["user"], plan["user"])
    call("prctl", DUMPABLE, 1, 0, 0, 0)  # or its own uid_map would belong to root
    call("prctl", PDEATHSIG, SIGKILL, 0, 0, 0)
    if plan["bwrap"]:
        os.execve(plan["bwrap"][0], plan["bwrap"], {})
    (enclose if plan["namespaces"] else bare)(plan)


def _hidden_from_others(paths: list[str]) -> list[str]:
    """The outermost folders that an ordinary user cannot pass through on the way there."""
    found: list[str] = []
    for path in paths:
        names = path.split("/")
        for depth in range(2, len(names)):
            folder = "/".join(names[:depth])
            if not os.stat(folder).st_mode & 0o001:
                found.append(folder)
                break
    return sorted(set(found))


def _reveal(folder: str, paths: list[str]) -> None:
    """Cover a folder by an empty one in which these paths alone are to be seen."""
    opened = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in paths}
    mount("tmpfs", folder, "tmpfs", NOSUID | NODEV, "mode=755,size=64k,nr_inodes=1k")
    for path, number in opened.items():
        _place(path, os.path.isdir(f"/proc/self/fd/{number}"))
        mount(f"/proc/self/fd/{number}", path, "", BIND | REC)


def _place(path: str, is_folder: bool) -> None:
    """Make what something can be bound upon."""
    os.makedirs(path if is_folder else os.path.dirname(path), 0o755, exist_ok=True)
    if not is_folder:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))


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
    _build_root(plan)
    supervise(plan)


def _build_root(plan: Plan) -> None:
    mount("none", "/", "", REC | PRIVATE)
    mount("tmpfs", NEW_ROOT, "tmpfs", NOSUID | NODEV, "mode=755,size=64k,nr_inodes=1k")
    only_look = (ctypes.c_uint64 * 4)(RDONLY | NOSUID | NODEV, 0, 0, 0)
    for path in [*plan["paths"], *plan["devices"]]:
        target = NEW_ROOT + path
        _place(target, os.path.isdir(path))
        mount(path, target, "", BIND | REC)
        if path in plan["devices"]:
            continue
        where = target.encode()
        number = plan["numbers"]["mount_setattr"]
        call("syscall", number, -100, where, RECURSIVE, only_look, 32, about=path)
    for link, leads_to in plan["links"]:
        os.makedirs(os.path.dirname(NEW_ROOT + link), exist_ok=True)
        os.symlink(leads_to, NEW_ROOT + link)
    os.mkdir(NEW_ROOT + plan["folder"])
    os.chdir(NEW_ROOT)
    call("syscall", plan["numbers"]["pivot_root"], b".", b".", about="pivot_root")
    call("umount2", b".", DETACH)
    os.chdir("/")
    mount("tmpfs", plan["folder"], "tmpfs", NOSUID | NODEV, plan["room"])
    mount("none", "/", "", REMOUNT | BIND | RDONLY | NOSUID | NODEV)


def within(plan: Plan) -> None:
    """Bubblewrap cannot bound the number of files, so the folder is mounted here."""
    call("prctl", PDEATHSIG, SIGKILL, 0, 0, 0)
    mount("tmpfs", plan["folder"], "tmpfs", NOSUID | NODEV, plan["room"])
    supervise(plan)


def bare(plan: Plan) -> None:
    call("prctl", PDEATHSIG, SIGKILL, 0, 0, 0)
    supervise(plan)


def supervise(plan: Plan) -> NoReturn:
    """Run the program, and see to it that it ends: by itself, in time, or with whoever asked."""
    call("prctl", DUMPABLE, 0, 0, 0, 0)  # nobody looks into this process, nor at its descriptors
    began = time.monotonic()
    child = os.fork()
    if not child:
        _become(plan)
    watched = select.poll()
    watched.register(os.pidfd_open(child), select.POLLIN)
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
    tell(plan, f"{how} {code} {seconds:.6f} {used.ru_maxrss}")
    os._exit(0)


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
    """The three streams, the program at 3, and at 4 the way out for answers, where there is one."""
    ours = fcntl.fcntl(plan["status"], fcntl.F_DUPFD_CLOEXEC, FIRST_HIGH)
    kept = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, FIRST_HIGH) for one in plan["handed"]]
    for number, one in enumerate(kept, 3):
        os.dup2(one, number, inheritable=True)
    os.closerange(3 + len(kept), ours)
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
