"""What goes wrong at the door, as a status and three parts: what, where, what would be right."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from events import errors
from events.errors import RatchetError

log = logging.getLogger(__name__)

STATUSES: tuple[tuple[type[RatchetError], int], ...] = (
    (errors.NotYours, 403),
    (errors.TooLarge, 413),
    (errors.Refused, 400),
    (errors.Conflict, 409),
    (errors.NotFound, 404),
    (errors.NoRoom, 507),
    (errors.LogUnavailable, 503),
    (errors.LogDamaged, 503),
    (errors.UnknownHistory, 503),
)
"""The first that fits is meant."""


class TurnedAway(RatchetError):
    """What only a door can say: no token, no such path, too many at once."""

    def __init__(
        self,
        status: int,
        what: str,
        *,
        where: str = "",
        right: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, where=where, right=right)
        self.status, self.headers = status, dict(headers or {})


class Json(Response):
    """JSON that can always be written, whatever texts stand in it."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def status_of(error: RatchetError) -> int:
    """The HTTP status that says the same as the error."""
    if isinstance(error, TurnedAway):
        return error.status
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def refusal(error: RatchetError) -> Json:
    """The error as an answer."""
    headers = error.headers if isinstance(error, TurnedAway) else None
    return Json({"error": error.body()}, status_of(error), headers)


def defect(error: Exception, request: Request) -> Json:
    """What nobody foresaw: told in the log with its trace, and to the caller without it."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    right = "it is a defect of ours; the log of `ratchet up` tells more"
    return Json({"error": {"what": "the answer failed", "where": "server", "right": right}}, 500)


async def on_ratchet_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RatchetError)
    return refusal(error)


async def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path, method = request.url.path[:200], request.method[:20]
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            right = "for instance /events, /events/types, /why/EVENT, /projections, /healthz"
            said = TurnedAway(404, f"there is nothing at {path!r}", where="path", right=right)
        case 405:
            allowed = ", ".join(request.app.state.methods(request.url.path))
            what = f"{method!r} cannot be done to {path!r}"
            headers["Allow"] = allowed
            said = TurnedAway(405, what, where="method", right=allowed, headers=headers)
        case status:
            said = TurnedAway(status, str(error.detail)[:500], headers=headers)
    return refusal(said)


async def on_invalid_query(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first: Mapping[str, Any] = next(iter(error.errors()), {})
    name = str((*first.get("loc", ()), "query")[1])[:60]
    if first.get("type") == "extra_forbidden":
        what, right = f"there is no parameter {name!r}", "one that this path knows"
    else:
        what = f"{name!r} may not be {str(first.get('input'))[:60]!r}"
        right = str(first.get("msg", "")).removeprefix("Input should be ")
    return refusal(errors.Malformed(what, where=name, right=right))
