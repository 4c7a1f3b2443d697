"""Runs in the child before the launcher: the kernel's calls, and a file system with little in it.

Sent as compiled code to a bare interpreter, as the launcher is, and into the same namespace.
"""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

libc = ctypes.CDLL(None, use_errno=True)

RDONLY, NOSUID, NODEV, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
NEWNS = 0x20000
DETACH, RECURSIVE = 2, 0x8000
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


def hidden_from_others(paths: list[str]) -> list[str]:
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


def reveal(folder: str, paths: list[str]) -> None:
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


def build_root(plan: dict[str, Any]) -> None:
    """The interpreter, its libraries, two devices, and a folder to write in; nothing else."""
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


def clear(folder: str, room: str) -> None:
    """In place of what was written there, a folder that nobody has used."""
    call("umount2", folder.encode(), DETACH, about=folder)
    mount("tmpfs", folder, "tmpfs", NOSUID | NODEV, room)
