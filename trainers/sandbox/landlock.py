"""Which files a program may touch, as the kernel's Landlock is told: rights by the version it has.

A right that a version does not know cannot be taken away by it. So what is missing there must be
held by another wall: the filter of system calls has no sockets, no `truncate` and no signals to
others, and in a namespace of its own a program has nothing to rename across.
"""

from __future__ import annotations

import ctypes
import errno
import sys
from typing import NamedTuple

CREATE_RULESET = 444
"""The system call that also tells the version; it has this number on every machine."""

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_DIR, MAKE_REG = 1 << 7, 1 << 8
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15

OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""The rights that mean something for what is no folder."""

LOOK = EXECUTE | READ_FILE | READ_DIR
"""At the interpreter and its libraries."""

WORK = WRITE_FILE | READ_FILE | READ_DIR | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | TRUNCATE
"""In its own folder; it makes files and folders there, no devices, sockets, pipes or links."""

DEVICE = READ_FILE | WRITE_FILE


class Handled(NamedTuple):
    """All that is taken away, but for what a rule gives back."""

    files: int
    network: int
    scopes: int


VERSIONS: dict[int, Handled] = {
    1: Handled(0x1FFF, 0, 0),
    2: Handled(0x3FFF, 0, 0),  # and renaming into other folders
    3: Handled(0x7FFF, 0, 0),  # and truncating
    4: Handled(0x7FFF, 0b11, 0),  # and TCP
    5: Handled(0xFFFF, 0b11, 0),  # and commands to devices
    6: Handled(0xFFFF, 0b11, 0b11),  # and abstract sockets, and signals
}


def version() -> int:
    """What the kernel has; 0 where it has none, or where it was switched off."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    found = int(libc.syscall(CREATE_RULESET, None, 0, 1))
    if found < 0 and ctypes.get_errno() not in {errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    return max(found, 0)


def handled(version: int) -> Handled:
    """Of a version that is newer than this table, what the last one here has."""
    return VERSIONS[min(version, max(VERSIONS))] if version else Handled(0, 0, 0)
