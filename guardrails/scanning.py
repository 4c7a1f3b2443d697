"""What a text must not hold that others will read or learn from: secrets, people, orders.

Told by kind, and never by what stands there. What stands in a text that is known already is nobody
else's fault, and is not told.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Literal, NamedTuple

from guardrails import personal, secrets
from guardrails.quoting import harmful

Reason = Literal["secret", "personal", "markup"]


class Unfit(NamedTuple):
    """Why a text is not taken."""

    reason: Reason
    what: str
    """In a few words, such as "personal data (EMAIL)"."""


class _Found(NamedTuple):
    reason: Reason
    kind: str
    value: str


def unfit(
    text: str, known: str = "", thoughts: bool = False, passing: Container[str] = ()
) -> Unfit | None:
    """The worst that stands in it; None where it is fit. `known` is a text that is ours, `passing`
    the reasons and kinds that do no harm where this text goes.

    Where an answer holds its `thoughts`, the marks of these are a part of it.
    """
    found = [one for one in _found(text) if not (known and one.value in known)]
    found = [one for one in found if one.reason not in passing and one.kind not in passing]
    if thoughts:
        found = [one for one in found if not one.value.startswith(("<think>", "</think>"))]
    for reason, words in _WORDS.items():
        kinds = dict.fromkeys(one.kind for one in found if one.reason == reason)
        if kinds:
            return Unfit(reason, f"{words} ({', '.join(kinds)})")
    return None


def masked(text: str) -> str:
    """The text with masks such as [EMAIL] in the place of secrets and personal data."""
    return personal.redacted(secrets.redacted(text).text).text


_WORDS: dict[Reason, str] = {
    "secret": "a secret",
    "personal": "personal data",
    "markup": "what models take for more than text",
}


def _found(text: str) -> tuple[_Found, ...]:
    return (
        *(_Found("secret", one.kind, text[one.start : one.end]) for one in secrets.findings(text)),
        *(
            _Found("personal", one.kind, text[one.start : one.end])
            for one in personal.findings(text)
        ),
        *(_Found("markup", _kind(one), one) for one in harmful(text)),
    )


def _kind(mark: str) -> str:
    return "a mark of a chat template" if mark.isprintable() else "characters that nobody sees"
