"""`ratchet messages`: what models say to each other, learn from each other and do together."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from events.errors import Malformed
from events.ingress import admitted
from infra.cli import show, waiting
from infra.cli.states import missing, named, state
from memory.messages.collaborations import COLLABORATIONS
from memory.messages.inboxes import INBOXES

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Sender = typer.Argument(metavar="FROM", help="Who says it: ROLE, or ROLE/MODEL.")
Member = typer.Argument(metavar="MEMBER", help="ROLE, or ROLE/MODEL.")
Text = typer.Argument(metavar="TEXT", help="What is said.")
Topic = typer.Argument(metavar="TOPIC", help="Such as shop.kettle; * and a last > stand for any.")
Wait = typer.Option(0, metavar="[SECONDS]", help=waiting.HELP, show_default=False)
Tags = Annotated[list[str] | None, typer.Option("--tag", help="May be repeated.")]


@app.callback()
def messages() -> None:
    """What models say to each other."""


@app.command()
def inbox(
    member: str = Member,
    after: int = typer.Option(0, min=0, help="Only letters behind this position."),
) -> None:
    """Show the newest letters of a member."""
    known = state(INBOXES)
    inboxes = known.get("inboxes", {})
    letters = [one for one in inboxes.get(member, ()) if one["position"] > after]
    topics = known.get("topics", {}).get(member, [])
    cells = [(one["position"], one["kind"], one["from"], _mark(one), _line(one["text"]))
             for one in letters]  # fmt: skip
    table = show.table(("position", "kind", "from", "", "text"), cells)
    document = {"member": member, "topics": topics, "letters": letters}
    show.answer(document, table if letters else f"Nothing lies in the inbox of {member}.")


@app.command()
def send(
    sender: str = Sender,
    to: str = typer.Argument(metavar="TO", help="To whom: ROLE, or ROLE/MODEL."),
    text: str = Text,
    reply_within: float = typer.Option(0, help="Seconds that a reply is waited for."),
    wait: float = Wait,
) -> None:
    """Say something to one member."""
    data: dict[str, Any] = {"sender": sender, "to": to, "text": text}
    if reply_within:
        data["reply_within_s"] = reply_within
    waiting.say(admitted("MessageSent", data), wait)


@app.command()
def reply(
    message: str = typer.Argument(metavar="MESSAGE", help="The id of the message."),
    sender: str = Sender,
    text: str = Text,
    wait: float = Wait,
) -> None:
    """Answer a message that waits for it."""
    data = {"message": message, "sender": sender, "text": text}
    waiting.say(admitted("ReplySent", data), wait)


@app.command()
def subscribe(member: str = Member, topic: str = Topic, wait: float = Wait) -> None:
    """Let a member listen to a topic."""
    waiting.say(admitted("SubscribeRequested", {"member": member, "topic": topic}), wait)


@app.command()
def unsubscribe(member: str = Member, topic: str = Topic, wait: float = Wait) -> None:
    """Let a member listen to a topic no more."""
    waiting.say(admitted("UnsubscribeRequested", {"member": member, "topic": topic}), wait)


@app.command()
def publish(sender: str = Sender, topic: str = Topic, text: str = Text, wait: float = Wait) -> None:
    """Say something to all who listen to a topic."""
    data = {"sender": sender, "topic": topic, "text": text}
    waiting.say(admitted("TopicPublished", data), wait)


@app.command()
def learn(
    role: str = typer.Argument(metavar="ROLE", help="Whose learning it is."),
    text: str = typer.Argument(metavar="TEXT", help="What was learned."),
    model: str = typer.Option("", help="The model that learned it."),
    tag: Tags = None,
    confidence: float = typer.Option(1.0, help="How sure it is, from 0 to 1."),
    wait: float = Wait,
) -> None:
    """Offer a learning to all roles that it matters to."""
    data: dict[str, Any] = {"role": role, "text": text, "tags": tag or [], "confidence": confidence}
    if model:
        data["model"] = model
    waiting.say(admitted("LearningOffered", data), wait)


@app.command()
def collaborate(
    task: str = typer.Argument(metavar="TASK", help="What is to be done together."),
    members: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="MEMBER[:PART]", help="lead, contributor or critic."),
    ] = None,
    rounds: int = typer.Option(2, help="Rounds at most."),
    minutes: float = typer.Option(30.0, help="Time of a round."),
    aggregate: str = typer.Option("majority", help="majority, lead or surest."),
    wait: float = Wait,
) -> None:
    """Begin a session; with nobody named, of the roles that the task matters to."""
    data: dict[str, Any] = {
        "task": task,
        "rounds": rounds,
        "round_minutes": minutes,
        "aggregate": aggregate,
        "participants": [_participant(one) for one in members or ()],
    }
    waiting.say(admitted("CollaborationRequested", data), wait)


@app.command()
def contribute(
    session: str = typer.Argument(metavar="SESSION", help="Which session."),
    member: str = Member,
    text: str = Text,
    choice: str = typer.Option("", help="The answer in a word, to be counted."),
    confidence: float = typer.Option(0.5, help="How sure it is, from 0 to 1."),
    learned: Annotated[
        list[str] | None, typer.Option("--learned", help="A learning; may be repeated.")
    ] = None,
    wait: float = Wait,
) -> None:
    """Say something in the present round of a session."""
    row = named("session", session, state(COLLABORATIONS))
    data: dict[str, Any] = {
        "collaboration": session,
        "round": max(1, row["round"]),
        "member": member,
        "text": text,
        "confidence": confidence,
        "learnings": [{"text": one} for one in learned or ()],
    }
    if choice:
        data["choice"] = choice
    waiting.say(admitted("ContributionMade", data), wait)


@app.command()
def sessions() -> None:
    """List the sessions, the oldest first."""
    rows = list(state(COLLABORATIONS).values())
    columns = ("collaboration", "status", "round", "begun_at", "task")
    cells = [[_line(str(row[name])) for name in columns] for row in rows]
    show.answer({"sessions": rows}, show.table(columns, cells) if rows else "There are none yet.")


@app.command()
def session(name: str = typer.Argument(metavar="SESSION", help="Which session.")) -> None:
    """Show one session: who said what in which round, and the result."""
    known = state(COLLABORATIONS)
    if name not in known:
        raise missing("session", name, known)
    show.answer(known[name])


def _participant(word: str) -> dict[str, str]:
    member, colon, part = word.partition(":")
    if colon and part not in ("lead", "contributor", "critic"):
        raise Malformed(
            f"{part[:40]!r} is no part", where="--with", right="lead, contributor or critic"
        )
    return {"member": member, "part": part or "contributor"}


def _mark(letter: dict[str, Any]) -> str:
    if letter["kind"] == "learning":
        return f"{letter['relevance']:.2f}"
    if letter["kind"] == "round":
        return f"round {letter['round']}"
    return str(letter.get("status") or letter.get("topic") or "")


def _line(text: str) -> str:
    """The text in one line of a table."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."
