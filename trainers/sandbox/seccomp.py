"""Which system calls a program may make, as a filter for the kernel: a list of what is allowed.

A list of what is forbidden would be out of date with the next kernel. What is not on ours answers
"no such call", so that the C library takes the older way where it knows one; what people would
miss answers "not permitted", which reads better. A program may start threads and no processes:
nothing it does can then outlive it, and its memory limit is that of all that it does. A call by
the numbers of another machine (32 bits, x32) kills it, since those numbers mean something else.
"""

from __future__ import annotations

import platform
import sys
from typing import NamedTuple

from trainers.sandbox.syscalls import MACHINES, numbers

ALLOWED = {
    "memory": "brk madvise mmap mprotect mremap msync munmap",
    "open files": """close close_range dup dup2 dup3 fadvise64 fallocate fdatasync fsync ftruncate
        getdents getdents64 lseek pread64 pwrite64 read readv sendfile write writev""",
    "files by name": """access chdir creat faccessat faccessat2 fchdir fgetxattr flistxattr fstat
        fstatfs getcwd getxattr lgetxattr listxattr llistxattr lstat mkdir mkdirat newfstatat open
        openat readlink readlinkat rename renameat renameat2 rmdir stat statfs statx umask unlink
        unlinkat""",
    "waiting": """epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_wait eventfd eventfd2
        getpeername getsockname getsockopt pipe pipe2 poll ppoll pselect6 select shutdown
        timerfd_create timerfd_gettime timerfd_settime""",
    "itself": """arch_prctl capget execve exit exit_group futex getcpu getegid geteuid getgid
        getgroups getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid
        getrlimit getrusage getsid gettid getuid restart_syscall rseq sched_getaffinity
        sched_getparam sched_getscheduler sched_yield set_robust_list set_tid_address setrlimit
        sysinfo times uname wait4 waitid""",
    "time and signals": """alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday
        nanosleep pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend
        rt_sigtimedwait setitimer sigaltstack time""",
}

FORBIDDEN = """
    accept accept4 acct add_key adjtimex bind bpf chmod chown chroot clock_settime connect
    execveat fanotify_init fchmod fchmodat fchown fchownat finit_module fork fsmount fsopen
    init_module inotify_init inotify_init1 io_setup io_uring_enter io_uring_register
    io_uring_setup ioperm iopl kexec_file_load kexec_load keyctl lchown link linkat listen
    memfd_create mknod mknodat mlock mlockall mount mount_setattr move_mount mq_open msgget
    open_by_handle_at open_tree perf_event_open personality pidfd_getfd pidfd_open
    pidfd_send_signal pivot_root process_madvise process_vm_readv process_vm_writev ptrace
    quotactl reboot recvmsg request_key rt_sigqueueinfo rt_tgsigqueueinfo sched_setaffinity
    sched_setattr sched_setscheduler seccomp semget sendmsg setdomainname setfsgid setfsuid setgid
    setgroups sethostname setns setpgid setpriority setregid setresgid setresuid setreuid setsid
    setsockopt settimeofday setuid shmat shmget socket splice swapon symlink symlinkat sync syslog
    tkill truncate umount2 unshare userfaultfd utime utimensat utimes vfork vmsplice"""
"""Not needed for safety, since they are not allowed: they only answer in words people know."""


class Allowed(NamedTuple):
    """A call that is allowed when one of its arguments is of these values."""

    argument: int
    values: tuple[int, ...]


OWN_PID = 0x5EED0001
"""Stands for the program's own process id, which is known only when it runs."""

