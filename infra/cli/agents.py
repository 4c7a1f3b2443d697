"""`ratchet agents`: who works here, how far each has come, and a hand on them."""

from __future__ import annotations

from typing import Any

import typer

from agents.roster import ROSTER
from events.ingress import admitted
from events.store import EventStore
from infra import publishing
from infra.assemble import AGENTS
from infra.cli import show
from infra.cli.states import named, present

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Name = typer.Argument(metavar="NAME", help="Which agent.")


@app.callback()
def agents() -> None:
    """Who works here; pause and resume them."""


@app.command("list")
def list_agents() -> None:
    """List the agents, with how far each has read and how much of the log lies before it."""
    rows = list(show.reading(_known).values())
    columns = ("agent", "version", "status", "checkpoint", "lag")
    table = show.table(columns, [[row[name] for name in columns] for row in rows])
    show.answer({"agents": rows}, table)


@app.command("show")
def show_agent(name: str = Name) -> None:
    """Show one agent, with the versions that answered before."""
    show.answer(named("agent", name, show.reading(_known)))


@app.command()
def pause(
    name: str = Name,
    reason: str = typer.Option("", help="Why; it stands in the history."),
) -> None:
    """Stop an agent; what happens meanwhile waits for it."""
    _hand("AgentPaused", name, "paused", {"reason": reason} if reason else {})


@app.command()
def resume(name: str = Name) -> None:
    """Let an agent go on, from where it stopped."""
    _hand("AgentResumed", name, "active", {})


async def _known(store: EventStore) -> dict[str, dict[str, Any]]:
    """Those of this version, and those that once worked in this log."""
    rows = await present(ROSTER, store)
    head = (await store.head()).position
    found = {}
    for agent in AGENTS:
        row = rows.pop(agent.name, {"paused": False, "versions": []})
        checkpoint = await store.checkpoint(agent.checkpoint)
        found[agent.name] = {
            "agent": agent.name,
            "version": agent.version,
            "status": "paused" if row["paused"] else "active",
            "checkpoint": checkpoint,
            "lag": max(head - checkpoint, 0),
            "versions": row["versions"],
        }
    for name, row in rows.items():
        gone = {"agent": name, "version": None, "status": "gone", "checkpoint": None, "lag": None}
        found[name] = gone | {"versions": row["versions"]}
    return found


def _hand(wire: str, name: str, status: str, words: dict[str, str]) -> None:
    row = named("agent", name, show.reading(_known))
    changed = row["status"] != status
    position = None
    if changed:
        one = admitted(wire, {"agent": name, **words})
        position = publishing.publish(show.home(), one)["position"]
    document = {"agent": name, "status": status, "changed": changed, "position": position}
    told = f"position {position}" if changed else "it was so already"
    show.answer(document, f"agent {name} is {status} ({told})")
