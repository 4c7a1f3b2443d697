"""`ratchet nats`: what a nats-server that people run themselves has to know of this home."""

from __future__ import annotations

import sys
from urllib.parse import unquote, urlsplit

import typer

from events.errors import Malformed
from events.nats.permissions import accounts, users
from infra.bearers import bearers
from infra.cli import show
from infra.settings import configuration
from infra.tokens import Tokens, hashed

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def nats() -> None:
    """For a nats-server that you run yourself; `ratchet up` keeps its own in step."""


@app.command()
def config() -> None:
    """Print its accounts: the system of RATCHET__NATS__URL, and the tokens of this home."""
    url = configuration().settings.nats.url
    place = urlsplit(url.split(",")[0])
    if not place.password or place.username != "system":
        raise Malformed(
            "the settings name no password for the user 'system'",
            where="nats.url",
            right="RATCHET__NATS__URL=nats://system:PASSWORD@HOST:4222",
        )
    tokens = Tokens(show.home().folder / "tokens.json")
    system = hashed(unquote(place.password), rounds=11)  # of a word that people may have chosen
    known = users(bearers(tokens), system, "", neighbours=False)
    text = accounts(known)
    show.answer({"accounts": text, "users": [user.name for user in known]}, text)
    print("include this in the server's configuration, and reload it", file=sys.stderr)
