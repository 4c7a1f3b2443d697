"""`ratchet publish`: say an event, and with --wait see what the agents answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer

from events.errors import Malformed, NotFound
from events.ingress import OPERATOR, admitted, event_named, parsed
from events.message import Event
from infra.cli import waiting

app = typer.Typer(add_completion=False, rich_markup_mode=None)

READ = 1 << 26
"""Bytes that are read of a file: enough to say how much too large it is."""


@app.command()
def publish(
    kind: str = typer.Argument(metavar="TYPE", help="Which event, such as TrainingRequested."),
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Its fields.")
    ] = None,
    data: str = typer.Option("", help="A file with the fields as JSON; - for standard input."),
    event_id: str = typer.Option("", "--id", help="Publish once, however often this id is sent."),
    wait: float = typer.Option(0, metavar="[SECONDS]", help=waiting.HELP, show_default=False),
) -> None:
    """Append an event and trigger work.

    Give the fields as KEY=VALUE, as a JSON file, or both; a later one wins.
    """
    one = admitted(kind, given(kind, fields or (), data), event_id or None, OPERATOR)
    waiting.say(one, wait)


def given(wire: str, fields: Sequence[str], file: str = "") -> dict[str, Any]:
    """The data of the event, from a file and from KEY=VALUE words."""
    kind = event_named(wire)
    found = _from_file(file) if file else {}
    if not isinstance(found, dict):
        raise Malformed(
            f"the data of {wire!r} is no JSON object", where=file, right='such as {"role": "demo"}'
        )
    for word in fields:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise Malformed(
                f"{word[:60]!r} is no field", where="KEY=VALUE", right="for instance role=support"
            )
        if not _in_utf8(word):
            where = ascii(key)[1:-1][:60]
            raise Malformed("the word is not UTF-8", where=where, right="text in UTF-8")
        *path, name = key.split(".")
        place = found
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise Malformed(f"{key!r} lies in something that has no fields", where=part)
        place[name] = _value(kind, path, name, text)
    return found


def _in_utf8(word: str) -> bool:
    """The system hands over bytes that are no UTF-8 as half characters."""
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _value(kind: type[Event], path: list[str], name: str, text: str) -> Any:
    """A word as JSON where it is JSON, unless the field wants a text."""
    field = None if path else kind.model_fields.get(name)
    wanted = None if field is None else _kinds(field.annotation)
    if wanted and wanted <= {str, NoneType}:
        return None if text == "null" and NoneType in wanted else text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _kinds(annotation: Any) -> set[Any]:
    """What may stand in a field, its alternatives told apart."""
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return set[Any]().union(*map(_kinds, get_args(annotation)))
    return {annotation}


def _from_file(file: str) -> Any:
    try:
        if file == "-":
            body = sys.stdin.buffer.read(READ)
        else:
            with Path(file).open("rb") as opened:
                body = opened.read(READ)
    except FileNotFoundError:
        raise NotFound("there is no such file", where=file) from None
    except OSError as error:
        raise Malformed(f"the file cannot be read ({error.strerror})", where=file) from None
    return parsed(body)
