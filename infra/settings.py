"""Settings: one class, vetted defaults, and for each value where it came from.

Command line before environment (`RATCHET__API__PORT`) before `ratchet.yaml` before defaults. The
environment is read here and nowhere else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from events.errors import Malformed, UnknownType
from events.suggest import malformed, near

PREFIX = "RATCHET__"


class Section(BaseModel):
    """A part of the settings. Unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Api(Section):
    """The HTTP door."""

    host: str = "127.0.0.1"
    """Where it listens. Beyond loopback every call needs a bearer token."""
    port: int = Field(default=8750, ge=0, le=65535)
    """0 takes any free one; the default gives way to a free one if it is taken."""


class Workers(Section):
    """Those who carry out requests in `ratchet up`."""

    slots: int = Field(default=2, ge=0, le=256)
    """Requests that are carried out at the same time; 0 leaves them to others."""
    pretend_seconds: float = Field(default=1.0, ge=0, le=3600)
    """How long a stage of a rehearsal takes."""
    token: SecretStr = SecretStr("")
    """By which `ratchet worker` is let in; on the command line others could read it."""
    tasks: str = ""
    """The folder of benchmarks, NAME.jsonl for suite `task.NAME`; empty is `tasks` in the home."""
    harness: Literal["ours", "lm_eval"] = "ours"
    """Whose loop asks them: our own, or EleutherAI's, of the extra `harness`."""


class Store(Section):
    """Where the log lies."""

    url: str = ""
    """postgres://USER:PASSWORD@HOST/DATABASE, a log for many homes; empty keeps one in the home."""
    artifacts: str = ""
    """URL of the place for large things; workers elsewhere that share it train. Empty: the home."""


class Nats(Section):
    """The server over which programs hear the log and speak to it."""

    url: str = ""
    """Of a server that somebody runs; empty starts one here."""
    credentials: str = ""
    """A file of credentials for that server."""
    server: str = ""
    """The nats-server to start; empty takes one on PATH or the one that came along, `none` none."""
    replicas: int = Field(default=0, ge=0, le=5)
    """How often a cluster keeps each message; 0 is 3 times, and once where there is no cluster."""


class Knowledge(Section):
    """Where the index of what is known lies."""

    url: str = ""
    """Of a Qdrant server that somebody runs; empty keeps the index in the home."""
    key: SecretStr = SecretStr("")
    """The server's key."""


class Log(Section):
    """What is told on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Model(Section):
    """A server of an OpenAI-compatible kind, and one model behind it."""

    url: str = ""
    """Up to and with /v1; empty where there is none."""
    model: str = ""
    """The name by which the server knows it."""
    key: SecretStr = SecretStr("")
    """The server's key."""
    concurrency: int = Field(default=8, ge=1, le=1000)
    """Calls that may be in flight at the same time."""
    requests_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    """Calls that may begin within a minute; empty bounds nothing."""
    timeout_s: float = Field(default=60.0, gt=0, le=3600)
    """How long one call may take."""
    price_in_per_1m: float = Field(default=0.0, ge=0)
    """US dollars for a million tokens that it reads."""
    price_out_per_1m: float = Field(default=0.0, ge=0)
    """US dollars for a million tokens that it writes."""


class Embedder(Model):
    """What makes vectors of texts: `local` runs a small model here, in a process of its own."""

    tokens_per_day: int = Field(default=50_000_000, ge=1)
    """Tokens that a server may read for us within a day (UTC); what is beyond waits for the next.
    The local one reads as many as there are."""


class Models(Section):
    """The models that work for us, by what they do; those without an address are not there."""

    teacher: Model = Field(default_factory=Model)
    """Solves problems for others to learn from; without one, the exact solvers of the types."""
    verifier: Model = Field(default_factory=Model)
    """Checks what the teacher has solved; another model than the teacher."""
    policy: Model = Field(default_factory=Model)
    """Writes the answers that are compared in preference pairs; without one, the teacher."""
    judge: Model = Field(default_factory=Model)
    """Says which of several answers is the better; without one, the verifier."""
    retriever: Model = Field(default_factory=Model)
    """Puts questions to the knowledge base in other words."""
    embedder: Embedder = Field(default_factory=Embedder)
    """Makes vectors of texts, so that they are found by meaning; `embedder: local` for one here."""


class Site(Section):
    """A page of the web with rows on it."""

    url: str
    """Of JSON, JSON lines, CSV, or a page with tables; its host is asked, and no other."""
    licence: str = Field(default="", max_length=200)
    """Under which its rows stand; empty takes what the page says."""


