"""What a server has been found not to take, so that it is asked in its own way from then on.

Servers refuse parameters which others demand: models that reason want `max_completion_tokens` in
the place of `max_tokens`, and some take no temperature or no seed.
"""

from __future__ import annotations

from typing import Any

from guardrails.refusals import Complaint

_OTHERWISE: dict[str, str] = {
    "max_tokens": "max_completion_tokens",
    "temperature": "",
    "seed": "",
}
"""What is sent in the place of a parameter; empty leaves it out."""


class Manners:
    """Of one endpoint."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def learn(self, complaint: Complaint) -> bool:
        """Whether the complaint names something that can be said otherwise from now on."""
        for name in _OTHERWISE:
            named = complaint.param == name or f"'{name}'" in complaint.message
            if named and name not in self._refused:
                self._refused.add(name)
                return True
        return False

    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        """The request as this server takes it."""
        if not self._refused:
            return body
        said = {}
        for name, value in body.items():
            other = _OTHERWISE[name] if name in self._refused else name
            if other:
                said[other] = value
        return said
