"""How an event is told in one line of text."""

from __future__ import annotations

import json

from events.envelope import Envelope
from infra.cli.gist import gist

HEADING = f"{'position':>8}  {'recorded at (UTC)':<19}  {'type':<20}  {'stream':<24}  by"


def line(envelope: Envelope) -> str:
    """A row below `HEADING`."""
    when = envelope.recorded_at[:19].replace("T", " ")
    return (
        f"{envelope.position:>8}  {when}  {envelope.type:<20}  {envelope.stream:<24}  "
        f"{envelope.actor}"
    )


def short(envelope: Envelope) -> str:
    """For a tree: what happened, to whom, who says so, and in a few words what."""
    said = gist(json.loads(envelope.data))
    return (
        f"{envelope.type} at {envelope.position}, {envelope.stream}, by {envelope.actor}, "
        f"{envelope.recorded_at[:19].replace('T', ' ')}{': ' + said if said else ''}"
    )
