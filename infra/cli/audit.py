"""`ratchet audit`: is the history what was written, and would it be decided so again?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from agents.audit import MOST, Report, audit
from agents.judge import Verdict
from events.chain import Head
from events.errors import LogDamaged, LogUnavailable, Malformed, NotFound
from events.ingress import parsed
from infra.assemble import AGENTS
from infra.cli import show

app = typer.Typer(add_completion=False, rich_markup_mode=None)

UNKNOWN = (
    "By whom it was signed is not checked: keys/head.pub is not in this home. Whoever could write"
    " the log could have signed it."
)
BROKEN = "Trust what lies before it; keep this folder for inquiry, and bring the log from a backup."


@app.command("audit")
def check(
    head: str = typer.Option("", metavar="FILE", help="A head that was kept elsewhere."),
    save_head: str = typer.Option("", metavar="FILE", help="Write the present head to a file."),
) -> None:
    """Check the chain of hashes, and derive every decision again.

    Only a head that was kept elsewhere shows that the whole folder was replaced by another.
    """
    kept = _kept(Path(head)) if head else None
    key = show.home().public_key
    try:
        report = show.reading(
            lambda store: audit(store, AGENTS, key=key, kept=kept, told=show.progress("audit"))
        )
    except LogDamaged as damaged:  # not a page of it can be read
        report = Report(broken_at=1, broken=damaged.what)
    if save_head and report.broken_at is None:
        _save(report.head, Path(save_head))
    checked = key is not None
    document = {**shape(report), "signer_known": checked}
    text = _text(report, kept, save_head)
    show.answer(document, text if checked or not report.events else f"{text}\n{UNKNOWN}")
    if not report.good:
        sys.exit(1)


def shape(report: Report) -> dict[str, Any]:
    """The report as a document."""
    return {
        "events": report.events,
        "chain": "intact" if report.broken_at is None else "broken",
        "broken_at": report.broken_at,
        "reason": report.broken,
        "decisions": report.decisions,
        "differences": [verdict(one) for one in report.differences],
        "drift": [verdict(one) | {"version": one.version} for one in report.drift],
        "found": report.found,
        "head": report.head._asdict(),
    }


def verdict(one: Verdict) -> dict[str, Any]:
    """What stands in the log, and what would be decided today."""
    return {
        "position": one.position,
        "agent": one.agent,
        "recorded": one.recorded,
        "derived": one.derived,
    }


def _kept(file: Path) -> Head:
    """A head as `--save-head` writes it, or the whole document of an earlier audit."""
    try:
        found = parsed(file.read_bytes())
        said = found.get("head", found)
        position, digest, signature, public = (said[field] for field in Head._fields[:-1])
        head = Head(position, digest, signature, public, said.get("root", ""))  # version 1: none
    except FileNotFoundError:
        raise NotFound("there is no such file", where=str(file)) from None
    except OSError as error:
        raise Malformed(f"the file cannot be read ({error.strerror})", where=str(file)) from None
    except (AttributeError, KeyError, TypeError, Malformed):
        head = Head(-1, "", "", "")
    texts = (head.hash, head.signature, head.key, head.root)
    position = head.position
    whole = isinstance(position, int) and 0 <= position < 2**62
    if not whole or not all(isinstance(text, str) for text in texts):
        raise Malformed(
            "the file holds no head",
            where=str(file),
            right="what `ratchet audit --save-head FILE` wrote",
        )
    return head


def _save(head: Head, file: Path) -> None:
    try:
        file.write_text(json.dumps(head._asdict(), indent=2) + "\n")
    except OSError as error:
        raise LogUnavailable(
            f"the head cannot be written ({error.strerror})",
            where=str(file),
            right="a file in a folder that this user may write",
        ) from None


def _text(report: Report, kept: Head | None, saved: str) -> str:
    found = report.found
    compared = f", as the head kept at position {kept.position:,} says" if kept else ""
    chain = (
        f"The chain is intact over {report.events:,} events{compared}."
        if report.broken_at is None
        else f"The chain is BROKEN at position {report.broken_at:,}: {report.broken}. "
        f"The {report.events:,} events before it hold."
    )
    decisions = (
        f"{report.decisions:,} decisions were derived again: {found['differences']:,} come out "
        f"differently, {found['drift']:,} were taken by another version and would be today."
    )
    if report.broken_at is not None:
        return "\n".join([chain, decisions, BROKEN, *_listed(report)])
    head = (
        f"The head at position {report.head.position:,} is in {saved}; keep it elsewhere."
        if saved
        else f"The head is {report.head.hash[:16]} at position {report.head.position:,}; "
        "--save-head FILE keeps it elsewhere."
    )
    return "\n".join([chain, decisions, head, *_listed(report)])


def _listed(report: Report) -> list[str]:
    lines = []
    for what, verdicts in (("difference", report.differences), ("drift", report.drift)):
        for one in verdicts[:20]:
            names = [" ".join(said["type"] for said in side) or "nothing" for side in one[2:4]]
            at = f"  {what} at position {one.position:,}, agent {one.agent}"
            lines.append(f"{at}: recorded {names[0]}, derived {names[1]}")
        if len(verdicts) > 20:
            lines.append(f"  ... and more; --json lists up to {MOST:,}")
    return lines
