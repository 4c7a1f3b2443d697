"""The filter of system calls, followed line by line as the kernel does, for either machine."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from trainers.sandbox import launcher
from trainers.sandbox.seccomp import (
    ALLOW,
    ANSWER,
    ANY_BIT,
    AT_LEAST,
    AUDIT,
    EQUAL,
    FORBIDDEN,
    KILL,
    LOAD,
    NO_SUCH_CALL,
    NOT_PERMITTED,
    OWN_PID,
    WATCHED,
    allowed,
    assembled,
)
from trainers.sandbox.syscalls import MACHINES, NUMBERS, numbers

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
THREAD_OF_GLIBC, THREAD_OF_MUSL = 0x3D0F00, 0x7D0F00


def answer(machine: str, number: int, *arguments: int, kind: int | None = None) -> int:
    """What the filter says to a call."""
    words = [number, AUDIT[machine] if kind is None else kind, 0, 0]
    for argument in (*arguments, *[0] * (6 - len(arguments))):
        words += [argument & 0xFFFFFFFF, argument >> 32 & 0xFFFFFFFF]
    lines, at, held = assembled(machine), 0, 0
    while True:
        code, yes, no, operand = lines[at]
        at += 1
        if code == LOAD:
            held = words[operand // 4]
        elif code == ANSWER:
            return operand
        else:
            told = {EQUAL: held == operand, AT_LEAST: held >= operand, ANY_BIT: held & operand}
            at += yes if told[code] else no


def named(machine: str, name: str, *arguments: int) -> int:
    return answer(machine, numbers(machine)[name], *arguments)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_number_has_the_answer_of_its_list(machine: str) -> None:
    known = {number: name for name, number in numbers(machine).items()}
    always, never = set(allowed()), set(FORBIDDEN.split())
    assert not always & never
    assert not (always | never) & set(WATCHED)
    for number in range(1024):
        name = known.get(number, "")
        if name in always:
            assert answer(machine, number) == ALLOW, name
        elif name in never:
            assert answer(machine, number) == NOT_PERMITTED, name
        elif name not in WATCHED and name != "clone":
            assert answer(machine, number) == NO_SUCH_CALL, (number, name)


@pytest.mark.parametrize("machine", MACHINES)
def test_it_makes_threads_and_neither_processes_nor_namespaces(machine: str) -> None:
    for flags in (THREAD_OF_GLIBC, THREAD_OF_MUSL):
        assert named(machine, "clone", flags) == ALLOW
        for bit in (7, 17, 25, 26, 27, 28, 29, 30):
            assert named(machine, "clone", flags | 1 << bit) == NOT_PERMITTED
    for flags in (0, 17, 0x1200011, 0x4100 | 17, 0x100, 0x10000000):
        assert named(machine, "clone", flags) == NOT_PERMITTED
    assert named(machine, "clone3", 0) == NO_SUCH_CALL


@pytest.mark.parametrize("machine", MACHINES)
def test_it_signals_itself_alone(machine: str) -> None:
    for name in ("kill", "tgkill"):
        assert named(machine, name, OWN_PID) == ALLOW
        for pid in (0, 1, OWN_PID + 1, 2**32 - 1, 2**64 - 1):
            assert named(machine, name, pid) == NOT_PERMITTED


@pytest.mark.parametrize("machine", MACHINES)
def test_it_has_a_pair_of_streams_and_no_other_socket(machine: str) -> None:
    assert named(machine, "socketpair", 1, 1 | 0x80000) == ALLOW
    assert named(machine, "socketpair", 1, 2) == NOT_PERMITTED
    assert named(machine, "socketpair", 2, 1) == NOT_PERMITTED
    assert named(machine, "sendto", 0, 0, 0, 0x4000) == ALLOW
    assert named(machine, "sendto", 0, 0, 0, 1) == NOT_PERMITTED
    assert named(machine, "socket", 1, 1) == NOT_PERMITTED


@pytest.mark.parametrize("machine", MACHINES)
def test_commands_to_files_are_a_short_list(machine: str) -> None:
    assert named(machine, "ioctl", 1, 0x5401) == ALLOW
    assert named(machine, "ioctl", 1, 0x5412) == NOT_PERMITTED
    assert named(machine, "fcntl", 1, 1030) == ALLOW
    assert named(machine, "fcntl", 1, 8) == NOT_PERMITTED
    assert named(machine, "fcntl", 1, 1031) == NOT_PERMITTED
    assert named(machine, "prctl", 15) == ALLOW
    assert named(machine, "prctl", 1) == NOT_PERMITTED
    assert named(machine, "prlimit64", 0) == ALLOW
    assert named(machine, "prlimit64", 1) == NOT_PERMITTED


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_of_another_machine_kill(machine: str) -> None:
    for kind in (0x40000003, 0x40000028, 0, *set(AUDIT.values()) - {AUDIT[machine]}):
        assert answer(machine, 0, kind=kind) == KILL


def test_the_numbers_of_x32_kill() -> None:
    for number in (0x40000000, 0x40000027, 0xFFFFFFFF):
        assert answer("x86_64", number) == KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_the_kernel_takes_it_in_one_piece(machine: str) -> None:
    lines = assembled(machine)
    assert len(lines) < 4096
    assert all(0 <= yes < 256 and 0 <= no < 256 for _, yes, no, _ in lines)


def test_the_launcher_knows_where_the_process_id_goes() -> None:
    assert launcher.OWN_PID == OWN_PID


def test_no_name_is_misspelt() -> None:
    named_somewhere = {*allowed(), *FORBIDDEN.split(), *WATCHED, "clone"}
    assert named_somewhere <= set(NUMBERS)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists() or platform.system() != "Linux":
        pytest.skip(f"{header} is not installed")
    told = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)$", header.read_text(), re.MULTILINE)
    said = {name: int(number) for name, number in told}
    known = numbers(machine)
    both = known.keys() & said.keys()
    assert len(both) > 200
    assert {name: known[name] for name in both} == {name: said[name] for name in both}
