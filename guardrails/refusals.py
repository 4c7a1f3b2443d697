"""How a call of a model can end other than well.

    RatchetError
      CallFailed       the endpoint gave no answer that can be used
        kind           meaning                                              tried again
        unreachable    no connection, or it broke                           yes
        timeout        no whole answer within the time of the endpoint      once
        rate_limited   too many calls, said the endpoint (429)              yes
        server         an error of the endpoint's own (5xx, 408, 409)       yes
        refused        the model declined, or a filter held the answer back no
        rejected       the request itself is wrong, or the key (4xx)        no
        quota          the account behind the key has nothing left          no
        too_large      more bytes than an answer may have                   no
        rubbish        an answer that is not what was asked for             by one repair
      BudgetSpent      money, tokens, time or calls are used up

A call that failed is data for whoever made it; a spent budget ends the work that it was for.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from events.errors import RatchetError

Kind = Literal[
    "unreachable",
    "timeout",
    "rate_limited",
    "server",
    "refused",
    "rejected",
    "quota",
    "too_large",
    "rubbish",
]

Limit = Literal["money", "tokens", "seconds", "calls"]


class Complaint(NamedTuple):
    """Why a server did not take a request, in its own words."""

    message: str = ""
    code: str = ""
    param: str = ""


class CallFailed(RatchetError):
    """An endpoint gave no answer that can be used."""

    exit_code = 4

    def __init__(
        self,
        kind: Kind,
        what: str,
        *,
        where: str = "",
        right: str = "",
        status: int = 0,
        complaint: Complaint | None = None,
        retry_after: float | None = None,
        said: str = "",
        free: bool = False,
    ) -> None:
        super().__init__(what, where=where, right=right)
        self.kind: Kind = kind
        self.status, self.retry_after = status, retry_after
        self.complaint = complaint or Complaint()
        self.said = said
        """What the model said, where it said something."""
        self.free = free
        """Whether the endpoint cannot have worked on the call, and so cannot bill it."""


class BudgetSpent(RatchetError):
    """Nothing more may be asked of models for this work."""

    def __init__(self, limit: Limit, what: str, *, right: str = "") -> None:
        super().__init__(what, right=right or "a larger budget, or less work")
        self.limit: Limit = limit


def out_of_time() -> BudgetSpent:
    """The budget's time ended while something was waited for."""
    return BudgetSpent("seconds", "the time for asking models is over")