WATCHED: dict[str, tuple[Allowed, ...]] = {
    # TCGETS, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, TIOCGWINSZ: what opening a file asks
    "ioctl": (Allowed(1, (0x5401, 0x541B, 0x5421, 0x5450, 0x5451, 0x5413)),),
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_DUPFD_CLOEXEC;
    # not F_SETOWN, which sends signals, nor F_SETPIPE_SZ, which is memory that nobody counts
    "fcntl": (Allowed(1, (0, 1, 2, 3, 4, 5, 6, 7, 1030)),),
    "kill": (Allowed(0, (OWN_PID,)),),
    "tgkill": (Allowed(0, (OWN_PID,)),),
    "prctl": (Allowed(0, (15, 16, 39)),),  # its name, set and told; whether privileges are gone
    "prlimit64": (Allowed(0, (0,)),),  # its own limits, which only go down
    "socketpair": (Allowed(0, (1,)), Allowed(1, (1, 0x801, 0x80001, 0x80801))),  # streams: asyncio
    "sendto": (Allowed(3, (0, 0x40, 0x4000, 0x4040)),),  # no MSG_OOB
    "recvfrom": (Allowed(3, (0, 0x2, 0x40)),),
}
"""Calls that are allowed with some arguments; each of these conditions has to be met."""

THREAD = 0x00010000
OF_A_THREAD = 0x007D0F00
"""CLONE_THREAD, and all flags that a C library gives with it: none that makes a namespace."""

ALLOW, NOT_PERMITTED, NO_SUCH_CALL, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000

Instruction = tuple[int, int, int, int]
"""Code, how far to jump if so, how far if not, operand."""


def supported() -> bool:
    """Whether the numbers of this machine are known."""
    return sys.platform == "linux" and sys.maxsize > 2**32 and platform.machine() in MACHINES


def allowed() -> list[str]:
    return [name for names in ALLOWED.values() for name in names.split()]


def assembled(machine: str) -> list[Instruction]:
    """The filter; whoever loads it puts its process id where OWN_PID stands."""
    known = numbers(machine)
    lines: list[Instruction] = [
        (LOAD, 0, 0, 4),  # whose numbers these are
        (EQUAL, 1, 0, AUDIT[machine]),
        (ANSWER, 0, 0, KILL),
        (LOAD, 0, 0, 0),  # the number of the call
    ]
    if machine == "x86_64":
        lines += [(AT_LEAST, 0, 1, X32), (ANSWER, 0, 0, KILL)]
    for name in allowed():
        lines += _on(known.get(name), [(ANSWER, 0, 0, ALLOW)])
    for name, conditions in WATCHED.items():
        lines += _on(known.get(name), _held_to(conditions))
    lines += _on(known["clone"], _only_threads())
    for name in FORBIDDEN.split():
        lines += _on(known.get(name), [(ANSWER, 0, 0, NOT_PERMITTED)])
    lines.append((ANSWER, 0, 0, NO_SUCH_CALL))  # clone3 too: its flags are where no filter sees
    return lines


def _on(number: int | None, then: list[Instruction]) -> list[Instruction]:
    """What happens at this call; it ends with an answer in any case."""
    return [] if number is None else [(EQUAL, 0, len(then), number), *then]


def _held_to(conditions: tuple[Allowed, ...]) -> list[Instruction]:
    lines: list[Instruction] = []
    for argument, values in conditions:
        lines.append((LOAD, 0, 0, _low(argument)))
        for index, value in enumerate(values):
            lines.append((EQUAL, len(values) - index, 0, value))
        lines.append((ANSWER, 0, 0, NOT_PERMITTED))
    return [*lines, (ANSWER, 0, 0, ALLOW)]


def _only_threads() -> list[Instruction]:
    return [
        (LOAD, 0, 0, _low(0)),
        (ANY_BIT, 1, 0, 0xFFFFFFFF ^ OF_A_THREAD),
        (ANY_BIT, 1, 0, THREAD),
        (ANSWER, 0, 0, NOT_PERMITTED),
        (ANSWER, 0, 0, ALLOW),
    ]


def _low(argument: int) -> int:
    """Where the lower half of an argument lies: the kernel takes these arguments as 32 bits."""
    return 16 + 8 * argument