class Subscription(Section):
    """An address that gives rows to whoever has its key."""

    url: str
    """The first page; an answer may name the `next` one."""
    key: SecretStr = SecretStr("")
    """Sent as a bearer token."""
    licence: str = Field(default="", max_length=200)
    """Under which its rows stand."""
    usd_per_page: float = Field(default=0.0, ge=0)
    """What a page costs, in US dollars."""


class Data(Section):
    """Where training data comes from, beside the models that make it."""

    sites: dict[str, Site] = Field(default_factory=dict)
    """Pages of the web, by names of one's own."""
    subscriptions: dict[str, Subscription] = Field(default_factory=dict)
    """Data that is sold or lent, by names of one's own."""
    engines: tuple[str, ...] = ()
    """Addresses of rules engines; what they say is told to teacher and verifier."""
    own_hosts: tuple[str, ...] = ()
    """Hosts of one's own network that may be asked; all other private addresses are refused."""


OPEN = ("data.sites.", "data.subscriptions.")
"""Below these, people give names of their own."""
SHORT = {"models.embedder": "models.embedder.url"}
"""What may stand for what."""


class Settings(Section):
    """Everything that can be set."""

    api: Api = Field(default_factory=Api)
    workers: Workers = Field(default_factory=Workers)
    store: Store = Field(default_factory=Store)
    nats: Nats = Field(default_factory=Nats)
    models: Models = Field(default_factory=Models)
    data: Data = Field(default_factory=Data)
    knowledge: Knowledge = Field(default_factory=Knowledge)
    log: Log = Field(default_factory=Log)


@dataclass(frozen=True)
class Origin:
    """One value and where it came from."""

    key: str
    value: Any
    origin: str


@dataclass(frozen=True)
class Configuration:
    """The settings in force, each with its origin."""

    settings: Settings
    origins: tuple[Origin, ...]


def configuration(
    arguments: Mapping[str, Any] | None = None, folder: Path | None = None
) -> Configuration:
    """Read all layers. `arguments` has dotted keys; values of None were not given."""
    layers: dict[str, tuple[Any, str]] = {}
    file = (folder or Path.cwd()) / "ratchet.yaml"
    for key, value in _flat(_from_file(file)):
        layers[key] = (value, str(file))
    for name, text in sorted(os.environ.items()):
        if name.upper().startswith(PREFIX):
            key = name[len(PREFIX) :].lower().replace("__", ".")
            layers[key] = (text, f"environment {name}")
    for key, value in (arguments or {}).items():
        if value is not None:
            layers[key] = (value, "command line")
    layers = {SHORT.get(key, key): one for key, one in layers.items()}
    known = dict(_flat(Settings().model_dump()))
    sections = {key.split(".")[0] for key in known}
    layers = {key: one for key, one in layers.items() if one[0] is not None or key not in sections}
    for key, (_, origin) in layers.items():
        if key not in known and not key.startswith(OPEN):
            hint = near(key, known)
            right = f"did you mean {hint!r}?" if hint else f"one of {', '.join(known)}"
            raise UnknownType(f"there is no setting {key!r}", where=origin, right=right)
    try:
        settings = Settings.model_validate(_nested({key: v for key, (v, _) in layers.items()}))
    except ValidationError as error:
        wrong = malformed(Settings, error)
        origin = layers.get(wrong.where, (None, "settings"))[1]
        where = f"{wrong.where}, from {origin}"
        raise Malformed(wrong.what, where=where, right=wrong.right) from None
    origins = tuple(
        Origin(key, _shown(value), layers[key][1] if key in layers else "default")
        for key, value in _flat(settings.model_dump())
    )
    return Configuration(settings, origins)


def _shown(value: Any) -> Any:
    """A value as it may be printed: secrets, and passwords in addresses, are not."""
    if isinstance(value, SecretStr):
        return str(value)
    return re.sub(r"(://[^/@:,]*):[^,]*@", r"\1:***@", value) if isinstance(value, str) else value


def _from_file(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    import yaml  # 25 ms, and most homes have no such file

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())
        raise Malformed(f"the file cannot be read ({text})", where=str(file)) from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Malformed("the file is no mapping of settings", where=str(file), right="api: ...")
    return found


def _flat(nested: Mapping[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in nested.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *sections, name = key.split(".")
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return tree


def home_folder(given: str | None) -> Path:
    """`--home`, else `RATCHET_HOME`, else `.ratchet` in the working folder."""
    return Path(given or os.environ.get("RATCHET_HOME") or ".ratchet").expanduser().absolute()


def is_ci() -> bool:
    """Whether a machine reads what we print."""
    return bool(os.environ.get("CI"))
