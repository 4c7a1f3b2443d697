"""`ratchet tokens`: who may call from beyond this machine, and for what."""

from __future__ import annotations

from typing import Annotated

import typer

from events.nats.users import inbox_of, is_name, user_of
from infra.cli import show
from infra.tokens import Tokens

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def tokens() -> None:
    """Bearer tokens for callers beyond loopback."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Under which name its bearer enters history.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What for: publish, read, worker, or admin for all; may be repeated."),
    ] = None,
) -> None:
    """Make a token. It is shown this once; only its hash is kept."""
    kept = _kept()
    secret = kept.add(name, scope or ())
    scopes = next(token.scopes for token in kept.all() if token.name == name)
    user = name if is_name(name) else user_of(secret)
    text = (
        f"{secret}\n  for {', '.join(scopes)}; it is not shown again\n"
        f"  over NATS: user {user}, the token as password, replies under {inbox_of(user)}"
    )
    nats = {"user": user, "inbox": inbox_of(user)}
    show.answer({"name": name, "scopes": list(scopes), "token": secret, "nats": nats}, text)


@app.command("list")
def list_() -> None:
    """Show whose tokens there are."""
    rows = [
        {"name": token.name, "scopes": list(token.scopes), "created": token.created}
        for token in _kept().all()
    ]
    cells = [(row["name"], ", ".join(row["scopes"]), row["created"]) for row in rows]
    text = show.table(("NAME", "SCOPES", "CREATED"), cells) if rows else "There are no tokens."
    show.answer({"tokens": rows}, text)


@app.command()
def remove(name: Annotated[str, typer.Argument(help="Whose token.")]) -> None:
    """Turn its bearer away from now on."""
    _kept().remove(name)
    show.answer({"removed": name}, f"The token {name!r} opens nothing any more.")


def _kept() -> Tokens:
    return Tokens(show.home().folder / "tokens.json")
